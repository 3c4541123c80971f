"""The rate limiter counts like Qdrant's (`lib/common/common/src/rate_limiting.rs`); requests cost what they cost there.

A cost is measured from outside: a full bucket of that size admits the request, a smaller one does not.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.collection.limits.costs import query_cost
from qdlite.collection.rate_limiter import RateLimiter
from qdlite.errors import RateLimited
from qdlite.models.collections import CreateCollection, UpdateCollection, VectorNameConfig
from qdlite.models.points import UpsertPoints
from qdlite.queries.steps import ById, Compare, Nearest, Scope, Step, Tuning
from qdlite.types import SparseArray
from qdlite.vectors.index import SearchParams
from tests.collection.strict import NAME, POINTS, Strict, body, matching, point

TOO_LARGE = (
    "Rate limiting exceeded: {} rate limit exceeded, request larger than rate limiter capacity, "
    "please try to split your request"
)


PLAIN = Tuning(SearchParams())


class Clock:
    """Stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def refusal(limiter: RateLimiter, cost: int) -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        limiter.consume(cost)
    return caught.value


# The bucket


def test_a_bucket_starts_full_and_refills_steadily() -> None:
    clock = Clock()
    limiter = RateLimiter(60, "Read", clock)
    limiter.consume(60)
    assert refusal(limiter, 1).retry_after == 1
    clock.now += 0.5
    assert refusal(limiter, 1).retry_after == 1
    clock.now += 0.5
    limiter.consume(1)
    clock.now += 1000
    limiter.consume(60)
    refusal(limiter, 1)


def test_refused_requests_take_nothing() -> None:
    limiter = RateLimiter(10, "Write", Clock())
    limiter.consume(4)
    refusal(limiter, 7)
    refusal(limiter, 11)
    limiter.consume(6)


@pytest.mark.parametrize(
    ("used", "waited", "cost", "text", "seconds"),
    [
        (5, 0.0, 1, "requires 1 tokens but only 0.0 were available. Retry after 12s", 12),
        (5, 6.0, 1, "requires 1 tokens but only 0.5 were available. Retry after 6s", 6),
        (5, 6.1, 1, "requires 1 tokens but only 0.5 were available. Retry after 6s", 6),
        (2, 0.0, 5, "requires 5 tokens but only 3.0 were available. Retry after 24s", 24),
        (5, 11.99, 1, "requires 1 tokens but only 1.0 were available. Retry after 1s", 1),
    ],
)
def test_texts(used: int, waited: float, cost: int, text: str, seconds: int) -> None:
    clock = Clock()
    limiter = RateLimiter(5, "Write", clock)
    limiter.consume(used)
    clock.now += waited
    error = refusal(limiter, cost)
    assert str(error) == f"Rate limiting exceeded: Write rate limit exceeded: Operation {text}"
    assert error.retry_after == seconds


def test_too_large_a_request_is_not_worth_repeating() -> None:
    error = refusal(RateLimiter(5, "Read", Clock()), 6)
    assert (str(error), error.retry_after) == (TOO_LARGE.format("Read"), None)


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(0, 60), st.floats(0, 30)), max_size=40),
)
def test_never_more_than_capacity_and_refill(per_minute: int, requests: list[tuple[int, float]]) -> None:
    clock = Clock()
    limiter, admitted = RateLimiter(per_minute, "Read", clock), 0
    for cost, pause in requests:
        clock.now += pause
        try:
            limiter.consume(cost)
            admitted += cost
        except RateLimited as error:
            assert (error.retry_after is None) == (cost > per_minute)
            if error.retry_after is not None:
                assert 0 < error.retry_after <= 60
        assert admitted <= per_minute + (clock.now - 100) * per_minute / 60 + 1e-6


@given(st.integers(1, 100), st.integers(1, 100))
def test_after_waiting_as_told_a_request_is_admitted(per_minute: int, cost: int) -> None:
    clock = Clock()
    limiter = RateLimiter(per_minute, "Read", clock)
    limiter.consume(per_minute)
    wait = refusal(limiter, cost).retry_after
    if wait is not None:
        clock.now += wait + 1e-3  # the waiting time is rounded to a float32
        limiter.consume(cost)


def test_threads_share_one_bucket() -> None:
    limiter, admitted = RateLimiter(1000, "Read", Clock()), []

    def work() -> None:
        for _ in range(400):
            try:
                limiter.consume(1)
            except RateLimited:
                continue
            admitted.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 1000


# What requests cost


