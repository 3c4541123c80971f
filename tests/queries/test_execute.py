"""Results of each kind of query on five points."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from qdlite.errors import InvalidBody, WrongInput
from qdlite.models.query import QueryRequest
from qdlite.queries.execute import Ranked, execute
from qdlite.queries.plan import plan
from qdlite.queries.scroll import ordered_scroll
from qdlite.queries.view import VectorTraits
from qdlite.types import PointId
from tests.queries.conftest import POINTS, TRAITS, UUID
from tests.queries.fake_view import FakePoint, FakeView, refuse


def ranked(view: FakeView, **fields: Any) -> Ranked:
    return execute(plan(msgspec.convert(fields, QueryRequest), view, refuse, refuse), view)


def ids(view: FakeView, **fields: Any) -> list[PointId]:
    return view.ids(ranked(view, **fields).offsets.tolist())


def scored(view: FakeView, **fields: Any) -> list[tuple[PointId, float]]:
    found = ranked(view, **fields)
    assert found.scores.dtype == np.float32
    return list(zip(view.ids(found.offsets.tolist()), found.scores.tolist(), strict=True))


EVERYTHING = {"limit": 10}
CLEAR = [1.0, 0.25]
"""Prefers 7, then the UUID, without a tie."""


def test_nearest_by_dot_breaks_ties_by_the_larger_id(view: FakeView) -> None:
    assert scored(view, query=[1.0, 0.0]) == [(7, 2.0), (UUID, 1.0), (4, 1.0), (3, 1.0), (1, 0.0)]


def test_nearest_by_euclid_ascends_and_breaks_ties_by_the_smaller_id(view: FakeView) -> None:
    root = [float(np.sqrt(np.float32(square))) for square in (2, 13)]
    found = scored(view, query=[0.0, 1.0], using="euclid")
    assert found == [(3, 1.0), (UUID, 1.0), (1, root[0]), (7, root[1])]


def test_points_without_the_vector_are_no_results(view: FakeView) -> None:
    assert 4 not in ids(view, query=[0.0, 0.0], using="euclid")
    assert ids(view, query=[1.0, 0.0], prefetch={"query": [0.0, 0.0]}, using="multi") == [1, 3]


def test_multivector_takes_the_best_of_each(view: FakeView) -> None:
    assert scored(view, query=[[1.0, 0.0], [0.0, 1.0]], using="multi") == [(3, 2.0), (1, 2.0)]
    assert scored(view, query=[0.5, 0.0], using="multi") == [(1, 1.0), (3, 0.5)]


def test_sparse_leaves_out_points_that_share_no_index(view: FakeView) -> None:
    query = {"indices": [2, 9], "values": [0.5, 1.0]}
    assert scored(view, query=query, using="sparse") == [(UUID, 1.5)]
    assert scored(view, query=query, using="sparse", prefetch=EVERYTHING) == [(UUID, 1.5)]
    recommend = {"recommend": {"positive": [query], "strategy": "sum_scores"}}
    assert scored(view, query=recommend, using="sparse") == [(UUID, 1.5), (3, 0.0)]


def test_idf_weighs_by_rarity_among_all_or_a_corpus(view: FakeView) -> None:
    query = {"indices": [1], "values": [1.0]}
    rare = np.log((1 - 1 + 0.5) / (1 + 0.5) + 1)
    assert ranked(view, query=query, using="idf").scores == pytest.approx([rare])
    elsewhere = {"idf": {"corpus": {"must": {"has_id": [1]}}}}
    assert ranked(view, query=query, using="idf", params=elsewhere).scores == pytest.approx([np.log(2)])


@pytest.mark.parametrize(
    ("using", "threshold", "expected"), [("", 1.0, [7]), ("euclid", 3.0, [3, 1, UUID]), ("euclid", 2.0, [3, 1])]
)
def test_threshold_is_strict(view: FakeView, using: str, threshold: float, expected: list[PointId]) -> None:
    query = [1.0, 0.0] if not using else [0.0, 0.0]
    assert ids(view, query=query, using=using, score_threshold=threshold) == expected


def test_ids_as_queries_are_no_results_anywhere(view: FakeView) -> None:
    assert ids(view, query=7) == [UUID, 4, 3, 1]
    fused = ids(view, query={"fusion": "rrf"}, prefetch=[{"query": 7}, {"query": [1.0, 0.0]}])
    assert 7 not in fused and len(fused) == 4


def test_average_vector(view: FakeView) -> None:
    query = {"recommend": {"positive": [3, [0.0, 1.0]], "negative": [7]}}
    # avg = (0.5, 0.5); avg + avg - negative = (-1, 1)
    assert scored(view, query=query) == [(1, 1.0), (UUID, 0.0), (4, -1.0)]


def test_no_query_goes_by_id_numbers_first(view: FakeView) -> None:
    assert scored(view) == [(1, 1.0), (3, 1.0), (4, 1.0), (7, 1.0), (UUID, 1.0)]
    assert ids(view, limit=2, offset=1) == [3, 4]
    assert ids(view, filter={"must": {"key": "colour", "match": {"value": "red"}}}) == [1, 3]
    assert ids(view, offset=9) == []


def test_prefetch_without_query_gives_the_first_by_id(view: FakeView) -> None:
    assert ids(view, query=[1.0, 0.0], prefetch={"limit": 3}) == [4, 3, 1]


def test_filters_of_root_and_prefetch_combine(view: FakeView) -> None:
    blue = {"must": {"key": "colour", "match": {"value": "blue"}}}
    prefetch = {"query": [1.0, 0.0], "filter": {"must_not": {"has_id": [7]}}}
    assert ids(view, query={"fusion": "rrf"}, prefetch=prefetch, filter=blue) == [4]
    assert ids(view, query={"fusion": "rrf"}, prefetch={"query": [1.0, 0.0]}, filter=blue) == [7, 4]


def test_order_by(view: FakeView) -> None:
    found = ranked(view, query={"order_by": {"key": "price", "direction": "desc"}})
    assert view.ids(found.offsets.tolist()) == [1, UUID, 3, 7]
    assert found.order_values is not None and found.order_values.tolist() == [30, 20, 10, 5]
    assert found.scores.tolist() == [1.0] * 4
    assert ids(view, query={"order_by": {"key": "price", "start_from": 10}}) == [3, UUID, 1]
    assert ids(view, query={"order_by": "price"}, prefetch={"query": CLEAR, "limit": 2}) == [7, UUID]


def test_order_by_needs_an_index(view: FakeView) -> None:
    with pytest.raises(WrongInput, match="No range index for `order_by` key: `unindexed`"):
        ranked(view, query={"fusion": "rrf"}, prefetch={"query": {"order_by": "unindexed"}})


def test_order_by_shows_a_point_once_per_value_but_neighbours_merge(view: FakeView) -> None:
    assert ids(view, query={"order_by": "many"}) == [3, 7]  # 1 and 2 of point 3 are neighbours
    assert ids(view, query={"order_by": {"key": "many", "direction": "desc"}}) == [7, 3]
    found = ordered_scroll(view, "many", None, 10)
    assert view.ids(found.offsets.tolist()) == [3, 3, 7]
    assert found.order_values is not None and found.order_values.tolist() == [1, 2, 2]


def test_sample(view: FakeView) -> None:
    seen = {tuple(ids(view, query={"sample": "random"}, limit=2)) for _ in range(50)}
    assert all(len(set(pair)) == 2 for pair in seen) and len(seen) > 5
    assert sorted(ids(view, query={"sample": "random"}, prefetch={"limit": 3})) == [1, 3, 4]
    assert ids(view, query={"sample": "random"}, filter={"must": {"has_id": []}}) == []


def test_text(view: FakeView) -> None:
    assert scored(view, query={"text": "quick dog fox"}, using="title") == [(3, 2.0), (UUID, 1.0)]
    assert ids(view, query={"text": "quick dog fox"}, using="title", score_threshold=1.0) == [3]
    only = {"must_not": {"has_id": [3]}}
    assert ids(view, query={"text": "quick dog fox"}, using="title", filter=only) == [UUID]
    corpus = {"idf": {"corpus": only}}
    assert ids(view, query={"text": "quick dog fox"}, using="title", params=corpus) == [UUID]


def test_rrf_scores(view: FakeView) -> None:
    prefetch = [{"query": CLEAR, "limit": 2}, {"query": [0.0, 0.0], "using": "euclid", "limit": 2}]
    third = float(np.float32(1) / np.float32(3))
    found = scored(view, query={"fusion": "rrf"}, prefetch=prefetch)
    assert found == [(7, 0.5), (3, 0.5), (UUID, third), (1, third)]
    weighted = scored(view, query={"rrf": {"k": 1, "weights": [0.0, 2.0]}}, prefetch=prefetch)
    assert weighted == [(3, 2.0), (1, 1.0), (UUID, 0.0), (7, 0.0)]
    assert ids(view, query={"fusion": "rrf"}, prefetch=prefetch, score_threshold=0.5) == [7, 3]
    assert ids(view, query={"fusion": "rrf"}, prefetch=prefetch, limit=2, offset=1) == [3, UUID]


def test_fusion_with_order_by_carries_its_values(view: FakeView) -> None:
    """As in Qdrant, DBSF puts points that bring such a value first, ordered by it."""
    prefetch = [{"query": {"order_by": "price"}, "limit": 2}, {"query": CLEAR, "limit": 2}]
    found = ranked(view, query={"fusion": "dbsf"}, prefetch=prefetch)
    assert view.ids(found.offsets.tolist()) == [3, 7, UUID]
    assert found.order_values is not None and found.order_values.tolist() == [10, 5, None]


def test_nested_prefetches_narrow_step_by_step(view: FakeView) -> None:
    inner = {"query": [0.0, 0.0], "using": "euclid", "limit": 3}
    outer = {"query": {"formula": {"neg": "$score"}}, "prefetch": inner, "limit": 2}
    assert scored(view, query=[1.0, 0.0], prefetch=outer) == [(3, 1.0), (1, 0.0)]


def test_mmr_offset_skips_choices(view: FakeView) -> None:
    query = {"nearest": [1.0, 0.0], "mmr": {"diversity": 0.9, "candidates_limit": 5}}
    everything = ids(view, query=query, limit=5)
    assert everything[0] == 7 and set(everything) == {1, 3, 4, 7, UUID}
    assert ids(view, query=query, limit=3, offset=1) == everything[1:3]


def test_mmr_of_one_candidate(view: FakeView) -> None:
    query = {"nearest": [1.0, 0.0], "mmr": {}}
    assert scored(view, query=query, filter={"must": {"has_id": [1]}}) == [(1, 0.0)]
    assert scored(view, query=query, filter={"must": {"has_id": []}}) == []


def test_ties_are_settled_before_the_limit_cuts() -> None:
    count = 1000
    points = [FakePoint((number * 7919) % count, {"": [1.0, 0.0]}) for number in range(count)]
    view = FakeView(points, {"": VectorTraits("dense", "Dot")})
    assert ids(view, query={"context": []}, limit=3) == [999, 998, 997]
    assert ids(view, query={"formula": 1.0}, prefetch={"limit": 600}, limit=2) == [599, 598]
    assert ids(view, query=[1.0, 0.0], limit=1000) == list(range(999, -1, -1))


def test_each_filter_is_asked_once(view: FakeView) -> None:
    blue = {"must": {"key": "colour", "match": {"value": "blue"}}}
    ranked(view, query={"fusion": "rrf"}, prefetch=[{"query": [1.0, 0.0]}], filter=blue)
    assert view.masks_asked == 1
    ranked(view, query=[1.0, 0.0])
    assert view.masks_asked == 1


PREFETCH = {"query": [1.0, 0.0], "limit": 5}


@pytest.mark.parametrize(
    ("formula", "defaults", "text"),
    [
        ("price", {}, "Expected number value for price in the payload and/or in the formula defaults. "
         "Error: No value found in a payload nor defaults"),
        ("price", {"price": "much"}, "Error: Value is not a number"),
        ("colour", {}, "Expected number value for colour"),
        ({"geo_distance": {"origin": {"lon": 0, "lat": 0}, "to": "colour"}}, {}, "Expected geo point value for colour"),
        ({"datetime_key": "price"}, {}, "Expected datetime value for price"),
        ({"div": {"left": 1, "right": 0}}, {}, "The expression 1/0 = inf produced a non-finite number"),
        ({"div": {"left": -1.5, "right": {"neg": 0}}}, {}, "The expression -1.5/-0 = inf produced a non-finite number"),
        ({"sqrt": -1}, {}, "The expression √-1 = NaN produced a non-finite number"),
        ({"pow": {"base": 0, "exponent": -1}}, {}, "The expression 0^-1 = inf produced a non-finite number"),
        ({"exp": 1000}, {}, "The expression exp(1000) = inf produced a non-finite number"),
        ({"log10": 0}, {}, "The expression log10(0) = -inf produced a non-finite number"),
        ({"ln": -2}, {}, "The expression ln(-2) = NaN produced a non-finite number"),
        ({"acosh": 0.5}, {}, "The expression acosh(0.5) = NaN produced a non-finite number"),
        ({"mult": [1e20, 1e20]}, {}, "as f32 = inf produced a non-finite number"),
        ({"max": []}, {}, "Validation failed: `max` needs at least one operand"),
        ("$foo", {}, "Validation failed: failed to parse variable ID $foo: Invalid reserved word: $foo"),
        ("$score.a", {}, "failed to parse variable ID $score.a: Invalid reserved variable: $score.a"),
        ("a b", {}, "failed to parse variable ID a b: Invalid payload variable: a b"),
        ({"datetime": "soon"}, {}, "failed to parse date-time soon: "),
        ({"lin_decay": {"x": 1, "midpoint": 2}}, {}, "Linear decay midpoint should be in the range [0.0, 1.0], got 2."),
        ({"exp_decay": {"x": 1, "midpoint": 1}}, {}, "Decay midpoint should be in the range (0.0, 1.0), got 1."),
        ({"gauss_decay": {"x": 1, "scale": 0}}, {}, "Decay scale should be non-zero positive, got 0."),
    ],
)  # fmt: skip
def test_formula_errors(view: FakeView, formula: Any, defaults: dict[str, Any], text: str) -> None:
    with pytest.raises(WrongInput) as raised:
        ranked(view, query={"formula": formula, "defaults": defaults}, prefetch=PREFETCH)
    assert text in str(raised.value)


def test_names_of_defaults_are_rules_of_the_body(view: FakeView) -> None:
    with pytest.raises(InvalidBody, match=r"\[internal.query.defaults: Invalid reserved word: \$nope\]"):
        ranked(view, query={"formula": 1.0, "defaults": {"$nope": 1}}, prefetch=PREFETCH)


@pytest.mark.parametrize(
    "formula",
    [
        {"mult": [{"key": "colour", "match": {"value": "nothing"}}, "absent"]},
        {"div": {"left": 0, "right": "absent"}},
        {"mult": [2, 0, {"ln": -1}]},
    ],
)
def test_a_formula_computes_only_what_it_needs(view: FakeView, formula: Any) -> None:
    assert [score for _, score in scored(view, query={"formula": formula}, prefetch=PREFETCH)] == [0.0] * 5


def test_formula_sees_each_prefetch(view: FakeView) -> None:
    prefetch = [{"query": CLEAR, "limit": 2}, {"query": [0.0, 0.0], "using": "euclid", "limit": 2}]
    formula = {"sum": ["$score", {"mult": [10, "$score[1]"]}, {"key": "colour", "match": {"value": "red"}}]}
    found = scored(view, query={"formula": formula, "defaults": {"$score[1]": -1}}, prefetch=prefetch)
    assert found == [(1, 11.0), (3, 1.0), (7, -8.0), (UUID, -8.75)]
    assert ids(view, query={"formula": formula}, prefetch=prefetch, score_threshold=1.0) == [1, 7, UUID, 3]


def test_formula_over_nothing(view: FakeView) -> None:
    assert scored(view, query={"formula": "absent"}, prefetch={"filter": {"must": {"has_id": []}}}) == []


def test_an_empty_collection_answers_everything_with_nothing() -> None:
    view = FakeView([], TRAITS)
    queries: list[Any] = [[1.0, 0.0], {"context": []}, {"sample": "random"}, {"order_by": "price"}, None]
    for query in queries:
        assert ids(view, query=query) == []
    assert ids(view, query={"fusion": "dbsf"}, prefetch=[{"query": [1.0, 0.0]}, {}]) == []
    assert ids(view, query={"nearest": [1.0, 0.0], "mmr": {}}, prefetch={}) == []


def test_masks_may_be_shorter_than_the_capacity() -> None:
    """A vector nobody has ends before the points do."""
    view = FakeView(POINTS, TRAITS)
    assert len(view.vector("sparse").present) >= 0
    late = FakeView([*POINTS, *(FakePoint(100 + n, {"": [0.0, 0.1]}) for n in range(300))], TRAITS)
    assert ids(late, query=[1.0, 0.0], using="multi", prefetch={"limit": 400}) == [1, 3]
    assert ids(late, query={"nearest": [1.0, 0.0], "mmr": {}}, using="multi", prefetch={"limit": 400}) == [1, 3]
