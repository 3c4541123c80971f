"""Which rows can be among the nearest ones? Told from a quarter of their bytes, with proven bounds.

Comparing a query with many rows is bound by reading them. So each row is also kept as one byte a component; a
compiled kernel (`possible_rows.c`) reads only those, knows how much they leave out, and returns the few rows that can
be among the best. These are then compared exactly: the answer is that of a full scan.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from qdlite.types import BoolArray, Datatype, Distance, FloatArray, OffsetArray
from qdlite.vectors import kernels
from qdlite.vectors.kernels import Kernels, record_bytes, slack
from qdlite.vectors.matrix import Matrix
from qdlite.vectors.spans import Rows, within

SMALLEST_SIZE = 32
"""Rows of fewer components are not worth it."""

_LEAST_ROOM = 4096
_BLOCK = 4096
_MOST_STALE = 64
_FEW_SHARE = 8
"""One in so many rows may be wanted, and in the end possible; more of them are faster compared outright."""


def usable(size: int, distance: Distance, datatype: Datatype) -> bool:
    """Whether rows of a kind can have codes here: bytes are compared by their own cosine, which has no bounds."""
    comparable = distance in ("Dot", "Euclid") or (distance == "Cosine" and datatype != "uint8")
    return comparable and size >= SMALLEST_SIZE and kernels.installed() is not None


class RowCodes:
    """The codes of a matrix. Made when they are first asked for, and brought up to date when asked again: loading pays
    nothing for them. Readers may run side by side; the writer tells what it changed by `forget`."""

    def __init__(self, matrix: Matrix, distance: Distance) -> None:
        self._matrix = matrix
        self._euclid = distance == "Euclid"
        self._slack = slack(matrix.width)
        self._records: NDArray[np.uint8] = np.zeros((0, record_bytes(matrix.width)), np.uint8)
        self._known = 0
        self._stale: list[Rows] = []
        self._encoding = threading.Lock()

    @property
    def nbytes(self) -> int:
        return self._records.nbytes

    def forget(self, at: Rows) -> None:
        """Rows were rewritten."""
        if not self._known:
            return
        self._stale.append(within(at, self._known))
        if len(self._stale) > _MOST_STALE:
            self._stale = [np.unique(np.concatenate([_listed(rows) for rows in self._stale]))]

    def possible(
        self, query: FloatArray, limit: int, extent: int, at: OffsetArray | None, allowed: BoolArray | None
    ) -> OffsetArray | None:
        """All rows that can be among the `limit` most similar to a query: of the first `extent` ones, if given only of
        those `at` (ascending), and only of those `allowed`. Ascending; None if a full comparison is faster."""
        count = extent if at is None else len(at)
        compiled = kernels.installed()
        if compiled is None or limit * _FEW_SHARE > count:
            return None
        self._refresh(compiled, extent)
        room = _LEAST_ROOM + limit * _FEW_SHARE
        among = extent if at is None else at
        return compiled.possible_rows(self._records, query, among, allowed, limit, self._euclid, self._slack, room)

    def _refresh(self, compiled: Kernels, extent: int) -> None:
        """Encode what was written since the last search."""
        if self._known >= extent and not self._stale:
            return
        with self._encoding:
            self._reserve(extent)
            for at in self._stale:
                for start, stop in _runs(at):
                    self._encode(compiled, start, stop)
            self._encode(compiled, self._known, extent)
            self._stale = []
            self._known = max(self._known, extent)

    def _encode(self, compiled: Kernels, start: int, stop: int) -> None:
        for low in range(start, stop, _BLOCK):
            compiled.encode_rows(self._matrix.slice(low, min(low + _BLOCK, stop)), self._records[low:])

    def _reserve(self, extent: int) -> None:
        if extent > len(self._records):
            records = np.zeros((max(extent, self._matrix.capacity), self._records.shape[1]), np.uint8)
            records[: self._known] = self._records[: self._known]
            self._records = records


def _listed(at: Rows) -> OffsetArray:
    return np.arange(at.start, max(at.start, at.stop)) if isinstance(at, slice) else at


def _runs(at: Rows) -> Iterator[tuple[int, int]]:
    """Rows as ranges [start, stop)."""
    if isinstance(at, slice):
        yield at.start, at.stop
        return
    rows = np.unique(at)
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        if len(run):
            yield int(run[0]), int(run[-1]) + 1