def assert_cost(strict: Strict, kind: str, cost: int, name: str, **content: Any) -> None:
    limit = "read_rate_limit" if kind == "Read" else "write_rate_limit"
    if cost > 1:
        strict.freeze(**{limit: cost - 1})
        assert f"{kind} rate limit exceeded" in strict.refusal(name, **content)
    strict.freeze(**{limit: cost})
    strict.call(name, **content)
    if cost:
        assert f"{kind} rate limit exceeded: Operation requires" in strict.refusal(name, **content)


CONDITIONS = {"must": [{"has_id": [1, 2, 3]}, {"key": "n", "is_null": False}]}
PREFETCHES = [{"query": [1, 1]}, {"query": [[1, 1], [1, 2]], "using": "multi", "filter": CONDITIONS}]
EXAMPLES = {"positive": [[1, 1], [1, 2]], "negative": [[2, 1]]}
READS: list[tuple[int, str, dict[str, Any]]] = [
    (1, "query", {}),
    (1, "query", {"query": [1, 1]}),
    (3, "query", {"query": [1, 1], "filter": CONDITIONS}),
    (3, "query", {"query": [[1, 1], [1, 2], [1, 3]], "using": "multi"}),
    (1, "query", {"query": {"indices": list(range(64)), "values": [1] * 64}, "using": "sparse"}),
    (2, "query", {"query": {"indices": list(range(65)), "values": [1] * 65}, "using": "sparse"}),
    (1, "query", {"query": {"sample": "random"}}),
    (1, "query", {"query": {"nearest": [1, 1], "mmr": {"diversity": 0.5}}}),
    # Two vectors, both retrieved, and the condition that leaves them out of the results.
    (5, "query", {"query": {"recommend": {"positive": [1, 2], "strategy": "best_score"}}}),
    (3, "query", {"query": {"recommend": {**EXAMPLES, "strategy": "sum_scores"}}}),
    (1, "query", {"query": {"recommend": EXAMPLES}}),
    # The average of two retrieved ones.
    (4, "query", {"query": {"recommend": {"positive": [1, 2]}}}),
    (3, "query", {"query": {"discover": {"target": [1, 1], "context": {"positive": [1, 1], "negative": [1, 2]}}}}),
    (3, "query", {"query": 1}),
    (4, "query", {"query": 1, "using": "multi"}),
    (5, "query", {"prefetch": PREFETCHES, "query": {"fusion": "rrf"}}),
    (9, "query", {"prefetch": PREFETCHES, "query": [1, 1], "filter": CONDITIONS}),
    (2, "query_batch", {"searches": [{}, {"query": [1, 1]}]}),
    (2, "query_groups", {"group_by": "n", "query": [1, 1]}),
    (1, "scroll", {}),
    (3, "scroll", {"filter": CONDITIONS}),
    (1, "count", {}),
    (3, "count", {"filter": CONDITIONS}),
    (0, "retrieve", {"ids": []}),
    (3, "retrieve", {"ids": [1, 2, 2]}),
    (8, "matrix_pairs", {"sample": 3}),
    (10, "matrix_offsets", {"sample": 3, "filter": CONDITIONS}),
]


@pytest.mark.parametrize(("cost", "name", "content"), READS)
def test_read_costs(strict: Strict, cost: int, name: str, content: dict[str, Any]) -> None:
    assert_cost(strict, "Read", cost, name, **content)


def test_facets_and_single_points_cost_reads(strict: Strict) -> None:
    strict.call("create_field_index", field_name="word", field_schema="keyword")
    assert_cost(strict, "Read", 3, "facet", key="word", filter=CONDITIONS)
    strict.freeze(read_rate_limit=1)
    assert strict.database.get_point(NAME, 1).id == 1
    with pytest.raises(RateLimited):
        strict.database.get_point(NAME, 1)


def test_only_leaves_of_a_plan_cost() -> None:
    dense, sparse = np.ones(3, np.float32), SparseArray(np.arange(130, dtype=np.uint32), np.ones(130, np.float32))
    leaves = [
        Step(Nearest("", dense, PLAIN), 1, None, Scope()),
        Step(Compare("", (dense, dense, np.ones((4, 3), np.float32)), lambda a: a[0], PLAIN), 1, None, Scope()),
        Step(Nearest("", sparse, PLAIN), 1, None, Scope(excluded=frozenset({1, 2}))),
        Step(ById(), 1, None, Scope()),
    ]
    assert [query_cost([leaf]) for leaf in leaves] == [1, 6, 4, 1]
    fused = Step(ById(), 1, None, Scope(), (leaves[1],))
    root = Step(Nearest("", dense, PLAIN), 1, None, Scope(), (leaves[0], fused))
    assert query_cost([root, leaves[2]]) == 1 + 6 + 4


