"""Who works on requests that take a while? Threads, started when they are needed, that wait for the next one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

_R = TypeVar("_R")

log = logging.getLogger("qdlite_server")


class Workers:
    """Up to `limit` threads. An executor would do the same at a multiple of the cost: what hands a request over and
    back is paid by every query."""

    def __init__(self, limit: int, name: str) -> None:
        self._limit = limit
        self._name = name
        self._queue: SimpleQueue[tuple[Callable[[], Any], Callable[[Any], None]] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self.unfinished = 0
        """Requests that wait or are worked on, perhaps some that nobody waits for any more."""

    def submit(self, work: Callable[[], _R], deliver: Callable[[_R], None]) -> None:
        """Begins `work` as soon as a thread is free, which gives the result to `deliver`. Neither may raise."""
        with self._lock:
            self.unfinished += 1
            more = self._threads < min(self.unfinished, self._limit)
            self._threads += more
        if more:
            threading.Thread(target=self._go_on, name=f"{self._name}-{self._threads}", daemon=True).start()
        self._queue.put((work, deliver))

    def close(self) -> None:
        """Ends the threads when they have done what waits."""
        for _ in range(self._threads):
            self._queue.put(None)

    def _go_on(self) -> None:
        while (job := self._queue.get()) is not None:
            self._finish(*job)
            del job  # or the last request would be kept until the next one

    def _finish(self, work: Callable[[], _R], deliver: Callable[[_R], None]) -> None:
        try:
            result = work()
        finally:
            with self._lock:
                self.unfinished -= 1
        deliver(result)
