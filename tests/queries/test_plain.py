"""Plain searches take a shorter way: is it the same answer, and are no others taken for plain ones?"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite import Database
from qdlite.database import reads
from qdlite.errors import QdliteError, WrongInput
from qdlite.models.collections import CreateCollection
from qdlite.models.decoding import decode
from qdlite.models.query import QueryRequest
from qdlite.queries.execute import Ranked, execute
from qdlite.queries.plain import plain_search, plain_vector
from qdlite.queries.plan import plan
from qdlite.queries.steps import Plan
from qdlite.queries.view import PointView
from tests.queries.conftest import POINTS, TRAITS
from tests.queries.fake_view import FakeView, refuse

RED = {"must": [{"key": "colour", "match": {"value": "red"}}]}
NUMBERS = st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 3e38])


def request(**fields: Any) -> QueryRequest:
    return msgspec.convert(fields, QueryRequest)


def shortly(view: PointView, asked: QueryRequest) -> Ranked:
    vector = plain_vector(asked)
    assert vector is not None
    return plain_search(asked, vector, view)


def by_plan(view: PointView, asked: QueryRequest) -> Ranked:
    return execute(plan(asked, view, refuse, refuse), view)


@given(
    vector=st.lists(NUMBERS, min_size=2, max_size=2),
    wrapped=st.booleans(),
    using=st.sampled_from([None, "", "euclid", "multi"]),
    limit=st.none() | st.integers(1, 6),
    offset=st.none() | st.integers(0, 6),
    threshold=st.none() | st.sampled_from([-1.0, 0.0, 1.0, 2.0]),
    filtered=st.booleans(),
    params=st.sampled_from([None, {}, {"exact": True}, {"hnsw_ef": 7, "indexed_only": True}]),
)
def test_the_answer_is_that_of_the_plan(
    vector: list[float],
    wrapped: bool,
    using: str | None,
    limit: int | None,
    offset: int | None,
    threshold: float | None,
    filtered: bool,
    params: dict[str, Any] | None,
) -> None:
    view = FakeView(POINTS, TRAITS)
    asked = request(
        query={"nearest": vector} if wrapped else vector,
        using=using,
        limit=limit,
        offset=offset,
        score_threshold=threshold,
        filter=RED if filtered else None,
        params=params,
    )
    found, expected = shortly(view, asked), by_plan(view, asked)
    assert found.offsets.tolist() == expected.offsets.tolist()
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert found.order_values is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"query": 3},
        {"query": {"indices": [1], "values": [1.0]}},
        {"query": {"text": "fox", "model": "qdrant/bm25"}},
        {"query": {"nearest": {"text": "fox", "model": "qdrant/bm25"}}},
        {"query": {"nearest": [1.0, 0.0], "mmr": {}}},
        {"query": {"recommend": {"positive": [[1.0, 0.0]]}}},
        {"query": [1.0, 0.0], "prefetch": {"query": [1.0, 0.0]}},
        {"query": [1.0, 0.0], "lookup_from": {"collection": "other"}},
        {"query": [1.0, 0.0], "params": {"idf": "global"}},
    ],
)
def test_these_are_not_plain(fields: dict[str, Any]) -> None:
    assert plain_vector(request(**fields)) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"query": [1.0]},
        {"query": [float("nan"), 1.0]},
        {"query": [[1.0, 0.0], [0.0, 1.0]]},
        {"query": [1.0, 0.0], "using": "sparse"},
        {"query": [1.0, 0.0], "using": "nope"},
    ],
)
def test_what_is_refused_is_refused_alike(view: FakeView, fields: dict[str, Any]) -> None:
    asked = request(**fields)
    with pytest.raises(WrongInput) as planned:
        by_plan(view, asked)
    with pytest.raises(QdliteError) as plain:
        shortly(view, asked)
    assert type(plain.value) is type(planned.value)
    assert str(plain.value) == str(planned.value)


@pytest.mark.parametrize("strict", [False, True])
def test_databases_plan_only_what_needs_it(strict: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strict mode wants to know what a query will cost, which its plan tells."""
    planned: list[QueryRequest] = []

    def counted(asked: QueryRequest, *seen: Any) -> Plan:
        planned.append(asked)
        return plan(asked, *seen)

    monkeypatch.setattr(reads, "plan", counted)
    body = {"vectors": {"size": 2, "distance": "Dot"}, "strict_mode_config": {"enabled": strict}}
    with Database() as database:
        database.create_collection("here", decode(msgspec.json.encode(body), CreateCollection))
        database.query("here", request(query=[1.0, 0.0]))
        assert len(planned) == strict
        database.query("here", request(query={"sample": "random"}))
        assert len(planned) == strict + 1
