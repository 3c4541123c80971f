"""How do searches and the graph's builder take turns?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


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

    @contextmanager
    def shared(self) -> Iterator[None]:
        self._enter_shared()
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                if not self._readers:
                    self._changed.notify_all()

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

    def _enter_shared(self) -> None:
        with self._changed:
            if not (self._writing or self._queued_writers):
                self._readers += 1
                return
            self._queued_readers += 1
            phase = self._phase
            while self._phase == phase:
                self._changed.wait()
