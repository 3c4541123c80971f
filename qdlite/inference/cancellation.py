"""How does work end early when nobody waits for its result any more?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qdlite.errors import Cancelled
from qdlite.inference.bell import Bell


class Cancellation:
    """Set once, from any thread, when the client of a request has left."""

    def __init__(self) -> None:
        self._cancelled = False
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """Runs the callbacks of all who wait, in this thread."""
        with self._lock:
            self._cancelled = True
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def check(self) -> None:
        """Raises Cancelled if nobody waits any more."""
        if self._cancelled:
            raise Cancelled("The client left before its answer was ready")

    def wait(self, seconds: float) -> None:
        """Returns when so much time has passed, or the client has left."""
        bell = Bell()
        with self.calling(bell.ring):
            bell.wait(seconds)

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Within the block `callback` is called on cancellation, and at once if that has happened before. It must
        be quick, must not raise, and may be called after the block if both happen at the same moment."""
        with self._lock:
            self._callbacks.append(callback)
        try:
            if self._cancelled:
                callback()
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)
