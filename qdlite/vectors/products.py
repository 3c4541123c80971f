"""How are many rows multiplied with one vector, with the processors that are free?

BLAS shares a large product out among threads of its own, which wait for each other in a busy loop: as soon as
anything else runs on the machine a product takes many times longer than with one thread. So large products are
computed row by row, in one thread, or in halves by the caller and one helper.
"""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from qdlite.types import FloatArray

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_ONE_BLAS_THREAD = 400_000
"""Up to so many numbers OpenBLAS stays in the calling thread."""

_WORTH_HELP = 3_000_000
"""From so many numbers on (some hundred microseconds of work) a second thread gains more than it costs."""

_helping = threading.Lock()


def dots(rows: FloatArray, vector: FloatArray) -> FloatArray:
    """Dot product of each row (n, d) with a vector (d): float32 (n,)."""
    if rows.size <= _ONE_BLAS_THREAD:
        small: FloatArray = rows @ vector
        return small
    found = np.empty((len(rows), 1, 1), np.float32)
    if rows.size >= _WORTH_HELP and _cores() > 1 and _helping.acquire(blocking=False):
        try:
            _halved(rows, vector, found)
        finally:
            _helping.release()
    else:
        _row_by_row(rows, vector, found)
    return found.reshape(-1)


def _halved(rows: FloatArray, vector: FloatArray, found: FloatArray) -> None:
    middle = len(rows) // 2
    other = _helper().submit(_row_by_row, rows[middle:], vector, found[middle:])
    try:
        _row_by_row(rows[:middle], vector, found[:middle])
    finally:
        other.result()


def _row_by_row(rows: FloatArray, vector: FloatArray, found: FloatArray) -> None:
    """One call without the interpreter lock: many products of one row each."""
    with np.errstate(over="ignore", invalid="ignore"):
        np.matmul(rows[:, None, :], vector[:, None], out=found)


@cache
def _helper() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1, "qdlite-product")


@cache
def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
