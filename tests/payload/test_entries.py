"""Do entries stay with their rows while rows are rewritten?"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qdlite.payload.entries import DEAD, Entries, Growing, ranges, rows_mask


def test_ranges() -> None:
    found = ranges(np.array([5, 0, 9]), np.array([2, 0, 3]))
    assert found.tolist() == [5, 6, 9, 10, 11]
    assert ranges(np.array([], int), np.array([], int)).tolist() == []


def test_growing_keeps_what_it_has() -> None:
    growing = Growing(np.int64)
    for number in range(100):
        growing.extend([number, number])
    assert growing.array.tolist() == [number for number in range(100) for _ in range(2)]


def test_dead_rows_are_in_no_mask() -> None:
    assert rows_mask(np.array([0, DEAD, 2]), 3).tolist() == [True, False, True]


changes = st.lists(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 5), max_size=3), max_size=4), max_size=8)


@given(changes, st.booleans())
def test_as_a_dict_of_lists(history: list[dict[int, list[int]]], compacting: bool) -> None:
    entries = Entries(np.int64)
    model: dict[int, list[int]] = {}
    for change in history:
        entries.remove(np.array(list(change), np.intp))
        entries.add(
            [row for row, values in change.items() for _ in values],
            [value for values in change.values() for value in values],
        )
        model.update(change)
        if compacting:
            entries.compact()
            assert entries.dead == 0
    for row, values in model.items():
        assert entries.values()[entries.at(np.array([row]))].tolist() == values
    for wanted in range(6):
        expected = [wanted in model.get(row, []) for row in range(10)]
        assert entries.mask(entries.values() == wanted, 10).tolist() == expected


def test_aligned_entries_and_others_give_the_same_mask() -> None:
    entries = Entries(np.int64)
    entries.add(range(5), [7, 8, 7, 8, 7])
    assert entries.mask(entries.values() == 7, 6).tolist() == [True, False, True, False, True, False]
    entries.remove(np.array([2]))
    entries.add([2], [8])
    assert entries.mask(entries.values() == 7, 6).tolist() == [True, False, False, False, True, False]
