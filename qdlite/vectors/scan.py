"""How are rows compared with a query where there is a compiled kernel for it?

Comparing a query with many rows is bound by reading them. So each row is also kept as one byte a component; the kernel
(`nearest_rows.c`) reads only those, knows how much they leave out, and reads the few rows that can be among the nearest
as they are: the answer is that of a full scan.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from qdlite.types import BoolArray, Datatype, Distance, FloatArray, Hits, OffsetArray
from qdlite.vectors import kernels
from qdlite.vectors.distance import SEQUENTIAL_BELOW
from qdlite.vectors.kernels import Kernels, RowsAt, record_bytes, sketch_bytes
from qdlite.vectors.matrix import Matrix
from qdlite.vectors.spans import Rows, end, is_run, listed, parted, size, within

SMALLEST_CODED_SIZE = 32
"""Rows of fewer components are read as they are."""

WORTH_CODES = 64
"""Among fewer rows they say too little to pay for themselves."""

_FEW_SHARE = 8
"""If more than one in so many rows is wanted, codes say too little."""

_BLOCK = 4096
_MOST_STALE = 64


def scan_of(matrix: Matrix, distance: Distance, datatype: Datatype) -> Scan | None:
    """None where nothing is compiled, and for rows that have to be compared in their own way: short ones, as their
    sums are added up in a certain order, and the cosine of bytes."""
    compiled = kernels.installed()
    own_way = matrix.width < SEQUENTIAL_BELOW or (distance == "Cosine" and datatype == "uint8")
    return None if own_way or compiled is None else Scan(compiled, matrix, distance, datatype)


class Scan:
    """The rows of a matrix with their codes, if they have such. These are made by who needs them first, and brought up
    to date when needed again, as far as `encode` has not done so before: loading pays nothing for them. Readers may run
    side by side, and `encode` is one; the writer tells what it changed by `forget`."""

    def __init__(self, compiled: Kernels, matrix: Matrix, distance: Distance, datatype: Datatype) -> None:
        width = matrix.width
        self.coded = width >= SMALLEST_CODED_SIZE and distance != "Manhattan"
        self._compiled = compiled
        self._matrix = matrix
        self._kind: tuple[Datatype, Distance] = datatype, distance
        widths = (record_bytes(width), sketch_bytes(width)) if compiled.has_sieve else (record_bytes(width),)
        self._codes = [Matrix(wide, "uint8") for wide in widths]
        self._known = 0
        self._stale: list[Rows] = []
        self._encoding = threading.Lock()
        self._plain: RowsAt | None = None
        self._with_codes: RowsAt | None = None

    @property
    def nbytes(self) -> int:
        return sum(codes.nbytes for codes in self._codes)

    def forget(self, at: Rows) -> None:
        """Rows were rewritten, or added."""
        self._plain = self._with_codes = None
        if not self._known:
            return
        self._reserve(end(at))  # no later: others may be reading codes then
        rewritten = within(at, self._known)
        if size(rewritten):
            self._stale.append(rewritten)
        if len(self._stale) > _MOST_STALE:
            self._stale = [np.unique(np.concatenate([listed(rows) for rows in self._stale]))]

    def lacking(self, extent: int) -> int:
        """About how many of the first `extent` rows have codes to be made."""
        return extent - self._known + sum(map(size, self._stale))

    def encode(self, extent: int, most: int) -> None:
        """Makes codes that are lacking, of at most so many rows."""
        with self._encoding:
            self._refresh(extent, most)

    def nearest(
        self, query: FloatArray, limit: int, extent: int, at: OffsetArray | None, allowed: BoolArray | None
    ) -> Hits:
        """The `limit` (> 0) rows most similar to a query: of the first `extent` ones, if given only of those `at`
        (ascending), and only of those `allowed`. Best first, equal ones by offset."""
        count = extent if at is None else len(at)
        coded = self.coded and count >= WORTH_CODES and limit * _FEW_SHARE <= count
        rows = self._coded_rows(extent) if coded else self._plain or self._plain_rows()
        among = range(extent) if at is None else _in_order(at) or at
        return self._compiled.nearest_rows(rows, query, among, allowed, limit)

    def normalised(self, query: FloatArray) -> FloatArray | None:
        """As `distance.normalised`, but for the last bits and in half of the time; None if there may be NaN in it."""
        return self._compiled.normalised(query)

    def _plain_rows(self) -> RowsAt:
        self._plain = made = RowsAt.of(self._matrix.data, *self._kind, None)
        return made

    def _coded_rows(self, extent: int) -> RowsAt:
        """With codes of what was written since they were last asked for."""
        found = self._with_codes
        if found is not None and self._known >= extent:
            return found
        with self._encoding:
            self._refresh(extent, self.lacking(extent))
            self._with_codes = made = RowsAt.of(self._matrix.data, *self._kind, *self._codes_from(0))
        return made

    def _refresh(self, extent: int, most: int) -> None:
        self._reserve(extent)
        while self._stale and most > 0:
            now, later = parted(self._stale[-1], most)
            for start, stop in _runs(now):
                self._encode(start, stop)
            self._stale[-1:] = [later] if size(later) else []
            most -= size(now)
        known = min(extent, self._known + most)
        self._encode(self._known, known)
        self._known = max(self._known, known)

    def _encode(self, start: int, stop: int) -> None:
        for low in range(start, stop, _BLOCK):
            self._compiled.encode_rows(self._matrix.slice(low, min(low + _BLOCK, stop)), *self._codes_from(low))

    def _reserve(self, extent: int) -> None:
        for codes in self._codes:
            codes.reserve(extent)

    def _codes_from(self, row: int) -> list[NDArray[np.uint8]]:
        return [codes.data[row:] for codes in self._codes]


def _in_order(at: OffsetArray) -> range | None:
    """Many rows as a range, if they follow each other: so they are read sooner."""
    return range(int(at[0]), int(at[-1]) + 1) if len(at) >= _BLOCK and is_run(at) else None


def _runs(at: Rows) -> Iterator[tuple[int, int]]:
    """Rows as ranges [start, stop)."""
    if isinstance(at, slice):
        yield at.start, at.stop
        return
    rows = np.unique(at)
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        if len(run):
            yield int(run[0]), int(run[-1]) + 1
