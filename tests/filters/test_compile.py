"""Masks as such: their shape, their memory, and how often payloads are looked at for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from qdlite.errors import MalformedBody
from qdlite.filters.compile import mask
from qdlite.models.common import JsonObject
from qdlite.payload.masks import MaskCache
from qdlite.payload.store import PayloadStore
from qdlite.payload.tables import HIDDEN_LIMIT
from tests.filters.stage import Stage

RED: dict[str, Any] = {"must": [{"key": "color", "match": {"value": "red"}}]}
POINTS: list[dict[str, Any]] = [
    {"color": "red", "size": 1, "parts": [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]},
    {"color": "green", "size": 2.5},
    {"color": ["green", "red"], "parts": [{"x": 1, "y": "b"}]},
    {},
]


def both_parts(x: int, y: str) -> dict[str, Any]:
    inner = {"must": [{"key": "x", "match": {"value": x}}, {"key": "y", "match": {"value": y}}]}
    return {"must": [{"nested": {"key": "parts", "filter": inner}}]}


def test_no_filter_is_every_living_point() -> None:
    stage = Stage(POINTS)
    stage.delete([2])
    found = mask(None, stage)
    assert found.tolist() == [True, False, True, True]
    assert not found.flags.writeable


def test_masks_are_read_only_and_remembered() -> None:
    stage = Stage(POINTS)
    found = stage.mask(RED)
    assert found.tolist() == [True, False, True, False]
    with pytest.raises(ValueError, match="read-only"):
        found[0] = False
    assert stage.mask(RED) is found
    stage.upsert({2: {"color": "red"}})
    assert stage.mask(RED).tolist() == [True, True, True, False]
    assert found.tolist() == [True, False, True, False]


def test_a_new_index_makes_masks_anew() -> None:
    stage = Stage([{"n": 1.0}, {"n": 1}])
    one = {"must": [{"key": "n", "match": {"value": 1}}]}
    assert stage.matching(one) == [2]
    stage.create_index("n", "integer")
    assert stage.matching(one) == [1, 2]
    stage.fields.drop("n")
    assert stage.matching(one) == [2]


def test_alive_may_have_another_length() -> None:
    stage = Stage(POINTS)
    stage.alive = np.append(stage.alive, [True] * 60)
    assert len(stage.mask(RED)) == 4
    stage.alive = np.array([True])
    stage.version += 1
    assert stage.mask(RED).tolist() == [True, False, False, False]


def test_conditions_of_one_element() -> None:
    stage = Stage(POINTS)
    assert stage.matching(both_parts(1, "a")) == [1]
    assert stage.matching(both_parts(1, "b")) == [3]
    assert stage.matching(both_parts(2, "a")) == []


def test_nothing_is_known_of_points_inside_nested() -> None:
    stage = Stage(POINTS)
    for condition in ({"has_id": [1]}, {"has_vector": ""}, {"slice": {"total": 1, "index": 0}}):
        assert stage.matching({"must": [{"nested": {"key": "parts", "filter": {"must": [condition]}}}]}) == []
        assert stage.matching({"must": [{"nested": {"key": "parts", "filter": {"must_not": [condition]}}}]}) == [1, 3]


def test_an_empty_should_is_no_constraint_except_inside_nested() -> None:
    stage = Stage(POINTS)
    assert stage.matching({"should": []}) == [1, 2, 3, 4]
    assert stage.matching({"must": [{"nested": {"key": "parts", "filter": {"should": []}}}]}) == []


def test_bad_paths_and_dates_are_named() -> None:
    stage = Stage(POINTS)
    with pytest.raises(MalformedBody, match="Invalid json path: 'a b'"):
        stage.mask({"must": [{"key": "a b", "match": {"value": 1}}]})
    with pytest.raises(MalformedBody, match="'soon' does not match accepted datetime format"):
        stage.mask({"must": [{"key": "a", "range": {"gt": "soon"}}]})


def test_numbers_of_any_size_can_be_stored() -> None:
    huge = 10**400
    stage = Stage([{"n": huge}, {"n": -huge}, {"n": 2**64}, {"n": {"lon": huge, "lat": 0}}, {"n": 1}])
    assert stage.matching({"must": [{"key": "n", "range": {"gt": 5}}]}) == [1, 3]
    assert stage.matching({"must": [{"key": "n", "range": {"lt": 0}}]}) == [2]
    assert stage.matching({"must": [{"key": "n", "match": {"except": [1]}}]}) == [1, 2, 3, 4]
    stage.create_index("n", "integer")
    assert stage.matching({"must": [{"key": "n", "range": {"gt": 0}}]}) == [5]


class CountingStore(PayloadStore):
    """Counts the payloads that are decoded to build columns."""

    decoded = 0

    def items(self, key: str) -> Iterator[tuple[int, JsonObject]]:
        for item in super().items(key):
            self.decoded += 1
            yield item


def counted(points: list[dict[str, Any]]) -> tuple[Stage, CountingStore]:
    stage = Stage(points)
    store = CountingStore()
    store.__dict__.update(stage.store.__dict__)
    stage.fields.table._store = store
    return stage, store


def test_no_payload_is_looked_at_twice_for_one_field() -> None:
    stage, store = counted([{"color": "red", "size": number} for number in range(50)])
    stage.matching(RED)
    assert store.decoded == 50
    for color in ("red", "green", "blue"):
        stage.matching({"must_not": [{"key": "color", "match": {"value": color}}]})
    stage.matching({"must": [{"is_empty": {"key": "color"}}, {"key": "color", "values_count": {"gt": 0}}]})
    assert store.decoded == 50


def test_elements_are_looked_at_once_for_each_inner_field() -> None:
    stage, store = counted([{"parts": [{"x": number, "y": "a"}] * 3} for number in range(40)])
    for x in range(5):
        stage.matching(both_parts(x, "a"))
    assert store.decoded == 3 * 40  # the table of elements, `x`, and `y`


def test_writes_touch_only_what_is_written() -> None:
    stage, store = counted([{"color": "red"} for _ in range(50)])
    assert not stage.fields.active
    stage.upsert({1: {"color": "green"}})
    assert not stage.fields.active
    stage.matching(RED)
    assert stage.fields.active
    before = store.decoded
    stage.upsert({2: {"color": "green"}, 3: {}})
    stage.delete([4])
    assert len(stage.matching(RED)) == 46
    assert store.decoded == before


def test_rewriting_points_does_not_pile_up_entries() -> None:
    stage = Stage([{"color": "red", "parts": [{"x": 1}] * 4} for _ in range(300)])
    stage.matching(RED)
    for turn in range(20):
        stage.matching(both_parts(1, "a"))
        stage.upsert({point_id: {"color": f"c{turn}", "parts": [{"x": turn}] * 4} for point_id in range(1, 301)})
    column = stage.fields.table.columns[next(iter(stage.fields.table.columns))]
    assert len(column.strings) < 2000
    assert len(column.texts) < 20
    assert stage.matching({"must": [{"key": "color", "match": {"any": ["c19", "c3"]}}]}) == list(range(1, 301))
    assert all(child.extent < 5000 for child in stage.fields.table.children.values())
    inner = {"must": [{"key": "x", "match": {"value": 19}}]}
    assert len(stage.matching({"must": [{"nested": {"key": "parts", "filter": inner}}]})) == 300


def test_hidden_columns_are_limited_and_indexes_stay() -> None:
    stage = Stage([{"color": "red"}, {"f0": 1}], {"color": "keyword"})
    for number in range(2 * HIDDEN_LIMIT):
        stage.matching({"must": [{"key": f"f{number}", "match": {"value": 1}}]})
    assert len(stage.fields.table.columns) <= HIDDEN_LIMIT + 1
    stage.upsert({2: {"color": "red"}})
    assert stage.matching(RED) == [1, 2]
    assert stage.matching({"must": [{"key": "f0", "match": {"value": 1}}]}) == []


def test_many_readers_build_each_column_once() -> None:
    stage, store = counted([{"a": number, "b": str(number), "d": "2024-01-01"} for number in range(500)])
    wanted = [
        {"must": [{"key": "a", "range": {"gte": 250}}]},
        {"must": [{"key": "b", "match": {"value": "7"}}]},
        {"must": [{"key": "d", "range": {"gte": "2023-01-01"}}]},
    ]
    results: list[list[int]] = []
    start = threading.Barrier(8)

    def read() -> None:
        start.wait()
        results.append([len(stage.matching(filter)) for filter in wanted])

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[250, 1, 500]] * 8
    assert store.decoded == 3 * 500


def test_the_memory_of_masks_is_bounded() -> None:
    cache = MaskCache(capacity=1000)
    for number in range(10):
        cache.put(number, np.zeros(300, np.bool_))
        cache.get(0)
    assert [number for number in range(10) if cache.get(number) is not None] == [0, 8, 9]
    cache.put("huge", np.zeros(2000, np.bool_))
    assert cache.get("huge") is None
    assert cache.get(0) is not None
