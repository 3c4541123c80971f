"""How are rows named to numpy at the least cost? By a slice where they follow each other, else by an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from qdlite.types import BoolArray, OffsetArray

Rows: TypeAlias = "OffsetArray | slice"


def span(offsets: OffsetArray) -> Rows:
    """The same rows as a slice if each follows the one before, as those of a single point and of fresh points do:
    numpy handles a slice several times faster."""
    if not len(offsets):
        return offsets
    first = int(offsets[0])
    last = first + len(offsets) - 1
    steady = last == first or (int(offsets[-1]) == last and bool((np.diff(offsets) == 1).all()))
    return slice(first, last + 1) if steady else offsets


def rows_at(offsets: Sequence[int]) -> Rows:
    """Distinct rows, given as a list."""
    if len(offsets) == 1:
        return slice(offsets[0], offsets[0] + 1)
    return span(np.array(offsets, np.intp))


def lone(at: Rows) -> int | None:
    """The row if there is but one, given as a slice: what is asked of one row needs no array."""
    return at.start if isinstance(at, slice) and at.stop - at.start == 1 else None


def is_run(ascending: OffsetArray) -> bool:
    """Whether each of these ascending offsets, if there are any, follows the one before."""
    return bool(len(ascending)) and int(ascending[-1]) - int(ascending[0]) + 1 == len(ascending)


def end(at: Rows) -> int:
    """One more than the highest row."""
    return at.stop if isinstance(at, slice) else int(at.max(initial=-1)) + 1


def within(at: Rows, length: int) -> Rows:
    """The rows that an array of this length has."""
    if isinstance(at, slice):
        return at if at.stop <= length else slice(at.start, length)
    return at[at < length]


def size(at: Rows) -> int:
    """How many rows are named."""
    return max(0, at.stop - at.start) if isinstance(at, slice) else len(at)


def listed(at: Rows) -> OffsetArray:
    """The same rows as an array."""
    return np.arange(at.start, at.stop) if isinstance(at, slice) else at


def parted(at: Rows, count: int) -> tuple[Rows, Rows]:
    """The first `count` rows, and the others."""
    if not isinstance(at, slice):
        return at[:count], at[count:]
    middle = min(at.start + count, at.stop)
    return slice(at.start, middle), slice(middle, at.stop)


def distinct(at: Rows, chosen: BoolArray) -> int:
    """How many rows are chosen, each counted once; `chosen` has one value for each row of `at`."""
    if isinstance(at, slice) or len(at) < 2:
        return int(np.count_nonzero(chosen))
    return len(np.unique(at[chosen]))
