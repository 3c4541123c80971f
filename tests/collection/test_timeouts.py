"""Callers who do not wait for ever are told when their time is over."""

from __future__ import annotations

from typing import Any

import pytest

from qdlite.database import RequestContext
from qdlite.errors import Timeout
from qdlite.models.points import UpsertPoints
from tests.collection.strict import (
    BODIES,
    NAME,
    POINTS,
    QUERY,
    Make,
    body,
    point,
)


def late_context(timeout: float, seconds: float) -> RequestContext:
    """A context whose time is `seconds` over once it exists."""
    moments = iter([0.0])
    return RequestContext(timeout=timeout, clock=lambda: next(moments, seconds))


READS_BY_OPERATION = [
    ("retrieve", {"ids": [1]}, "retrieve"),
    ("scroll", {}, "scroll_by_id"),
    ("count", {}, "count"),
    ("facet", {"key": "word"}, "facet"),
    ("query", {"query": QUERY}, "Search"),
    ("query_batch", {"searches": [{}]}, "Search"),
    ("query_groups", {"group_by": "n"}, "Search"),
    ("matrix_pairs", {}, "Search"),
]


@pytest.mark.parametrize(("name", "content", "operation"), READS_BY_OPERATION)
def test_reads_that_come_too_late(make: Make, name: str, content: dict[str, Any], operation: str) -> None:
    strict = make()
    strict.call("create_field_index", field_name="word", field_schema="keyword")
    request = body(BODIES[name], content)
    getattr(strict.database, name)(NAME, request, late_context(2, 2.0))
    with pytest.raises(Timeout) as caught:
        getattr(strict.database, name)(NAME, request, late_context(2, 2.1))
    assert str(caught.value) == f"Timeout: Timeout error: Operation '{operation}' timed out after 2s"


@pytest.mark.parametrize(("wait", "status"), [(True, "wait_timeout"), (False, "acknowledged")])
def test_updates_that_take_too_long(make: Make, wait: bool, status: str) -> None:
    strict = make()
    request = body(UpsertPoints, {"points": [point(POINTS)]})
    assert strict.database.upsert(NAME, request, wait, late_context(1, 1.5)).status == status
    assert strict.count() == POINTS + 1
    if wait:
        assert strict.database.upsert(NAME, request, wait, late_context(2, 1.5)).status == "completed"
