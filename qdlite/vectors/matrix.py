"""Where do rows of equal width and one datatype live?"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdlite.types import Datatype, Distance, FloatArray, OffsetArray
from qdlite.vectors.distance import SEQUENTIAL_BELOW, normalise, normalised

# Qdrant's turbo4 is a lossy 4-bit form; keeping the full values is within what it promises.
_STORED: dict[Datatype, type[np.float32] | type[np.float16] | type[np.uint8]] = {
    "float32": np.float32,
    "turbo4": np.float32,
    "float16": np.float16,
    "uint8": np.uint8,
}
_SMALLEST = 64

_SMALL_STEP = 1 << 20
_STEP_SHARE = 64 if sys.platform == "linux" else 2
"""A matrix grows by one in so many of its rows, if that is more than a small step of bytes. New memory is filled with
zeros while everybody waits, some 0.8 ms a megabyte; Linux moves what is there without copying it, however often."""


def encode(rows: FloatArray, distance: Distance, datatype: Datatype) -> FloatArray:
    """Rows (n, d) as they will be stored and returned, still as float32: normalised for Cosine (except bytes),
    then rounded to half precision, or truncated to 0..255 with saturation."""
    if distance == "Cosine" and datatype != "uint8":
        rows = normalise(rows)
    if datatype == "float16":
        with np.errstate(over="ignore"):
            rounded: FloatArray = rows.astype(np.float16).astype(np.float32)
            return rounded
    if datatype == "uint8":
        rows = np.trunc(np.fmin(np.fmax(rows, np.float32(0)), np.float32(255)))
    return rows


def encode_one(vector: FloatArray, distance: Distance, datatype: Datatype) -> FloatArray:
    """The same for a single vector (d), in less time and to the same bits."""
    if datatype == "float32" and len(vector) >= SEQUENTIAL_BELOW:
        return normalised(vector) if distance == "Cosine" else vector
    row: FloatArray = encode(vector[None, :], distance, datatype)[0]
    return row


class Matrix:
    """A 2-D array that grows and is read as float32."""

    def __init__(self, width: int, datatype: Datatype) -> None:
        self.width = width
        self._data: NDArray[Any]
        self._data = np.empty((0, width), _STORED[datatype])
        self._captures: list[weakref.ref[NDArray[Any]]] = []

    @property
    def capacity(self) -> int:
        return len(self._data)

    @property
    def is_float(self) -> bool:
        """Whether `slice` is free of charge."""
        return self._data.dtype == np.float32

    @property
    def data(self) -> NDArray[Any]:
        """The rows as they are stored, until the next `reserve` or `write`."""
        return self._data

    @property
    def nbytes(self) -> int:
        return self._data.nbytes

    @property
    def row_bytes(self) -> int:
        return self.width * self._data.itemsize

    def reserve(self, rows: int) -> None:
        """Make room for this many rows; those written before stay.

        Resizes in place, which on most systems moves memory pages instead of copying them: views from `slice` must
        not be kept across this.
        """
        capacity = len(self._data)
        if rows > capacity:
            step = min(capacity // 2, max(capacity // _STEP_SHARE, _SMALL_STEP // self.row_bytes))
            if self._captured_rows():
                self._replace(self._data.copy())
            self._data.resize((max(rows, capacity + step, _SMALLEST), self.width), refcheck=False)

    def write(self, at: OffsetArray | slice, rows: FloatArray) -> None:
        if self._captures:
            first = at.start if isinstance(at, slice) else int(at.min(initial=len(self._data)))
            if first < self._captured_rows():
                self._replace(self._data.copy())
        self._data[at] = rows

    def take(self, at: OffsetArray) -> FloatArray:
        """A copy of these rows."""
        rows: FloatArray = self._data.take(at, axis=0).astype(np.float32, copy=False)
        return rows

    def slice(self, start: int, stop: int) -> FloatArray:
        """These rows: a view if the matrix is float32, else a copy."""
        rows: FloatArray = self._data[start:stop].astype(np.float32, copy=False)
        return rows

    def keep(self, at: OffsetArray) -> None:
        """Drop all rows but these, in this order."""
        self._replace(self._data[at])

    def capture(self, rows: int) -> Callable[[OffsetArray], FloatArray]:
        """`take` on the first rows as they are now, whatever is written later. Costs nothing until captured rows
        have to be rewritten or moved while the result is in use: the matrix then goes on with a copy."""
        captured = self._data[:rows]
        self._captures.append(weakref.ref(captured))
        return lambda at: captured[at].astype(np.float32, copy=False)

    def _captured_rows(self) -> int:
        """How many of the first rows somebody still reads outside of the lock."""
        self._captures = [reference for reference in self._captures if reference() is not None]
        return max((len(array) for reference in self._captures if (array := reference()) is not None), default=0)

    def _replace(self, data: NDArray[Any]) -> None:
        self._data, self._captures = data, []
