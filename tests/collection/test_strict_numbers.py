"""Strict mode limits numbers and exact searches with Qdrant's texts, at its boundaries.

Texts and rules: `lib/collection/src/operations/verification/` of Qdrant's source.
"""

from __future__ import annotations

from typing import Any

import pytest

from qdlite.database import RequestContext
from qdlite.errors import BadRequest
from qdlite.models.collections import UpdateCollection, VectorNameConfig
from tests.collection.strict import (
    BODIES,
    NAME,
    POINTS,
    QUERY,
    Limits,
    Make,
    Strict,
    body,
    exceeded,
    matching,
    point,
)

NUMBERS: list[tuple[Limits, str, dict[str, Any], dict[str, Any], str]] = [
    ({"max_query_limit": 4}, "query", {"limit": 4}, {"limit": 5}, exceeded(5, 4, "limit")),
    ({"max_query_limit": 9}, "query", {"limit": 9}, {}, exceeded(10, 9, "limit")),
    (
        {"max_query_limit": 4},
        "query",
        {"prefetch": {"query": QUERY, "limit": 4}, "query": QUERY, "limit": 1},
        {"prefetch": {"query": QUERY, "limit": 5}, "query": QUERY, "limit": 1},
        exceeded(5, 4, "limit"),
    ),
    (
        {"max_query_limit": 4},
        "query",
        {
            "prefetch": {"prefetch": {"query": QUERY, "limit": 4}, "query": QUERY, "limit": 4},
            "query": QUERY,
            "limit": 1,
        },
        {"prefetch": {"prefetch": {"query": QUERY}, "query": QUERY, "limit": 4}, "query": QUERY, "limit": 1},
        exceeded(10, 4, "limit"),
    ),
    (
        {"max_query_limit": 6},
        "query_groups",
        {"group_by": "n", "limit": 2},
        {"group_by": "n", "limit": 2, "group_size": 4},
        exceeded(8, 6, "limit"),
    ),
    (
        {"max_query_limit": 29},
        "query_groups",
        {"group_by": "n", "limit": 9},
        {"group_by": "n"},
        exceeded(30, 29, "limit"),
    ),
    (
        {"max_query_limit": 4},
        "query_batch",
        {"searches": [{"limit": 4}, {"limit": 3}]},
        {"searches": [{"limit": 4}, {"limit": 7}]},
        exceeded(7, 4, "limit"),
    ),
    ({"max_query_limit": 4}, "scroll", {"limit": 4}, {"limit": 5}, exceeded(5, 4, "limit")),
    (
        {"max_query_limit": 6},
        "matrix_pairs",
        {"sample": 3, "limit": 2},
        {"sample": 3, "limit": 3},
        exceeded(9, 6, "limit"),
    ),
    ({"max_query_limit": 6}, "matrix_offsets", {"sample": 6}, {"sample": 7}, exceeded(7, 6, "limit")),
    ({"max_query_limit": 2}, "matrix_offsets", {"limit": 2}, {"limit": 3}, exceeded(3, 2, "limit")),
    (
        {"search_max_hnsw_ef": 64},
        "query",
        {"query": QUERY, "params": {"hnsw_ef": 64}},
        {"query": QUERY, "params": {"hnsw_ef": 65}},
        exceeded(65, 64, "hnsw_ef"),
    ),
    (
        {"search_max_oversampling": 2.0},
        "query",
        {"query": QUERY, "params": {"quantization": {"oversampling": 2}}},
        {"query": QUERY, "params": {"quantization": {"oversampling": 2.5}}},
        exceeded(2.5, 2, "oversampling"),
    ),
    (
        {"search_max_oversampling": 2},
        "query_groups",
        {"query": QUERY, "group_by": "n", "params": {"hnsw_ef": 1}},
        {"query": QUERY, "group_by": "n", "params": {"quantization": {"oversampling": 1e6}}},
        exceeded(1000000, 2, "oversampling"),
    ),
    (
        {"search_max_batchsize": 2},
        "query_batch",
        {"searches": [{}, {}]},
        {"searches": [{}, {}, {}]},
        exceeded(3, 2, "search batch size"),
    ),
    (
        {"upsert_max_batchsize": 2},
        "upsert",
        {"points": [point(1), point(2)]},
        {"points": [point(1), point(1), point(1)]},
        exceeded(3, 2, "upsert limit"),
    ),
    (
        {"upsert_max_batchsize": 1},
        "upsert",
        {"batch": {"ids": [1], "vectors": [[1, 2]]}},
        {"batch": {"ids": [1, 2], "vectors": [[1, 2], [1, 2]]}},
        exceeded(2, 1, "upsert limit"),
    ),
    (
        {"upsert_max_batchsize": 1},
        "update_vectors",
        {"points": [{"id": 1, "vector": [1, 2]}]},
        {"points": [{"id": 1, "vector": [1, 2]}, {"id": 2, "vector": [1, 2]}]},
        exceeded(2, 1, "update limit"),
    ),
]


