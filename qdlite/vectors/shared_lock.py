"""How do searches and the graph's builder take turns?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager


class SharedLock:
    """Many readers or one writer, in alternating phases.

    Readers that arrive while a writer works or waits come in together as soon as it is done, before the next
    writer: so neither side starves, and a reader waits for at most one writer.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._readers = 0
        self._queued_readers = 0
        self._queued_writers = 0
        self._writing = False
        self._phase = 0
        self._shared = _Shared(self)

    def shared(self) -> AbstractContextManager[None]:
        return self._shared

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        with self._changed:
            self._queued_writers += 1
            while self._writing or self._readers:
                self._changed.wait()
            self._queued_writers -= 1
            self._writing = True
        try:
            yield
        finally:
            with self._changed:
                self._writing = False
                self._phase += 1
                # Those who waited enter at this very moment, so that no writer can come before them.
                self._readers += self._queued_readers
                self._queued_readers = 0
                self._changed.notify_all()

    def enter_shared(self) -> None:
        with self._changed:
            if not (self._writing or self._queued_writers):
                self._readers += 1
                return
            self._queued_readers += 1
            phase = self._phase
            while self._phase == phase:
                self._changed.wait()

    def leave_shared(self) -> None:
        with self._changed:
            self._readers -= 1
            if not self._readers and self._queued_writers:
                self._changed.notify_all()


class _Shared:
    """The `with` block of readers: without state of its own, so that one serves all of them."""

    def __init__(self, lock: SharedLock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.enter_shared()

    def __exit__(self, *error: object) -> None:
        self._lock.leave_shared()
