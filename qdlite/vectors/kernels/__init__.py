"""Which inner loops are there in compiled form, and how are they called?

`hatch_build.py` compiles the C files of this folder into one library when qdlite is installed, if there is a C
compiler. Without it numpy does the same, in more time.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from qdlite.lazily import logger
from qdlite.types import BoolArray, FloatArray, OffsetArray, SparseArray

FOLDER = os.path.dirname(__file__)
LIBRARY = "libkernels.so"

_HEAD_BYTES = 16
_HELD_ROWS = 3000
"""Comparing so many rows takes some ten microseconds."""

_log = logger(__name__)


class Kernels:
    """The library. It lets other threads run Python meanwhile, but for a few microseconds of work: who gives the
    interpreter lock up may wait long to have it back."""

    def __init__(self, path: str) -> None:
        """Raises OSError if it cannot be loaded."""
        released, held = ctypes.CDLL(path), ctypes.PyDLL(path)
        self.sources: int = ctypes.c_uint32.in_dll(released, "sources_checksum").value
        self._sums = _sums_of(released)
        self._encode = _encode_of(released)
        self._possible = {True: _possible_of(held), False: _possible_of(released)}

    def largest_sums(
        self, parts: Sequence[bytes], query: SparseArray, limit: int, allowed: BoolArray | None
    ) -> tuple[OffsetArray, FloatArray]:
        """The rows with the largest sums over the posting lists of a query, at most so many (> 0), among those in any
        list and `allowed`, best first, and the sums. `parts`: the addresses of `Postings`."""
        mask = None if allowed is None else np.ascontiguousarray(allowed)
        rows, sums = np.empty(limit, np.intp), np.empty(limit, np.float32)
        found: int = self._sums(
            b"".join(parts),
            len(parts),
            query.indices.astype(np.uint32, copy=False).tobytes(),
            query.values.astype(np.float32, copy=False).tobytes(),
            len(query.indices),
            None if mask is None else address(mask),
            0 if mask is None else len(mask),
            limit,
            address(rows),
            address(sums),
        )
        if found < 0:
            raise MemoryError
        return rows[:found], sums[:found]

    def encode_rows(self, rows: FloatArray, records: NDArray[np.uint8]) -> None:
        """Fill the records of rows: one byte a component, and what that leaves out."""
        rows = np.ascontiguousarray(rows)
        self._encode(address(rows), rows.shape[1], len(rows), records.shape[1], address(records))

    def possible_rows(
        self,
        records: NDArray[np.uint8],
        query: FloatArray,
        among: OffsetArray | int,
        allowed: BoolArray | None,
        limit: int,
        euclid: bool,
        slack: float,
        room: int,
    ) -> OffsetArray | None:
        """All rows that can be among the `limit` most similar ones, of those given or of the first so many, as far as
        they are `allowed`; None if there are more than about half of the room for them. `slack`: relative rounding
        error of the similarities with which they will be compared."""
        at, count = (None, among) if isinstance(among, int) else (address(among), len(among))
        query, found = np.ascontiguousarray(query, np.float32), np.empty(room, np.intp)
        kept: int = self._possible[count <= _HELD_ROWS](
            address(records),
            records.shape[1],
            len(query),
            address(query),
            at,
            count,
            None if allowed is None else address(allowed),
            limit,
            euclid,
            slack,
            address(found),
            room,
        )
        return None if kept < 0 else found[:kept]


@cache
def installed() -> Kernels | None:
    """What was compiled when qdlite was installed; None if nothing was, or if a source has changed since."""
    path = os.path.join(FOLDER, LIBRARY)
    try:
        found = Kernels(path)
    except OSError as error:
        _log().debug("Searches go without compiled code, which takes two or three times as long: %s", error)
        return None
    sources = sorted(name for name in os.listdir(FOLDER) if name.endswith((".c", ".h")))
    if sources and found.sources != _checksum(sources):
        _log().warning("%s is not of the sources beside it: searches go without (see CONTRIBUTING.md)", path)
        return None
    return found


def _checksum(sources: Sequence[str]) -> int:
    total = 0
    for name in sources:
        with open(os.path.join(FOLDER, name), "rb") as file:
            total = crc32(file.read(), total)
    return total


def record_bytes(size: int) -> int:
    """Length of the record of a row of so many components."""
    return _HEAD_BYTES + -(-size // 16) * 16


def address(array: NDArray[Any]) -> int:
    """Where the elements of a contiguous array begin."""
    place: int = array.__array_interface__["data"][0]
    return place


_ADDRESS, _NUMBER = ctypes.c_void_p, ctypes.c_ssize_t


def _sums_of(library: ctypes.CDLL) -> Any:
    function = library.largest_sums
    function.argtypes = (
        *(_ADDRESS, _NUMBER, _ADDRESS, _ADDRESS, _NUMBER),
        *(_ADDRESS, _NUMBER, _NUMBER, _ADDRESS, _ADDRESS),
    )
    function.restype = _NUMBER
    return function


def _encode_of(library: ctypes.CDLL) -> Any:
    function = library.encode_rows
    function.argtypes = (_ADDRESS, _NUMBER, _NUMBER, _NUMBER, _ADDRESS)
    function.restype = None
    return function


def _possible_of(library: ctypes.CDLL) -> Any:
    function = library.possible_rows
    function.argtypes = (
        *(_ADDRESS, _NUMBER, _NUMBER, _ADDRESS, _ADDRESS, _NUMBER, _ADDRESS),
        *(_NUMBER, ctypes.c_int, ctypes.c_float, _ADDRESS, _NUMBER),
    )
    function.restype = _NUMBER
    return function
