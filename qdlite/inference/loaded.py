"""Which models are in memory, and which of them leaves when another needs the room?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from qdlite.errors import ModelLoading, Timeout
from qdlite.inference.inputs import Call
from qdlite.inference.lane import Lane

_GLANCE = 0.1
"""Seconds after which a request that waits for another one's load looks whether its own client is still there."""


@dataclass
class _Slot:
    """`users` counts the requests that hold the model now; `size` is in bytes."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    lane: Lane | None = None
    size: int = 0
    users: int = 0


class LoadedModels:
    """Models loaded on first use, once each; beyond the limits the least recently used are let go.

    A model that is in use is never let go, so the limits may be exceeded for a while.
    """

    def __init__(self, max_count: int, max_bytes: int | None) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def use(self, key: Hashable, load: Callable[[], tuple[Lane, int]], call: Call) -> Iterator[Lane]:
        """The lane of a model, loaded by `load` (which also gives its size) if it is not in memory.

        Raises ModelLoading if another request is still loading it at the call's deadline, Cancelled if the client
        leaves before.
        """
        with self._lock:
            slot = self._slots.get(key)
            if slot is None:
                slot = self._slots[key] = _Slot()
            self._slots.move_to_end(key)
            slot.users += 1
        try:
            yield self._lane(slot, load, call)
        finally:
            with self._lock:
                slot.users -= 1
                if slot.lane is None and not slot.users:  # the load failed
                    self._slots.pop(key, None)
                self._let_go()

    def _lane(self, slot: _Slot, load: Callable[[], tuple[Lane, int]], call: Call) -> Lane:
        if slot.lane is not None:
            return slot.lane
        call.remaining()
        try:
            while not slot.lock.acquire(timeout=call.remaining(_GLANCE) or 0):
                pass
        except Timeout as error:
            raise ModelLoading("The model was not loaded within the request's timeout") from error
        try:  # one load per model, while other models stay available
            if slot.lane is None:
                slot.lane, slot.size = load()
                with self._lock:
                    self._let_go()
            return slot.lane
        finally:
            slot.lock.release()

    def __contains__(self, key: Hashable) -> bool:
        return key in self.held()

    def held(self) -> list[Hashable]:
        """The keys of the models in memory, least recently used first."""
        with self._lock:
            return [key for key, slot in self._slots.items() if slot.lane is not None]

    def clear(self) -> None:
        with self._lock:
            self._slots.clear()

    def _let_go(self) -> None:
        """Called under the lock."""
        if self._within_limits():
            return
        for key, slot in list(self._slots.items()):
            if not slot.users:
                del self._slots[key]
                if self._within_limits():
                    return

    def _within_limits(self) -> bool:
        if self._max_bytes is None and len(self._slots) <= self._max_count:
            return True
        slots = [slot for slot in self._slots.values() if slot.lane is not None]
        size = sum(slot.size for slot in slots)
        return len(slots) <= self._max_count and (self._max_bytes is None or size <= self._max_bytes)
