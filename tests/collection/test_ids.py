"""Ids keep their offsets, and stand in Qdrant's order whatever was inserted and deleted before."""

from __future__ import annotations

from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qdlite.collection.ids import IdTracker
from qdlite.types import PointId

point_ids = st.one_of(
    st.integers(0, 40),
    st.sampled_from([2**63, 2**64 - 1]),
    st.integers(0, 12).map(lambda number: str(UUID(int=number << 100))),
)
changes = st.lists(st.tuples(st.booleans(), st.lists(point_ids, unique=True, max_size=6)), max_size=25)


def in_order(ids: set[PointId]) -> list[PointId]:
    """Numbers by value, then UUIDs."""
    numbers = sorted(point_id for point_id in ids if isinstance(point_id, int))
    return [*numbers, *sorted(point_id for point_id in ids if isinstance(point_id, str))]


@given(changes, st.booleans())
def test_ids_follow_a_plain_set(history: list[tuple[bool, list[PointId]]], look_often: bool) -> None:
    tracker, expected, removed = IdTracker(), set[PointId](), list[int]()
    for version, (add, ids) in enumerate(history, 1):
        if add:
            offsets, existed = tracker.assign(ids, version)
            assert existed == [point_id in expected for point_id in ids]
            assert tracker.versions[offsets].tolist() == [version] * len(ids)
            assert set(removed).isdisjoint(offsets)
            expected.update(ids)
        else:
            known = expected.intersection(ids)
            removed += tracker.remove(ids)
            assert {tracker.id_of(offset) for offset in removed[len(removed) - len(known) :]} == known
            expected.difference_update(ids)
        if look_often:
            tracker.release(removed)
            removed = []
            tracker.sorted_offsets()
    tracker.release(removed)
    assert len(tracker) == len(expected)
    assert tracker.ids_of(tracker.sorted_offsets().tolist()) == in_order(expected)
    assert np.count_nonzero(tracker.alive) == len(expected)
    for point_id in expected:
        offset = tracker.offset_of(point_id)
        assert offset is not None and tracker.id_of(offset) == point_id and tracker.alive[offset]


@given(st.lists(point_ids, unique=True), point_ids)
def test_order_starts_at_the_next_id(ids: list[PointId], start: PointId) -> None:
    tracker = IdTracker()
    tracker.assign(ids, 1)
    ordered = in_order({*ids, start})
    expected = [point_id for point_id in ordered[ordered.index(start) :] if point_id in ids]
    assert tracker.ids_of(tracker.sorted_offsets(start).tolist()) == expected


def test_a_freed_offset_is_used_again() -> None:
    tracker = IdTracker()
    tracker.assign([1, 2, 3], 1)
    freed = tracker.remove([2, 7])
    offsets, _ = tracker.assign([8], 2)
    assert offsets == [3]
    tracker.release(freed)
    offsets, _ = tracker.assign([9], 3)
    assert offsets == freed == [1]
    assert tracker.extent == 4
