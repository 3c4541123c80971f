"""How do searches and the graph's builder take turns?"""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager

_TURN_SECONDS = 0.00005
"""Who waits for the interpreter is awake after so long; with no time to sleep it may be taken back before."""


class SharedLock:
    """Many readers or one writer, in alternating phases.

    Readers that arrive while a writer works or waits come in together as soon as it is done, before the next
    writer: so neither side starves, and a reader waits for at most one writer.

    The mutex is taken and released by calls: `with` takes half as much time again, which small operations notice.
    """

    def __init__(self) -> None:
        mutex = threading.Lock()
        self._acquire, self._release = mutex.acquire, mutex.release
        self._changed = threading.Condition(mutex)
        self._readers = 0
        self._queued_readers = 0
        self._queued_writers = 0
        self._writing = False
        self._phase = 0
        self._shared = _Shared(self)
        self._exclusive = _Exclusive(self)

    def shared(self) -> AbstractContextManager[None]:
        return self._shared

    def exclusive(self) -> AbstractContextManager[None]:
        return self._exclusive

    def enter_exclusive(self) -> None:
        self._acquire()
        try:
            if self._writing or self._readers:
                self._queued_writers += 1
                while self._writing or self._readers:
                    self._changed.wait()
                self._queued_writers -= 1
            self._writing = True
        finally:
            self._release()

    def leave_exclusive(self) -> None:
        self._acquire()
        try:
            self._writing = False
            self._phase += 1
            if self._queued_readers or self._queued_writers:
                # Those who waited enter at this very moment, so that no writer can come before them.
                self._readers += self._queued_readers
                self._queued_readers = 0
                self._changed.notify_all()
        finally:
            self._release()

    def enter_shared(self) -> None:
        self._acquire()
        try:
            if not (self._writing or self._queued_writers):
                self._readers += 1
                return
            self._queued_readers += 1
            phase = self._phase
            while self._phase == phase:
                self._changed.wait()
        finally:
            self._release()

    def let_read(self) -> None:
        """To be called now and then by who has much to do in Python: readers at work get the interpreter, for which
        they would otherwise wait up to its switch interval whenever they let go of it."""
        if self._readers:
            time.sleep(_TURN_SECONDS)

    def leave_shared(self) -> None:
        self._acquire()
        try:
            self._readers -= 1
            if not self._readers and self._queued_writers:
                self._changed.notify_all()
        finally:
            self._release()


class _Shared:
    """The `with` block of readers: without state of its own, so that one serves all of them."""

    def __init__(self, lock: SharedLock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.enter_shared()

    def __exit__(self, *error: object) -> None:
        self._lock.leave_shared()


class _Exclusive:
    """The same for writers."""

    def __init__(self, lock: SharedLock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.enter_exclusive()

    def __exit__(self, *error: object) -> None:
        self._lock.leave_exclusive()
