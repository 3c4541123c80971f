"""What is refused before anything runs, and what a plan looks like."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from qdlite.errors import BadRequest, NotFound, QdliteError, WrongInput, lookup_collection_not_found
from qdlite.models.query import QueryRequest
from qdlite.models.vectors import VectorObject
from qdlite.queries.plan import plan
from qdlite.queries.steps import ByField, ById, Compare, Mmr, Nearest, Plan, Rrf
from qdlite.queries.view import PointView
from qdlite.types import VectorArray
from tests.queries.conftest import POINTS, TRAITS, UUID
from tests.queries.fake_view import FakeView, refuse


def request(**fields: Any) -> QueryRequest:
    return msgspec.convert(fields, QueryRequest)


def planned(view: PointView, **fields: Any) -> Plan:
    return plan(request(**fields), view, refuse, refuse)


NEAR = {"query": [1.0, 0.0]}


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"prefetch": NEAR}, BadRequest, "A query is needed to merge the prefetches."),
        ({"score_threshold": 0.5}, BadRequest, "A query is needed to use the score_threshold."),
        ({"query": {"order_by": "price"}, "score_threshold": 0.5}, BadRequest, "Can't use score_threshold with an"),
        ({"query": {"fusion": "rrf"}, "prefetch": NEAR, "using": "euclid"}, BadRequest, "Fusion queries cannot be"),
        ({"query": {"rrf": {}}, "prefetch": NEAR, "using": "euclid"}, BadRequest, "Fusion queries cannot be"),
        ({"query": {"fusion": "rrf"}}, WrongInput, "Validation failed: cannot apply Fusion without prefetches"),
        ({"query": {"rrf": {"k": 3}}}, WrongInput, "Validation failed: cannot apply Fusion without prefetches"),
        ({"query": {"formula": 1.0}}, WrongInput, "Validation failed: cannot apply Formula without prefetches"),
        ({"query": {"rrf": {"weights": [1.0, 2.0]}}, "prefetch": NEAR}, WrongInput, "got 2, expected 1"),
        ({"query": [1.0], "using": ""}, WrongInput, "Vector dimension error: expected dim: 2, got 1"),
        ({"query": [1.0, 0.0], "using": "nope"}, WrongInput, "Not existing vector name error: nope"),
        ({"query": {"context": []}, "using": "nope"}, WrongInput, "Not existing vector name error: nope"),
        ({"query": [1.0, 0.0], "using": "sparse"}, WrongInput, "Conversion between sparse and regular vectors failed"),
        ({"query": {"indices": [1], "values": [1.0]}}, WrongInput, "Conversion between sparse and regular vectors"),
        ({"query": 99}, NotFound, "No point with id 99 found"),
        ({"query": 4, "using": "sparse"}, NotFound, 'Vector with name "sparse" for point not found'),
        (
            {"query": {"recommend": {"negative": [1]}}},
            WrongInput,
            "Positive vectors should not be empty",
        ),
        (
            {"query": {"recommend": {"positive": [1, {"indices": [1], "values": [1.0]}]}}},
            WrongInput,
            "Can't average vectors with different types",
        ),
        (
            {"query": [1.0, 0.0], "params": {"idf": "global"}},
            WrongInput,
            'search param `idf` requires a sparse vector with the `idf` modifier, which vector "" is not',
        ),
        ({"query": {"text": "fox"}, "using": "title", "prefetch": NEAR}, WrongInput, "cannot rescore prefetches"),
        ({"query": {"text": {"query": "fox", "scoring": {"bm25": {"b": 2}}}}, "using": "title"}, WrongInput, "BM25 b"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_refusals_at_the_root_and_in_prefetches(
    view: FakeView, fields: dict[str, Any], error: type[QdliteError], text: str, nested: bool
) -> None:
    if nested:
        fields = {"query": {"fusion": "dbsf"}, "prefetch": [NEAR, fields]}
    with pytest.raises(error) as raised:
        planned(view, **fields)
    assert text in str(raised.value)


def nested_prefetch(depth: int) -> dict[str, Any]:
    fields: dict[str, Any] = NEAR
    for _ in range(depth):
        fields = {"query": [1.0, 0.0], "prefetch": fields}
    return fields


def test_depth_is_limited(view: FakeView) -> None:
    planned(view, **nested_prefetch(64))
    with pytest.raises(WrongInput, match="prefetches depth 65 exceeds max depth 64"):
        planned(view, **nested_prefetch(65))


def test_defaults_and_offset(view: FakeView) -> None:
    made = planned(view, query=[1.0, 0.0], offset=4)
    assert (made.offset, made.limit, made.root.limit) == (4, 10, 14)
    assert isinstance(made.root.operation, Nearest)
    assert isinstance(planned(view).root.operation, ById)


def test_sample_ignores_the_offset_only_without_prefetches(view: FakeView) -> None:
    assert planned(view, query={"sample": "random"}, offset=3).offset == 0
    assert planned(view, query={"sample": "random"}, offset=3, prefetch=NEAR).offset == 3


def test_root_filter_and_referenced_ids_reach_every_prefetch(view: FakeView) -> None:
    inner = {"query": 7, "filter": {"must": {"has_id": [1]}}, "limit": 2}
    outer = {"query": {"recommend": {"positive": [3], "strategy": "best_score"}}, "prefetch": inner, "limit": 3}
    made = planned(
        view, query={"fusion": "rrf"}, prefetch=[outer], filter={"must_not": {"has_id": [4]}}, params={"exact": True}
    ).root
    assert isinstance(made.operation, Rrf)
    middle, leaf = made.sources[0], made.sources[0].sources[0]
    assert isinstance(middle.operation, Compare)
    assert (middle.limit, leaf.limit) == (3, 2)
    assert made.scope.excluded == middle.scope.excluded == leaf.scope.excluded == {3, 7}
    assert len(made.scope.filters) == len(middle.scope.filters) == 1
    assert leaf.scope.filters == (*made.scope.filters, request(**inner).filter)


def test_mmr_takes_its_candidates_from_a_nearest_search(view: FakeView) -> None:
    query = {"nearest": [1.0, 0.0], "mmr": {"diversity": 0.25, "candidates_limit": 50}}
    made = planned(view, query=query, limit=3, offset=1, score_threshold=0.5).root
    assert isinstance(made.operation, Mmr) and made.operation.relevance == 0.75
    assert (made.limit, made.threshold) == (3, None)
    assert (made.sources[0].limit, made.sources[0].threshold) == (50, 0.5)
    assert isinstance(made.sources[0].operation, Nearest)


def test_mmr_in_a_prefetch_without_prefetches_only_gathers_candidates(view: FakeView) -> None:
    query = {"nearest": [1.0, 0.0], "mmr": {"candidates_limit": 50}}
    made = planned(view, query=[1.0, 1.0], prefetch={"query": query, "limit": 3}).root
    assert isinstance(made.sources[0].operation, Nearest) and made.sources[0].limit == 50
    made = planned(view, query={"fusion": "rrf"}, prefetch={"query": query, "limit": 3}).root
    assert isinstance(made.sources[0].operation, Nearest) and made.sources[0].limit == 3


def test_order_by_starts_at_a_date(view: FakeView) -> None:
    made = planned(view, query={"order_by": {"key": "price", "direction": "desc", "start_from": "1970-01-01T00:00:01"}})
    assert made.root.operation == ByField("price", True, 1_000_000, True)


def test_lookup_from_another_collection(view: FakeView) -> None:
    other = FakeView(POINTS[:1], TRAITS, "other")

    def lookup(name: str) -> PointView:
        if name != "other":
            raise lookup_collection_not_found(name)
        return other

    location = {"collection": "other", "vector": "euclid"}
    made = plan(request(query=3, lookup_from=location), view, refuse, lookup)
    assert isinstance(made.root.operation, Nearest)
    assert isinstance(made.root.operation.vector, object) and made.root.scope.excluded == frozenset()
    with pytest.raises(NotFound, match="No point with id 1 found"):
        plan(request(query=1, lookup_from=location), view, refuse, lookup)
    with pytest.raises(NotFound, match="Collection nowhere not found"):
        plan(request(query=[1.0, 0.0], lookup_from={"collection": "nowhere"}), view, refuse, lookup)
    own = plan(request(query=UUID, lookup_from={"collection": "fake"}), view, refuse, refuse)
    assert own.root.scope.excluded == {UUID}


def test_inference_objects_are_resolved(view: FakeView) -> None:
    def resolve(given: VectorObject) -> VectorArray:
        assert given.text == "hello"
        return view.vector("").get(0)  # type: ignore[return-value]

    made = plan(request(query={"text": "hello", "model": "m"}), view, resolve, refuse)
    assert isinstance(made.root.operation, Nearest)