def test_examples_of_another_collection_cost_reads_there(strict: Strict) -> None:
    strict.database.create_collection("other", body(CreateCollection, {"vectors": {"size": 2, "distance": "Dot"}}))
    strict.database.upsert("other", body(UpsertPoints, {"points": [{"id": 1, "vector": [1, 1]}]}))
    request: dict[str, Any] = {"query": 1, "lookup_from": {"collection": "other"}}
    strict.freeze("other", read_rate_limit=1)
    strict.call("query", **request)
    assert "Read rate limit exceeded: Operation requires 1 " in strict.refusal("query", **request)
    strict.freeze("other", read_rate_limit=5)
    strict.freeze(read_rate_limit=1)
    strict.call("query", **request)
    assert "Read rate limit exceeded: Operation requires 1 " in strict.refusal("query", **request)


def test_records_looked_up_for_groups_cost_reads_there(strict: Strict) -> None:
    strict.database.create_collection("other", body(CreateCollection, {}))
    request: dict[str, Any] = {"group_by": "n", "limit": 2, "group_size": 1, "with_lookup": "other"}
    strict.freeze("other", read_rate_limit=2)
    strict.call("query_groups", **request)
    assert "Read rate limit exceeded: Operation requires 2 " in strict.refusal("query_groups", **request)


WRITES: list[tuple[int, str, dict[str, Any]]] = [
    (1, "upsert", {"points": [point(1)]}),
    (3, "upsert", {"points": [point(1), point(1), point(2)]}),
    (2, "upsert", {"batch": {"ids": [1, 2], "vectors": [[1, 2], [1, 2]]}}),
    (2, "update_vectors", {"points": [{"id": 1, "vector": [1, 2]}, {"id": 2, "vector": [1, 2]}]}),
    (3, "delete", {"points": [1, 2, 99]}),
    (2, "delete_vectors", {"points": [1, 2], "vector": [""]}),
    (2, "set_payload", {"points": [1, 2], "payload": {"a": 1}}),
    (2, "overwrite_payload", {"points": [1, 2], "payload": {"a": 1}, "filter": matching("n", 1)}),
    (2, "delete_payload", {"points": [1, 2], "keys": ["n"]}),
    (2, "clear_payload", {"points": [1, 2]}),
    # Without an index half of the points are expected.
    (5, "set_payload", {"filter": matching("n", 1), "payload": {"a": 1}}),
    (3, "set_payload", {"filter": {"must": [*matching("n", 1)["must"]] * 2}, "payload": {"a": 1}}),
    (8, "set_payload", {"filter": {"should": [*matching("n", 1)["must"]] * 2}, "payload": {"a": 1}}),
    (5, "set_payload", {"filter": {"must_not": matching("n", 1)["must"]}, "payload": {"a": 1}}),
    (1, "set_payload", {"filter": {"must": {"has_id": [7, 99]}}, "payload": {"a": 1}}),
    (8, "set_payload", {"filter": {"must_not": {"has_id": [7, 8]}}, "payload": {"a": 1}}),
    (10, "set_payload", {"filter": {"must": {"has_vector": "multi"}}, "payload": {"a": 1}}),
    (1, "set_payload", {"filter": {"must": {"has_vector": "none"}}, "payload": {"a": 1}}),
    (2, "set_payload", {"filter": {"must": {"slice": {"total": 4, "index": 0}}}, "payload": {"a": 1}}),
    (10, "set_payload", {"filter": {}, "payload": {"a": 1}}),
    (4, "set_payload", {"filter": {"must": {"should": [{"has_id": [1, 2]}, {"has_id": [3, 4]}]}}, "payload": {}}),
    (
        9,
        "set_payload",
        {"filter": {"min_should": {"conditions": matching("n", 1)["must"] * 4, "min_count": 1}}, "payload": {}},
    ),
    (
        1,
        "set_payload",
        {"filter": {"min_should": {"conditions": matching("n", 1)["must"], "min_count": 2}}, "payload": {}},
    ),
    (
        5,
        "set_payload",
        {"filter": {"must": {"nested": {"key": "a", "filter": matching("b", 1)}}}, "payload": {}},
    ),
]


