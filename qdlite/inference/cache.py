"""Which embeddings are remembered, and for how long?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

import numpy as np

from qdlite.types import SparseArray, VectorArray

_OVERHEAD = 300
"""Bytes of a key and the bookkeeping, roughly; the text itself is counted too."""


class EmbeddingCache:
    """Vectors of exactly equal inputs, up to a number of bytes; the least recently used are forgotten first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[Hashable, tuple[VectorArray, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> VectorArray | None:
        """A copy of the vector, so that the caller may change it."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
        return _copy(entry[0])

    def put(self, key: Hashable, text_bytes: int, vector: VectorArray) -> None:
        size = _OVERHEAD + text_bytes + _size(vector)
        if size > self._max_bytes:
            return
        with self._lock:
            old = self._entries.pop(key, None)
            self._entries[key] = (_copy(vector), size)
            self._bytes += size - (old[1] if old else 0)
            while self._bytes > self._max_bytes:
                _, (_, forgotten) = self._entries.popitem(last=False)
                self._bytes -= forgotten

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._bytes = 0


def _copy(vector: VectorArray) -> VectorArray:
    if isinstance(vector, SparseArray):
        return SparseArray(vector.indices.copy(), vector.values.copy())
    return np.array(vector)


def _size(vector: VectorArray) -> int:
    arrays = vector if isinstance(vector, SparseArray) else (vector,)
    return sum(array.nbytes for array in arrays)
