"""Which masks were computed lately? A small memory of read-only masks, safe with many readers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from qdlite.types import BoolArray

_CAPACITY = 16 * 2**20


class MaskCache:
    """Remembers masks by key until they together exceed `capacity` bytes; the least recently used go first.

    A key must name the state that the mask was computed from, because nothing is ever invalidated.
    """

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._masks: OrderedDict[Hashable, BoolArray] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> BoolArray | None:
        with self._lock:
            mask = self._masks.get(key)
            if mask is not None:
                self._masks.move_to_end(key)
            return mask

    def put(self, key: Hashable, mask: BoolArray) -> None:
        """Remembers a mask, which becomes read-only."""
        mask.setflags(write=False)
        if mask.nbytes > self._capacity:
            return
        with self._lock:
            if key not in self._masks:
                self._masks[key] = mask
                self._size += mask.nbytes
            while self._size > self._capacity:
                self._size -= self._masks.popitem(last=False)[1].nbytes
