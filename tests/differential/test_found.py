"""Do the differences that were found once stay away? One small history each, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.differential.pair import Pair

COLLECTION = {"vectors": {"size": 1, "distance": "Dot"}}
POINTS = [{"id": n, "vector": [float(n)], "payload": {"colour": "red" if n < 3 else "blue"}} for n in range(1, 6)]


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Pair(COLLECTION) as pair:
        pair.update({"upsert": {"points": POINTS}})
        yield pair


@pytest.mark.parametrize(
    "operation",
    [
        {"clear_payload": {"points": [9]}},
        {"delete_vectors": {"points": [9], "vector": [""]}},
        {"update_vectors": {"points": [{"id": 9, "vector": [1.0]}], "update_filter": {"must": [{"has_id": [1]}]}}},
        {"delete": {"points": [9]}},
    ],
)
def test_ids_that_do_not_exist(pair: Pair, operation: dict[str, Any]) -> None:
    pair.update(operation)


@pytest.mark.parametrize("clause", ["should", "min_should", "must", "must_not"])
def test_filters_of_query_and_prefetch_are_joined_by_clause(pair: Pair, clause: str) -> None:
    """Of two `should` lists one alternative suffices, be it of the query or of its prefetch."""
    conditions: list[Any] = [[{"has_id": [1, 4]}], [{"key": "colour", "match": {"value": "blue"}}]]
    if clause == "min_should":
        conditions = [{"conditions": one, "min_count": 1} for one in conditions]
    outer, inner = ({clause: one} for one in conditions)
    prefetch = {"query": [1.0], "limit": 10, "filter": inner}
    pair.ask("query", {"query": [1.0], "prefetch": [prefetch], "filter": outer, "limit": 10})
    found = pair.product.ask("query", {"query": [1.0], "prefetch": [prefetch], "filter": outer, "limit": 10})["points"]
    expected = {"should": [5, 4, 3, 1], "min_should": [5, 4, 3, 1], "must": [4], "must_not": [2]}
    assert [point["id"] for point in found] == expected[clause]


def test_vectors_come_and_go(pair: Pair) -> None:
    """A vector added to a collection that has points, taken away again, and added once more: it is empty then."""
    new: list[dict[str, Any]] = [
        {"create_vector": {"name": "new", "dense": {"size": 2, "distance": "Euclid"}}},
        {"create_vector": {"name": "terms", "sparse": {"modifier": "idf"}}},
    ]
    vectors = {"new": [1.0, 2.0], "terms": {"indices": [3, 1], "values": [1.0, 0.5]}}
    for _ in range(2):
        for operation in new:
            pair.update(operation)
        pair.ask("count", {"filter": {"must": [{"has_vector": "new"}]}})
        pair.update({"update_vectors": {"points": [{"id": 2, "vector": vectors}]}})
        pair.ask("query", {"query": [0.0, 0.0], "using": "new", "with_vector": True})
        pair.ask("query", {"query": {"indices": [1], "values": [1.0]}, "using": "terms"})
        for name in vectors:
            pair.update({"drop_vector": {"name": name}})
        pair.update({"upsert": {"points": [{"id": 2, "vector": [7.0]}]}})


def test_discovery_tells_zeros_apart(pair: Pair) -> None:
    """Products that are all -0 sum up to -0, and that is farther than 0."""
    pair.update({"upsert": {"points": [{"id": 1, "vector": [0.0]}]}})
    for positive, negative in ([0.0], [-1.0]), ([-1.0], [0.0]), ([-1.0], [-2.0]):
        discover = {"target": [0.0], "context": {"positive": positive, "negative": negative}}
        pair.ask("query", {"query": {"discover": discover}})
