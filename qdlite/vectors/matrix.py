"""Where do rows of equal width and one datatype live?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdlite.types import Datatype, Distance, FloatArray, OffsetArray
from qdlite.vectors.distance import normalise

# Qdrant's turbo4 is a lossy 4-bit form; keeping the full values is within what it promises.
_STORED: dict[Datatype, type[np.float32] | type[np.float16] | type[np.uint8]] = {
    "float32": np.float32,
    "turbo4": np.float32,
    "float16": np.float16,
    "uint8": np.uint8,
}
_SMALLEST = 64


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


class Matrix:
    """A 2-D array that grows and is read as float32."""

    def __init__(self, width: int, datatype: Datatype) -> None:
        self.width = width
        self._data: NDArray[Any]
        self._data = np.empty((0, width), _STORED[datatype])

    @property
    def capacity(self) -> int:
        return len(self._data)

    @property
    def is_float(self) -> bool:
        """Whether `slice` is free of charge."""
        return self._data.dtype == np.float32

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
            self._data.resize((max(rows, capacity + capacity // 2, _SMALLEST), self.width), refcheck=False)

    def write(self, at: OffsetArray | slice, rows: FloatArray) -> None:
        self._data[at] = rows

    def take(self, at: OffsetArray) -> FloatArray:
        """A copy of these rows."""
        rows: FloatArray = self._data[at].astype(np.float32, copy=False)
        return rows

    def slice(self, start: int, stop: int) -> FloatArray:
        """These rows: a view if the matrix is float32, else a copy."""
        rows: FloatArray = self._data[start:stop].astype(np.float32, copy=False)
        return rows

    def keep(self, at: OffsetArray) -> None:
        """Drop all rows but these, in this order."""
        self._data = self._data[at]
