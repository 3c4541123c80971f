"""Where do the sparse vectors themselves live, and which row belongs to which offset?

Rows are numbered in the order of writing; a rewritten vector gets a new row and its old one dies, so that posting
lists never have to be edited.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qdlite.types import BoolArray, FloatArray, Offset, OffsetArray, SparseArray, VectorArray
from qdlite.vectors.capture import VectorCapture
from qdlite.vectors.growing import grown
from qdlite.vectors.ranges import concatenated_ranges

_GONE = -1


class SparseRows:
    """Indices and values of all rows in flat arrays, dead rows included until `living_only`."""

    def __init__(self) -> None:
        self._terms: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self._values: FloatArray = np.zeros(0, np.float32)
        self._bounds: NDArray[np.intp] = np.zeros(1, np.intp)
        self._offset_of: NDArray[np.intp] = np.zeros(0, np.intp)
        self._row_of: NDArray[np.intp] = np.zeros(0, np.intp)
        self._present = np.zeros(0, np.bool_)
        self._alive = np.zeros(0, np.bool_)
        self._used = 0
        self._count = 0
        # As after a plain load: then neither masks nor answers need translation.
        self._aligned = True

    @property
    def present(self) -> BoolArray:
        return self._present

    @property
    def count(self) -> int:
        """Living rows, one for each offset present."""
        return self._count

    @property
    def used(self) -> int:
        """Row numbers given out, dead ones included."""
        return self._used

    @property
    def aligned(self) -> bool:
        """Row numbers of the living are offsets; False does not say that they are not."""
        return self._aligned

    @property
    def nbytes(self) -> int:
        numbers = (self._bounds, self._offset_of, self._row_of, self._present, self._alive)
        arrays = (self._terms, self._values, *numbers)
        return sum(array.nbytes for array in arrays)

    @property
    def posting_bytes(self) -> int:
        """Size of the indices and values of all rows, dead ones included."""
        return int(self._bounds[self._used]) * (self._terms.itemsize + self._values.itemsize)

    def append(self, offsets: OffsetArray, vectors: Sequence[SparseArray]) -> None:
        """New rows for these offsets; earlier ones of the same offsets die."""
        offsets, vectors = _last_of_each(offsets, vectors)
        if not len(offsets):
            return
        self.remove(offsets)
        ends = self._bounds[self._used] + np.cumsum([len(vector.indices) for vector in vectors], dtype=np.intp)
        self._reserve(int(offsets.max()) + 1, self._used + len(offsets), int(ends[-1]))
        postings = slice(int(self._bounds[self._used]), int(ends[-1]))
        self._terms[postings] = np.concatenate([vector.indices for vector in vectors])
        self._values[postings] = np.concatenate([vector.values for vector in vectors])
        rows = np.arange(self._used, self._used + len(offsets), dtype=np.intp)
        self._bounds[rows + 1] = ends
        self._offset_of[rows] = offsets
        self._alive[rows] = True
        self._row_of[offsets] = rows
        self._present[offsets] = True
        self._aligned = self._aligned and bool(np.array_equal(offsets, rows))
        self._used += len(offsets)
        self._count += len(offsets)

    def remove(self, offsets: OffsetArray) -> None:
        offsets = np.unique(offsets[offsets < len(self._present)])
        offsets = offsets[self._present[offsets]]
        rows = self._row_of[offsets]
        self._offset_of[rows] = _GONE
        self._alive[rows] = False
        self._present[offsets] = False
        self._count -= len(offsets)

    def get(self, offset: Offset) -> SparseArray | None:
        if offset >= len(self._present) or not self._present[offset]:
            return None
        row = self._row_of[offset]
        postings = slice(self._bounds[row], self._bounds[row + 1])
        return SparseArray(self._terms[postings].copy(), self._values[postings].copy())

    def capture(self) -> VectorCapture:
        # Rows are never rewritten in place, so what belongs to one can be shared; what belongs to an offset cannot.
        now = copy.copy(self)
        now._row_of, now._present = self._row_of.copy(), self._present.copy()
        sizes = np.zeros(len(now._present), np.intp)
        rows = now._row_of[now._present]
        sizes[now._present] = now._bounds[rows + 1] - now._bounds[rows]
        return VectorCapture(now._present, sizes, now._vectors)

    def postings(self, start: int, stop: int) -> tuple[NDArray[np.uint32], OffsetArray, FloatArray]:
        """Term, row and value of each posting of the rows [start, stop), in order of rows (terms and values are
        views)."""
        lengths = np.diff(self._bounds[start : stop + 1])
        span = slice(int(self._bounds[start]), int(self._bounds[stop]))
        rows = np.repeat(np.arange(start, stop, dtype=np.intp), lengths)
        return self._terms[span], rows, self._values[span]

    def postings_at(self, offsets: OffsetArray) -> tuple[NDArray[np.uint32], FloatArray, OffsetArray]:
        """Terms and values of the vectors at `offsets` (present), one after the other, and their lengths."""
        rows = self._row_of[offsets]
        lengths = self._bounds[rows + 1] - self._bounds[rows]
        at = concatenated_ranges(self._bounds[rows], lengths)
        return self._terms[at], self._values[at], lengths

    def _vectors(self, offsets: OffsetArray) -> list[VectorArray]:
        terms, values, lengths = self.postings_at(offsets)
        ends = np.cumsum(lengths)
        return [
            SparseArray(terms[begin:end], values[begin:end])
            for begin, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True)
        ]

    def offsets(self, rows: OffsetArray) -> OffsetArray:
        return self._offset_of[rows]

    def rows(self, offsets: OffsetArray) -> OffsetArray:
        return self._row_of[offsets]

    def living(self, mask: BoolArray | None) -> BoolArray | None:
        """Mask over rows: alive, and their offset in `mask`. None means all of them."""
        alive = self._alive[: self._used]
        if mask is None:
            return None if self._count == self._used else alive
        if self._aligned and len(mask) >= self._used:
            both: BoolArray = mask[: self._used] & alive
            return both
        # One False more, for dead rows (offset -1) and for offsets beyond the mask.
        padded = np.append(mask, False)
        allowed: BoolArray = padded[np.minimum(self._offset_of[: self._used], len(mask))]
        return allowed

    def living_only(self) -> SparseRows:
        """A copy without dead rows, in order of offsets."""
        offsets = np.flatnonzero(self._present)
        terms, values, lengths = self.postings_at(offsets)
        copy = SparseRows()
        if len(offsets):
            copy._reserve(int(offsets[-1]) + 1, len(offsets), len(terms))
        copy._terms[: len(terms)], copy._values[: len(values)] = terms, values
        copy._bounds[1 : len(offsets) + 1] = np.cumsum(lengths)
        copy._offset_of[: len(offsets)] = offsets
        copy._alive[: len(offsets)] = True
        copy._row_of[offsets] = np.arange(len(offsets))
        copy._present[offsets] = True
        copy._used = copy._count = len(offsets)
        copy._aligned = bool(np.array_equal(offsets, np.arange(len(offsets))))
        return copy

    def _reserve(self, extent: int, rows: int, postings: int) -> None:
        self._terms = grown(self._terms, postings, 0)
        self._values = grown(self._values, postings, 0)
        self._bounds = grown(self._bounds, rows + 1, 0)
        self._offset_of = grown(self._offset_of, rows, _GONE)
        self._alive = grown(self._alive, rows, False)
        self._row_of = grown(self._row_of, extent, _GONE)
        self._present = grown(self._present, extent, False)


def _last_of_each(offsets: OffsetArray, vectors: Sequence[SparseArray]) -> tuple[OffsetArray, Sequence[SparseArray]]:
    """Of equal offsets only the last one."""
    unique, last = np.unique(offsets[::-1], return_index=True)
    if len(unique) == len(offsets):
        return offsets, vectors
    kept = np.sort(len(offsets) - 1 - last)
    return offsets[kept], [vectors[position] for position in kept.tolist()]
