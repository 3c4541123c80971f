"""Which rows hold a given index of a sparse vector, and with what value? Immutable posting lists in flat arrays."""

from __future__ import annotations

import struct
from functools import cached_property

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from qdlite.types import FloatArray, OffsetArray
from qdlite.vectors.ranges import concatenated_ranges

_SLICE = 1 << 18


class Postings(Struct, frozen=True, eq=False, dict=True):
    """Posting lists of a range of rows. The list of `terms[i]` (ascending) is `rows[bounds[i] : bounds[i + 1]]`
    (ascending) with `values` beside it."""

    terms: NDArray[np.uint32]
    bounds: NDArray[np.intp]
    rows: NDArray[np.uint32]
    values: FloatArray
    row_count: int

    @classmethod
    def of(cls, terms: NDArray[np.uint32], rows: OffsetArray, values: FloatArray, row_count: int) -> Postings:
        """From one entry a posting, in ascending order of rows."""
        order = np.argsort(terms, kind="stable")
        ordered = terms[order]
        first = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] ^ np.uint32(1))) if len(terms) else order
        bounds = np.append(first, len(terms))
        return cls(ordered[first], bounds, rows.astype(np.uint32)[order], values[order], row_count)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def nbytes(self) -> int:
        return self.terms.nbytes + self.bounds.nbytes + self.rows.nbytes + self.values.nbytes

    @cached_property
    def addresses(self) -> bytes:
        """Where the arrays are, and the number of terms: the struct `Postings` of `largest_sums.c`."""
        arrays = (self.terms, self.bounds, self.rows, self.values)
        return struct.pack("4Pn", *[array.ctypes.data for array in arrays], len(self.terms))

    def lists(self, terms: NDArray[np.uint32]) -> tuple[OffsetArray, OffsetArray]:
        """Start and end of the posting list of each term; equal for an unknown term."""
        if not len(self.terms):
            empty = np.zeros(len(terms), np.intp)
            return empty, empty
        at = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        known = self.terms[at] == terms
        return self.bounds[at], self.bounds[at + known]

    def followed_by(self, later: Postings) -> Postings:
        """Both together; all rows of `later` are larger than those here."""
        terms = np.union1d(self.terms, later.terms)
        places = [np.searchsorted(terms, part.terms) for part in (self, later)]
        counts = np.zeros((2, len(terms)), np.intp)
        for count, part, place in zip(counts, (self, later), places, strict=True):
            count[place] = np.diff(part.bounds)
        bounds = np.concatenate(([0], np.cumsum(counts.sum(axis=0))))
        rows, values = np.empty(bounds[-1], np.uint32), np.empty(bounds[-1], np.float32)
        _move(self, counts[0], bounds[:-1], rows, values)
        _move(later, counts[1], bounds[:-1] + counts[0], rows, values)
        return Postings(terms, bounds, rows, values, self.row_count + later.row_count)


def _move(
    part: Postings, counts: OffsetArray, starts: OffsetArray, rows: NDArray[np.uint32], values: FloatArray
) -> None:
    """Copy the lists of `part`, `counts` long, to `starts`; in slices, because numpy holds the interpreter lock
    during each of these steps."""
    ends = np.cumsum(counts)
    cuts = np.searchsorted(ends, np.arange(_SLICE, len(part), _SLICE))
    for first, last in zip([0, *cuts.tolist()], [*cuts.tolist(), len(counts)], strict=True):
        at = concatenated_ranges(starts[first:last], counts[first:last])
        origin = int(ends[first] - counts[first]) if first < last else 0
        rows[at] = part.rows[origin : origin + len(at)]
        values[at] = part.values[origin : origin + len(at)]