@pytest.mark.parametrize(("limits", "name", "passes", "fails", "text"), NUMBERS)
def test_numbers(
    make: Make, limits: Limits, name: str, passes: dict[str, Any], fails: dict[str, Any], text: str
) -> None:
    strict = make(**limits)
    strict.call(name, **passes)
    assert strict.refusal(name, **fails) == text
    strict.limit(enabled=False)
    strict.call(name, **fails)


def test_scroll_and_facet_without_a_limit_are_not_compared(make: Make) -> None:
    strict = make(max_query_limit=1)
    assert len(strict.call("scroll").points) == POINTS
    strict.call("create_field_index", field_name="word", field_schema="keyword")
    assert len(strict.call("facet", key="word")) == 2
    assert strict.refusal("facet", key="word", limit=2) == exceeded(2, 1, "limit")


def test_prefetches_of_groups_are_not_looked_at(make: Make) -> None:
    strict = make(max_query_limit=3, search_allow_exact=False)
    prefetch = {"query": QUERY, "limit": 100, "params": {"exact": True}}
    assert strict.call("query_groups", prefetch=prefetch, query=QUERY, group_by="n", limit=1).groups


@pytest.mark.parametrize("name", ["retrieve", "count", "query", "scroll", "delete", "upsert", "create_field_index"])
def test_timeouts_of_any_call(make: Make, name: str) -> None:
    strict = make(max_timeout=3)
    bodies: dict[str, dict[str, Any]] = {
        "retrieve": {"ids": [1]},
        "delete": {"points": [1]},
        "upsert": {"points": [point(1)]},
        "create_field_index": {"field_name": "n", "field_schema": "integer"},
    }
    request = body(BODIES[name], bodies.get(name, {}))
    call = getattr(strict.database, name)
    call(NAME, request, context=RequestContext(timeout=3))
    with pytest.raises(BadRequest) as caught:
        call(NAME, request, context=RequestContext(timeout=4.0))
    assert str(caught.value) == exceeded(4, 3, "timeout")


def test_timeouts_of_single_points_and_vector_names(make: Make) -> None:
    strict, late = make(max_timeout=3), RequestContext(timeout=4)
    config = body(VectorNameConfig, {"dense": {"size": 2, "distance": "Dot"}})
    for call in (
        lambda: strict.database.get_point(NAME, 1, late),
        lambda: strict.database.create_vector_name(NAME, "new", config, True, late),
    ):
        with pytest.raises(BadRequest, match='4 > 3 for "timeout"'):
            call()


# Exact searches


EXACT = "Bad request: Exact search disabled!. Help: Set exact=false."


