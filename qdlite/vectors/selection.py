"""Which rows does a mask select, and what of that is worth remembering until the next write?

A filter that is asked again and again brings the same read-only mask. Counting and listing its rows then happens
once, and after a few uses the rows of a narrow filter are kept together: reading them in order is several times
faster than gathering them from all over the matrix.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from qdlite.types import BoolArray, FloatArray, OffsetArray

if TYPE_CHECKING:
    from qdlite.vectors.subsets import Subset

_REMEMBERED = 16
_KEEP_ROWS_AFTER = 3
_SMALLEST_BUDGET = 32 * 2**20


class Selection:
    """The present rows that a mask selects: `allowed` is as long as the matrix is in use (None: all of them),
    `matching` their number, `rows` a copy of them in order, if there is one."""

    def __init__(self, allowed: BoolArray | None, matching: int, mask: BoolArray | None = None) -> None:
        self.allowed = allowed
        self.matching = matching
        self.rows: FloatArray | None = None
        self.uses = 0
        # The graph that serves it with the offsets that it lacks, and at which state of the graphs that was decided.
        self.served: tuple[Subset, OffsetArray] | None = None
        self.decided = 0
        self._mask = None if mask is None else weakref.ref(mask)
        self._offsets: OffsetArray | None = None

    @classmethod
    def of(cls, allowed: BoolArray) -> Selection:
        return cls(allowed, int(np.count_nonzero(allowed)))

    def is_of(self, mask: BoolArray) -> bool:
        return self._mask is not None and self._mask() is mask

    @property
    def offsets(self) -> OffsetArray:
        """The rows' numbers, ascending."""
        found = self._offsets
        if found is None:
            assert self.allowed is not None
            found = self._offsets = np.flatnonzero(self.allowed)
        return found


class Selections:
    """The selections of the masks used lately; safe with many readers. The writer calls `clear`."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Selection] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, mask: BoolArray, make: Callable[[], Selection]) -> Selection:
        """The selection of a mask: remembered if the mask is read-only, as those of the filters' cache are."""
        if mask.flags.writeable:
            return make()
        found = self._kept.get(id(mask))
        if found is None or not found.is_of(mask):
            found = make()
            with self._lock:
                self._kept[id(mask)] = found
                while len(self._kept) > _REMEMBERED:
                    self._kept.popitem(last=False)
        found.uses += 1
        return found

    def keep_rows(self, selection: Selection, row_bytes: int, matrix_bytes: int) -> bool:
        """Whether a selection has been used often enough for its rows to be kept together, and there is room:
        as many megabytes as a quarter of the matrix; others make room if they are older."""
        if selection.rows is not None or selection.uses != _KEEP_ROWS_AFTER:
            return False
        budget = max(_SMALLEST_BUDGET, matrix_bytes // 4)
        if selection.matching * row_bytes * 2 > budget:
            return False
        with self._lock:
            for older in list(self._kept.values()):
                if self._row_bytes() + selection.matching * row_bytes <= budget:
                    break
                older.rows = None
        return True

    def clear(self) -> None:
        if self._kept:
            self._kept = OrderedDict()

    @property
    def nbytes(self) -> int:
        with self._lock:
            return self._row_bytes()

    def _row_bytes(self) -> int:
        return sum(one.rows.nbytes for one in self._kept.values() if one.rows is not None)
