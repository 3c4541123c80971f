"""How are many values of many rows kept in flat arrays that can grow, and from which rows can disappear?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from qdlite.types import BoolArray, OffsetArray

Array = NDArray[Any]

DEAD = -1
"""Row number of an entry whose row was rewritten. As an index it names the spare last element of a mask."""


_FEW = 8
"""Up to so many rows are handled one by one: a call of numpy costs as much as several of them."""


class Growing:
    """A one-dimensional array with room to grow; new elements are zero."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._room: Array = np.zeros(16, dtype)
        self.array: Array = self._room[:0]

    def __len__(self) -> int:
        return len(self.array)

    def resize(self, size: int) -> None:
        """Makes the array at least `size` long."""
        if size <= len(self.array):
            return
        if size > len(self._room):
            room = np.zeros(max(size, 2 * len(self._room)), self._room.dtype)
            room[: len(self.array)] = self.array
            self._room = room
        self.array = self._room[:size]

    def extend(self, values: Any) -> None:
        start = len(self.array)
        self.resize(start + len(values))
        self.array[start:] = values


def ranges(starts: Array, counts: Array) -> OffsetArray:
    """The numbers starts[i] .. starts[i] + counts[i] - 1 for each i, one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    shifts: OffsetArray = np.repeat(starts - (ends - counts), counts)
    return np.arange(total, dtype=np.intp) + shifts


class Entries:
    """Values of rows: entry e belongs to row `rows[e]` and holds `values[i][e]` for each of the given dtypes.

    The entries of a row stand together, in the order in which they were added.
    """

    def __init__(self, *dtypes: DTypeLike) -> None:
        self._rows = Growing(np.int32)
        self._values = [Growing(dtype) for dtype in dtypes]
        self._starts = Growing(np.int64)
        self._counts = Growing(np.int32)
        self.dead = 0
        self._aligned = True  # entry e belongs to row e, for all e

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def rows(self) -> NDArray[np.int32]:
        """Row of each entry, DEAD if it has none any more."""
        return self._rows.array

    def values(self, which: int = 0) -> Array:
        """One value per entry."""
        return self._values[which].array

    @property
    def counts(self) -> NDArray[np.int32]:
        """Number of entries of each row; may be shorter than the number of rows."""
        return self._counts.array

    @property
    def aligned(self) -> bool:
        """Whether each entry belongs to the row of its own number."""
        return self._aligned

    def add(self, rows: Any, *values: Any) -> None:
        """Appends entries of rows that have none; `rows` must be grouped."""
        if not len(rows):
            return
        if len(rows) <= _FEW:
            self._add_few(list(map(int, rows)), values)
            return
        start = len(self._rows)
        added = np.asarray(rows, np.int32)
        self._rows.extend(added)
        self._aligned = self._aligned and np.array_equal(added, np.arange(start, start + len(added)))
        for column, part in zip(self._values, values, strict=True):
            column.extend(part)
        size = int(added.max()) + 1
        self._starts.resize(size)
        self._counts.resize(size)
        is_other = added[1:] != added[:-1]
        if is_other.all():
            self._starts.array[added] = np.arange(start, start + len(added))
            self._counts.array[added] = 1
        else:
            first = np.concatenate([[0], np.flatnonzero(is_other) + 1])
            self._starts.array[added[first]] = first + start
            self._counts.array[added[first]] = np.diff(first, append=len(added))

    def at(self, rows: Array) -> OffsetArray:
        """Positions of the entries of the given rows, row by row."""
        known = rows[rows < len(self.counts)]
        return ranges(self._starts.array[known], self.counts[known])

    def first(self, row: int) -> int:
        """Position of the first entry of a row that has any."""
        return int(self._starts.array[row])

    def remove(self, rows: Array) -> None:
        """Forgets the entries of rows."""
        if not len(self.counts):
            return
        if len(rows) <= _FEW:
            self._remove_few(rows.tolist())
            return
        known = rows[rows < len(self.counts)]
        positions = self.at(known)
        if len(positions):
            self._aligned = False
            self._rows.array[positions] = DEAD
            self._counts.array[known] = 0
            self.dead += len(positions)

    def _add_few(self, rows: list[int], values: tuple[Any, ...]) -> None:
        start = len(self._rows)
        self._aligned = self._aligned and rows == list(range(start, start + len(rows)))
        self._rows.extend(rows)
        for column, part in zip(self._values, values, strict=True):
            column.extend(part)
        size = max(rows) + 1
        self._starts.resize(size)
        self._counts.resize(size)
        before = -1
        for position, row in enumerate(rows, start):
            if row != before:
                self._starts.array[row] = position
                self._counts.array[row] = 0
            self._counts.array[row] += 1
            before = row

    def _remove_few(self, rows: list[int]) -> None:
        for row in rows:
            count = int(self.counts[row]) if row < len(self.counts) else 0
            if count:
                start = self.first(row)
                self._aligned = False
                self._rows.array[start : start + count] = DEAD
                self._counts.array[row] = 0
                self.dead += count

    @property
    def wasteful(self) -> bool:
        """Whether more than half of the entries are dead (and there are enough to care)."""
        return self.dead > 1024 and self.dead * 2 > len(self)

    def compact(self) -> None:
        """Drops dead entries."""
        keep = self.rows != DEAD
        parts = [column.array[keep] for column in self._values]
        rows = self.rows[keep]
        self.__init__(*(column.array.dtype for column in self._values))  # type: ignore[misc]
        self.add(rows, *parts)

    def mask(self, hits: BoolArray, size: int) -> BoolArray:
        """Rows 0..size of which at least one entry is hit (`hits` has one value per entry)."""
        return hits_mask(self.rows, self._aligned, hits, size)


def rows_mask(rows: Array, size: int) -> BoolArray:
    """A mask of `size` rows in which the given ones are set; DEAD ones are ignored."""
    mask = np.zeros(size + 1, np.bool_)
    mask[rows] = True
    return mask[:size]


def fitted(mask: BoolArray, size: int) -> BoolArray:
    """A mask of another length, cut or filled up with False."""
    if len(mask) == size:
        return mask
    found = np.zeros(size, np.bool_)
    found[: len(mask)] = mask[:size]
    return found


def hits_mask(rows: Array, aligned: bool, hits: BoolArray, size: int) -> BoolArray:
    """A mask of `size` rows in which those are set that `hits` selects from `rows`; quicker if these are `aligned`,
    each at the position of its own number."""
    if not aligned or len(hits) > size:
        return rows_mask(rows[hits], size)
    mask = np.zeros(size, np.bool_)
    mask[: len(hits)] = hits
    return mask
