"""How does a request wait for news at the least cost?"""

from __future__ import annotations

import threading


class Bell:
    """Wakes the one thread that waits for it, or will wait next. Those who ring take turns under a lock of their own;
    the one who waits needs none, so that a crowd that is woken together does not queue up once more."""

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def ring(self) -> None:
        """Once more before anyone has waited is as good as once."""
        if self._silence.locked():
            self._silence.release()

    def wait(self, seconds: float | None) -> None:
        """Returns when the bell rings or the time is over (None: without end)."""
        self._silence.acquire(timeout=-1 if seconds is None else min(seconds, threading.TIMEOUT_MAX))