@pytest.mark.parametrize(
    ("name", "passes", "fails"),
    [
        ("query", {"query": QUERY, "params": {"exact": False}}, {"query": QUERY, "params": {"exact": True}}),
        ("count", {"exact": False}, {"exact": True}),
        ("count", {"exact": False}, {}),
        ("facet", {"key": "word"}, {"key": "word", "exact": True}),
        (
            "query",
            {"prefetch": {"query": QUERY}, "query": QUERY},
            {"prefetch": {"query": QUERY, "params": {"exact": True}}, "query": QUERY},
        ),
    ],
)
def test_exact(make: Make, name: str, passes: dict[str, Any], fails: dict[str, Any]) -> None:
    strict = make()
    strict.call("create_field_index", field_name="word", field_schema="keyword")
    strict.limit(search_allow_exact=False)
    strict.call(name, **passes)
    assert strict.refusal(name, **fails) == EXACT
    strict.limit(search_allow_exact=True)
    strict.call(name, **fails)


NO_GLOBAL = (
    "Bad request: Request is forbidden{where} because global vector indexing is disabled (hnsw_config.m = 0). Help: "
    "Use tenant-specific filter, enable global vector indexing or enable strict mode `search_allow_exact` option"
)
NO_PAYLOAD = (
    "Bad request: Request is forbidden because vector indexing is disabled (hnsw_config.m = 0 and "
    "hnsw_config.payload_m = 0). Help: Enable vector indexing, use a prefetch query with indexed vectors or enable "
    "strict mode `search_allow_exact` option"
)
TENANT = {"filter": matching("word", "odd")}


@pytest.fixture
def unindexed(make: Make) -> Strict:
    """No graph over all points, but tenants in `word`."""
    strict = make(search_allow_exact=False)
    patch = {"hnsw_config": {"m": 0, "payload_m": 16}}
    strict.database.update_collection(NAME, body(UpdateCollection, patch))
    strict.call("create_field_index", field_name="n", field_schema="integer")
    strict.call("create_field_index", field_name="word", field_schema={"type": "keyword", "is_tenant": True})
    return strict


@pytest.mark.parametrize(
    "query",
    [
        QUERY,
        {"nearest": QUERY, "mmr": {}},
        {"recommend": {"positive": [1]}},
        {"discover": {"target": 1, "context": []}},
        {"context": [{"positive": 1, "negative": 2}]},
        3,
    ],
)
def test_searches_without_a_graph(unindexed: Strict, query: Any) -> None:
    text = NO_GLOBAL.format(where="")
    assert unindexed.refusal("query", query=query) == text
    assert unindexed.refusal("query", query=query, filter=matching("n", 1)) == text
    assert unindexed.refusal("query", prefetch={"query": query}, query={"fusion": "rrf"}) == text
    assert unindexed.refusal("query_groups", query=query, group_by="n") == text
    unindexed.call("query", query=query, **TENANT)
    unindexed.call("query", prefetch={"query": query, **TENANT}, query=QUERY)


@pytest.mark.parametrize("query", [None, {"sample": "random"}, {"order_by": "n"}])
def test_queries_that_search_no_vector_need_no_graph(unindexed: Strict, query: Any) -> None:
    unindexed.call("query", query=query)
    unindexed.call("query", prefetch={"query": query}, query=QUERY)


def test_the_graph_of_each_vector_counts(unindexed: Strict) -> None:
    assert unindexed.refusal("query", query=[[1, 1]], using="multi") == NO_GLOBAL.format(where=" on 'multi'")
    unindexed.call("query", query={"indices": [1], "values": [1]}, using="sparse")
    patch = {"vectors": {"multi": {"hnsw_config": {"m": 8}}}}
    unindexed.database.update_collection(NAME, body(UpdateCollection, patch))
    unindexed.call("query", query=[[1, 1]], using="multi")


def test_tenants_need_a_graph_too(unindexed: Strict) -> None:
    unindexed.database.update_collection(NAME, body(UpdateCollection, {"hnsw_config": {"payload_m": 0}}))
    assert unindexed.refusal("query", query=QUERY, **TENANT) == NO_PAYLOAD
    within = {"filter": {"should": {"must": {"key": "word", "match": {"value": "odd"}}}}}
    assert unindexed.refusal("query", query=QUERY, **within) == NO_PAYLOAD
