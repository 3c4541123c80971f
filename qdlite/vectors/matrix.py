"""Where do rows of equal width and one datatype live?"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qdlite.errors import vector_contains_nan
from qdlite.types import Datatype, Distance, FloatArray, OffsetArray
from qdlite.vectors.distance import SEQUENTIAL_BELOW, normalise, normalised

if TYPE_CHECKING:
    from qdlite.vectors.pages import Pages

# Qdrant's turbo4 is a lossy 4-bit form; keeping the full values is within what it promises.
_STORED: dict[Datatype, type[np.float32] | type[np.float16] | type[np.uint8]] = {
    "float32": np.float32,
    "turbo4": np.float32,
    "float16": np.float16,
    "uint8": np.uint8,
}
_SMALLEST = 64

_PAGED_FROM = 1 << 20
"""Matrices of so many bytes get pages of their own, if there are such. numpy clears what is new while everybody waits,
some 0.8 ms a megabyte."""

_PAGED_SHARE = 64
_PAGED_STEP = 1 << 20
"""On pages a matrix grows by one in so many of its rows, or by so many bytes if that is more; else by half."""


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


def without_nan(vector: FloatArray) -> FloatArray:
    """The vector; raises `WrongInput` for NaN in it."""
    if np.isnan(vector.max(initial=0)):
        raise vector_contains_nan()
    return vector


class Matrix:
    """A 2-D array that grows and is read as float32."""

    def __init__(self, width: int, datatype: Datatype) -> None:
        self.width = width
        self._data: NDArray[Any]
        self._data = np.empty((0, width), _STORED[datatype])
        self._pages: Pages | None = None
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
        """Make room for this many rows; those written before stay, others are zero. Views from `slice` must not be
        kept across this."""
        if rows > len(self._data):
            self._resize(max(rows, len(self._data) + self._step, _SMALLEST))

    def foresee(self, rows: int) -> None:
        """Make room if it costs nothing until it is needed, so that `touch` can ready it."""
        if self._pages is not None:
            self.reserve(rows)

    def touch(self, start: int, stop: int) -> None:
        """Have memory behind the room of these rows, beside those who read. Costs what the first write to them would
        cost else, while everybody waits."""
        if self._pages is not None:
            self._pages.touch(start * self.row_bytes, min(stop, len(self._data)) * self.row_bytes)

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

    @property
    def _step(self) -> int:
        """By how many rows more than needed it grows."""
        half = len(self._data) // 2
        if self._pages is None:
            return half
        return min(half, max(len(self._data) // _PAGED_SHARE, _PAGED_STEP // self.row_bytes))

    def _resize(self, rows: int) -> None:
        captured = self._captured_rows() > 0
        if self._pages is not None and not captured:
            self._pages.resize(rows * self.row_bytes)
            self._data = self._on(self._pages, rows)
            return
        pages = _new_pages(rows * self.row_bytes)
        if pages is not None or captured:
            self._move(rows, pages)
        else:
            self._data.resize((rows, self.width), refcheck=False)

    def _move(self, rows: int, pages: Pages | None) -> None:
        """To other memory, with room for so many rows."""
        old = self._data
        self._replace(np.zeros((rows, self.width), old.dtype) if pages is None else self._on(pages, rows))
        self._data[: len(old)] = old
        self._pages = pages

    def _on(self, pages: Pages, rows: int) -> NDArray[Any]:
        found: NDArray[Any] = np.asarray(pages)[: rows * self.row_bytes].view(self._data.dtype)
        return found.reshape(rows, self.width)

    def _replace(self, data: NDArray[Any]) -> None:
        self._data, self._pages, self._captures = data, None, []


def _new_pages(nbytes: int) -> Pages | None:
    """None if so few bytes are better off elsewhere, or there are no pages to be had."""
    if nbytes < _PAGED_FROM:
        return None
    from qdlite.vectors import pages  # few need it, and not for the first answer

    return None if pages.system() is None else pages.Pages(nbytes)
