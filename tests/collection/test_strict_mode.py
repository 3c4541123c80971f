"""Strict mode is what its configuration says, and a refused request has changed nothing."""

from __future__ import annotations

from typing import Any

import pytest

from qdlite.database import Database, RequestContext
from qdlite.errors import BadRequest
from qdlite.models.collections import CreateCollection, StrictModeConfig, UpdateCollection
from qdlite.models.points import UpsertPoints
from qdlite.models.query import QueryRequest
from tests.collection.strict import (
    NAME,
    POINTS,
    QUERY,
    Make,
    body,
    exceeded,
    matching,
    point,
)


def test_nothing_is_enforced_unless_enabled(make: Make) -> None:
    strict = make()
    limits = {"max_query_limit": 1, "upsert_max_batchsize": 0, "write_rate_limit": 1, "filter_max_conditions": 0}
    for enabled in ({}, {"enabled": False}):
        patch = {"strict_mode_config": {**limits, **enabled}}
        strict.database.update_collection(NAME, body(UpdateCollection, patch))
        strict.call("upsert", points=[point(1), point(2)])
        strict.call("query", limit=5, filter=matching("n", 1))


def test_enabled_without_limits_refuses_nothing(make: Make) -> None:
    strict = make()
    strict.limit()
    strict.call("query", query=QUERY, limit=1000, filter=matching("n", 1), params={"exact": True})
    strict.call("delete", filter=matching("n", 1))


def test_changes_merge_and_null_does_not_unset(make: Make) -> None:
    strict = make(max_query_limit=4, upsert_max_batchsize=1)
    strict.limit(upsert_max_batchsize=2, max_query_limit=None)
    assert strict.database.get_collection(NAME).config.strict_mode_config == StrictModeConfig(
        enabled=True, max_query_limit=4, upsert_max_batchsize=2
    )
    assert strict.refusal("query", limit=5) == exceeded(5, 4, "limit")
    strict.call("upsert", points=[point(1), point(2)])
    strict.database.update_collection(NAME, body(UpdateCollection, {"hnsw_config": {"m": 8}}))
    assert strict.refusal("query", limit=5) == exceeded(5, 4, "limit")


def test_limits_given_at_creation() -> None:
    with Database() as database:
        limits = {"enabled": True, "upsert_max_batchsize": 1}
        database.create_collection(NAME, body(CreateCollection, {"strict_mode_config": limits}))
        points = [{"id": number, "vector": {}} for number in range(2)]
        with pytest.raises(BadRequest, match="upsert limit"):
            database.upsert(NAME, body(UpsertPoints, {"points": points}))


def test_a_batch_is_checked_before_any_of_it_is_applied(make: Make) -> None:
    strict = make(upsert_max_batchsize=1)
    operations = [{"delete": {"points": [1]}}, {"upsert": {"points": [point(20), point(21)]}}]
    version = strict.database.collection(NAME).version
    assert strict.refusal("batch_update", operations=operations) == exceeded(2, 1, "upsert limit")
    assert (strict.count(), strict.database.collection(NAME).version) == (POINTS, version)
    assert strict.call("batch_update", operations=[]) == []


def test_limits_come_before_inference(make: Make) -> None:
    strict = make(upsert_max_batchsize=1)
    document = {"text": "a", "model": "there is no such model"}
    points = [{"id": number, "vector": {"multi": document}} for number in range(2)]
    assert strict.refusal("upsert", points=points) == exceeded(2, 1, "upsert limit")
    assert "no such model" in strict.refusal("upsert", points=points[:1])


def test_of_several_broken_limits_one_is_named_as_in_qdrant(make: Make) -> None:
    strict = make(max_query_limit=1, unindexed_filtering_retrieve=False, search_max_hnsw_ef=1, max_timeout=1)
    strict.limit(search_allow_exact=False)
    request: dict[str, Any] = {"query": QUERY, "limit": 2, "filter": matching("n", 1)}
    request["params"] = {"exact": True, "hnsw_ef": 2}
    repairs: list[tuple[str, dict[str, Any]]] = [
        ('"limit"', {"limit": 1}),
        ('found for "n"', {"filter": None}),
        ('"hnsw_ef"', {"params": {"exact": True}}),
        ("Exact search", {"params": None}),
        ('"timeout"', {}),
    ]
    for text, repair in repairs:
        with pytest.raises(BadRequest, match=text):
            strict.database.query(NAME, body(QueryRequest, request), RequestContext(timeout=2))
        request.update(repair)
    strict.call("query", **request)
