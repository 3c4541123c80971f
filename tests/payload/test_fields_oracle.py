"""Do facets, orders, text scores and index sizes equal those of Qdrant's engine?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import qdrant_edge as edge
from hypothesis import given
from hypothesis import strategies as st

from tests.filters.oracle import Oracle, against_engine
from tests.filters.stage import Stage
from tests.filters.strategies import WORDS, leaves, payloads, schemas

some_payloads = st.lists(payloads, min_size=1, max_size=12)
FIELDS = ["a", "b", "a[]", "o.x", "n[].x"]


@against_engine
@given(some_payloads, st.dictionaries(st.sampled_from(FIELDS), schemas, min_size=1))
def test_number_of_indexed_points(points: list[dict[str, Any]], fields: dict[str, Any]) -> None:
    with Oracle(points, fields) as oracle:
        expected = {name: info.points for name, info in oracle.shard.info().payload_schema.items()}
    stage = Stage(points, fields)
    assert {name: info.points for name, info in stage.fields.schema().items()} == expected


@against_engine
@given(some_payloads, st.sampled_from(["keyword", "integer", "uuid", "bool"]), st.integers(1, 6))
def test_facet(points: list[dict[str, Any]], schema: str, limit: int) -> None:
    with Oracle(points, {"a": schema}) as oracle:
        hits = oracle.shard.facet(edge.FacetRequest("a", limit=limit, exact=True)).hits
    stage = Stage(points, {"a": schema})
    found = stage.fields.facet("a", stage.alive, limit)
    assert [(str(value), count) for value, count in found] == [(str(hit.value), hit.count) for hit in hits]


@against_engine
@given(some_payloads, st.sampled_from(["integer", "float", "datetime"]))
def test_order_values(points: list[dict[str, Any]], schema: str) -> None:
    with Oracle(points, {"a": schema}) as oracle:
        records, _ = oracle.shard.scroll(edge.ScrollRequest(limit=100, order_by=edge.OrderBy("a")))
    offsets, values = Stage(points, {"a": schema}).fields.order_values("a")
    found = sorted(zip(values.tolist(), (offsets + 1).tolist(), strict=True))
    # A shard leaves the order of equal values open; collections sort them by id.
    assert found == sorted((record.order_value, record.id) for record in records)


texts = st.lists(st.sampled_from([*WORDS, "rose", "a rose is a rose"]), max_size=3).map(" ".join)
documents = st.lists(
    st.fixed_dictionaries({}, optional={"t": st.one_of(texts, st.lists(texts, max_size=2), leaves)}),
    min_size=1,
    max_size=12,
)


@against_engine
@given(documents, texts, st.sampled_from([0.0, 1.2, 3.0]), st.sampled_from([0.0, 0.75, 1.0]))
def test_text_scores(points: list[dict[str, Any]], query: str, k: float, b: float) -> None:
    index = {"t": {"type": "text", "scoring": True}}
    with Oracle(points, index) as oracle:
        scoring = edge.Bm25Params(k=k, b=b)
        hits = oracle.shard.query(edge.QueryRequest(limit=100, query=edge.TextQuery("t", query, scoring)))
    offsets, scores = Stage(points, index).fields.text_scores("t", query, k, b)
    expected = {hit.id: hit.score for hit in hits}
    assert (offsets + 1).tolist() == sorted(expected)
    assert scores == pytest.approx(np.array([expected[offset + 1] for offset in offsets]), rel=1e-5, abs=1e-6)