@pytest.mark.parametrize(("cost", "name", "content"), WRITES)
def test_write_costs(strict: Strict, cost: int, name: str, content: dict[str, Any]) -> None:
    if cost > 1:
        strict.freeze(write_rate_limit=cost - 1)
        assert strict.refusal(name, **content) == TOO_LARGE.format("Write")
    strict.freeze(write_rate_limit=cost)
    strict.call(name, **content)
    assert "Operation requires 1 tokens but only 0.0 were" in strict.refusal("set_payload", points=[5], payload={})


def test_indexes_know_how_many_points_a_filter_matches(strict: Strict) -> None:
    strict.call("create_field_index", field_name="word", field_schema="keyword")
    strict.call("create_field_index", field_name="n", field_schema="integer")
    strict.call("create_field_index", field_name="list[].a", field_schema="integer")
    strict.call("set_payload", points=[1, 2, 3], payload={"list": [{"a": 1}, {"a": 2}]})
    set_a: dict[str, Any] = {"payload": {"a": 1}}
    assert_cost(strict, "Write", 5, "set_payload", filter=matching("word", "odd"), **set_a)
    assert_cost(strict, "Write", 1, "set_payload", filter=matching("n", 3), **set_a)
    assert_cost(strict, "Write", 7, "set_payload", filter={"must": {"key": "n", "range": {"lt": 7}}}, **set_a)
    nested = {"nested": {"key": "list", "filter": matching("a", 1)}}
    assert_cost(strict, "Write", 3, "set_payload", filter={"must": nested}, **set_a)
    assert_cost(strict, "Write", 7, "set_payload", filter={"must": {"is_empty": {"key": "list[].a"}}}, **set_a)


def test_changes_of_the_schema_cost_one(strict: Strict) -> None:
    strict.freeze(write_rate_limit=4)
    config = body(VectorNameConfig, {"dense": {"size": 2, "distance": "Dot"}})
    strict.call("create_field_index", field_name="n", field_schema="integer")
    strict.database.delete_field_index(NAME, "n")
    strict.database.create_vector_name(NAME, "new", config)
    strict.database.delete_vector_name(NAME, "new")
    with pytest.raises(RateLimited):
        strict.database.delete_field_index(NAME, "n")


# Limits of a collection


def test_reads_and_writes_have_buckets_of_their_own(strict: Strict) -> None:
    strict.freeze(read_rate_limit=2, write_rate_limit=1)
    strict.call("set_payload", points=[1], payload={"a": 1})
    strict.call("count")
    assert "Write rate limit exceeded: Operation" in strict.refusal("set_payload", points=[1], payload={})
    strict.call("count")
    assert "Read rate limit exceeded: Operation" in strict.refusal("count")


def test_refused_writes_change_nothing(strict: Strict) -> None:
    strict.freeze(write_rate_limit=2)
    version = strict.database.collection(NAME).version
    assert strict.refusal("delete", points=[1, 2, 3]) == TOO_LARGE.format("Write")
    assert (strict.count(), strict.database.collection(NAME).version) == (POINTS, version)


def test_a_batch_stops_where_the_rate_does(strict: Strict) -> None:
    strict.freeze(write_rate_limit=2)
    operations = [{"delete": {"points": [number]}} for number in range(3)]
    assert "Write rate limit exceeded: Operation requires 1" in strict.refusal("batch_update", operations=operations)
    assert strict.count() == POINTS - 2


def test_requests_against_other_limits_take_nothing(strict: Strict) -> None:
    strict.limit(read_rate_limit=1, write_rate_limit=1, max_query_limit=5, upsert_max_batchsize=1)
    assert "limit" in strict.refusal("query", limit=6)
    assert "limit" in strict.refusal("upsert", points=[point(1), point(2)])
    assert strict.refusal("delete", points=[]) == "Bad request: Empty update request"
    strict.call("query", limit=5)
    strict.call("upsert", points=[point(1)])


def test_configuring_strict_mode_fills_the_buckets(strict: Strict) -> None:
    strict.limit(write_rate_limit=1)
    set_a: dict[str, Any] = {"points": [1], "payload": {"a": 1}}
    strict.call("set_payload", **set_a)
    strict.refusal("set_payload", **set_a)
    strict.database.update_collection(NAME, body(UpdateCollection, {"hnsw_config": {"m": 8}}))
    strict.refusal("set_payload", **set_a)
    strict.limit(max_query_limit=1000)
    strict.call("set_payload", **set_a)
    assert "Write rate limit exceeded: Operation requires 1 tokens" in strict.refusal("set_payload", **set_a)
    strict.limit(enabled=False)
    for _ in range(5):
        strict.call("set_payload", **set_a)
