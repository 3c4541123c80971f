"""Which rows hold a given index of a sparse vector, and with what value? Immutable posting lists in flat arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdlite.types import FloatArray, OffsetArray
from qdlite.vectors.ranges import concatenated_ranges


@dataclass(frozen=True)
class Postings:
    """Posting lists of a range of rows. The list of `terms[i]` (ascending) is `rows[ends[i] : ends[i + 1]]`
    (ascending) with `values` beside it. Row numbers are intp, because numpy scatters fastest with these."""

    terms: NDArray[np.uint32]
    bounds: NDArray[np.intp]
    rows: OffsetArray
    values: FloatArray

    @classmethod
    def of(cls, terms: NDArray[np.uint32], rows: OffsetArray, values: FloatArray) -> Postings:
        """From one entry a posting, in ascending order of rows."""
        order = np.argsort(terms, kind="stable")
        ordered = terms[order]
        first = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] ^ np.uint32(1))) if len(terms) else order
        return cls(ordered[first], np.append(first, len(terms)), rows[order], values[order])

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def nbytes(self) -> int:
        return self.terms.nbytes + self.bounds.nbytes + self.rows.nbytes + self.values.nbytes

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
        counts = [_lengths_at(part, terms) for part in (self, later)]
        bounds = np.concatenate(([0], np.cumsum(counts[0] + counts[1])))
        places = [
            concatenated_ranges(bounds[:-1], counts[0]),
            concatenated_ranges(bounds[:-1] + counts[0], counts[1]),
        ]
        merged = [np.empty(bounds[-1], array.dtype) for array in (self.rows, self.values)]
        for part, place in zip((self, later), places, strict=True):
            merged[0][place], merged[1][place] = part.rows, part.values
        return Postings(terms, bounds, merged[0], merged[1])


def _lengths_at(postings: Postings, terms: NDArray[np.uint32]) -> OffsetArray:
    """Length of the list of each term, where `terms` contains all of the postings' own."""
    lengths = np.zeros(len(terms), np.intp)
    lengths[np.searchsorted(terms, postings.terms)] = np.diff(postings.bounds)
    return lengths
