"""Is `accumulate` there in compiled form, and how is that called?

`hatch_build.py` compiles `largest_sums.c` when qdlite is installed, if there is a C compiler. It answers the same in a
third of the time, and threads do not wait for each other, because ctypes releases the interpreter lock.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias
from zlib import crc32

import numpy as np

from qdlite.lazily import logger
from qdlite.types import BoolArray, FloatArray, OffsetArray, SparseArray
from qdlite.vectors.postings import Postings

LargestSums: TypeAlias = Callable[
    [Sequence[Postings], SparseArray, int, BoolArray | None], tuple[OffsetArray, FloatArray]
]
"""The rows with the largest sums over the posting lists of a query, at most so many (> 0), among those in any list and
the mask, best first, and the sums."""

_FOLDER = os.path.dirname(__file__)

_log = logger(__name__)


@cache
def installed() -> LargestSums | None:
    """What was compiled when qdlite was installed; None if nothing was, or if the source has changed since."""
    return load(os.path.join(_FOLDER, "liblargest_sums.so"), os.path.join(_FOLDER, "largest_sums.c"))


def load(path: str, source: str = "") -> LargestSums | None:
    """What a library has, if it is there and was compiled from `source`; wheels come without the source."""
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        _log().debug("sparse search goes without compiled code, which takes two or three times as long: %s", error)
        return None
    if os.path.exists(source) and _checksum(source) != ctypes.c_uint32.in_dll(library, "source_checksum").value:
        _log().warning("%s has changed since it was compiled: sparse search goes without (CONTRIBUTING.md)", source)
        return None
    function = library.largest_sums
    address, number = ctypes.c_void_p, ctypes.c_ssize_t
    parts_and_query = (address, number, address, address, number)
    function.argtypes = (*parts_and_query, address, number, number, address, address)
    function.restype = number

    def largest_sums(
        parts: Sequence[Postings], query: SparseArray, limit: int, allowed: BoolArray | None
    ) -> tuple[OffsetArray, FloatArray]:
        mask = None if allowed is None else np.ascontiguousarray(allowed)
        rows, sums = np.empty(limit, np.intp), np.empty(limit, np.float32)
        found: int = function(
            b"".join([part.addresses for part in parts]),
            len(parts),
            query.indices.astype(np.uint32, copy=False).tobytes(),
            query.values.astype(np.float32, copy=False).tobytes(),
            len(query.indices),
            None if mask is None else mask.ctypes.data,
            0 if mask is None else len(mask),
            limit,
            rows.ctypes.data,
            sums.ctypes.data,
        )
        if found < 0:
            raise MemoryError
        return rows[:found], sums[:found]

    return largest_sums


def _checksum(path: str) -> int:
    with open(path, "rb") as file:
        return crc32(file.read())
