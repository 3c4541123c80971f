"""Do filters match the same points as in Qdrant's engine, with and without payload indexes?"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.filters.oracle import Oracle, against_engine
from tests.filters.stage import Stage
from tests.filters.strategies import filters, indexes, payloads, simple_conditions, text_filters

some_payloads = st.lists(payloads, min_size=1, max_size=12)
single = simple_conditions[False].map(lambda condition: {"must": [condition]})
some_conditions = st.lists(single, min_size=10, max_size=20)
some_filters = st.lists(filters(False, 3), min_size=1, max_size=5)


def agree(points: list[dict[str, Any]], fields: dict[str, Any], wanted: list[dict[str, Any]]) -> None:
    """Both engines find the same points by each filter; `fields` have payload indexes."""
    stage = Stage(points, fields)
    with Oracle(points, fields) as oracle:
        for filter in wanted:
            assert stage.matching(filter) == oracle.matching(filter), json.dumps(filter)


@against_engine
@given(some_payloads, some_conditions)
def test_conditions_without_indexes(points: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    agree(points, {}, wanted)


@against_engine
@given(some_payloads, indexes, some_conditions)
def test_conditions_with_indexes(
    points: list[dict[str, Any]], fields: dict[str, Any], wanted: list[dict[str, Any]]
) -> None:
    agree(points, fields, wanted)


text_schemas = st.sampled_from(
    [
        "text",
        {"type": "text", "phrase_matching": True},
        {"type": "text", "phrase_matching": True, "lowercase": False, "min_token_len": 3},
    ]
)


@against_engine
@given(some_payloads, text_schemas, text_schemas, st.lists(text_filters, min_size=5, max_size=15))
def test_text_conditions(points: list[dict[str, Any]], one: Any, other: Any, wanted: list[dict[str, Any]]) -> None:
    """With a full-text index. (Without one this is Qdrant 1.19, where the engine asked is newer.)"""
    agree(points, {"a": one, "n[].x": other}, wanted)


@against_engine
@given(some_payloads, some_filters)
def test_filters_without_indexes(points: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    agree(points, {}, wanted)


@against_engine
@given(some_payloads, indexes, some_filters)
def test_filters_with_indexes(
    points: list[dict[str, Any]], fields: dict[str, Any], wanted: list[dict[str, Any]]
) -> None:
    agree(points, fields, wanted)


@against_engine
@given(some_payloads, indexes, some_filters, st.dictionaries(st.integers(1, 8), payloads), st.sets(st.integers(1, 8)))
def test_filters_after_changes(
    points: list[dict[str, Any]],
    fields: dict[str, Any],
    wanted: list[dict[str, Any]],
    changes: dict[int, dict[str, Any]],
    removed: set[int],
) -> None:
    """Columns that exist before points are rewritten and deleted are as good as columns built afterwards."""
    changes = {point_id: payload for point_id, payload in changes.items() if point_id <= len(points)}
    stage = Stage(points, fields)
    for filter in wanted:
        stage.matching(filter)
    stage.upsert(changes)
    gone = sorted(point_id for point_id in removed if point_id <= len(points))
    stage.delete(gone)
    final = [changes.get(point_id, payload) for point_id, payload in enumerate(points, 1)]
    fresh = Stage(final, fields)
    fresh.delete(gone)
    for filter in wanted:
        assert stage.matching(filter) == fresh.matching(filter)
