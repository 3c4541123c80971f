"""May the next request come yet? A bucket of tokens, refilled at a steady rate."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Literal

import numpy as np

from qdlite.errors import RateLimited

Clock = Callable[[], float]
"""Seconds since any moment, never going back."""


class RateLimiter:
    """Admits `per_minute` tokens in a minute, all at once if need be: the bucket holds as many and starts full.

    `kind` is how messages call the requests. Safe to use from many threads.
    """

    def __init__(self, per_minute: int, kind: Literal["Read", "Write"], clock: Clock = time.monotonic) -> None:
        self.per_minute = per_minute
        self._kind = kind
        self._clock = clock
        self._tokens = float(per_minute)
        self._filled_at = clock()
        self._mutex = threading.Lock()

    def consume(self, cost: int) -> None:
        """Takes the tokens of one request; a refused request takes none. Raises RateLimited."""
        if cost > self.per_minute:
            raise RateLimited(
                f"{self._kind} rate limit exceeded, request larger than rate limiter capacity, "
                "please try to split your request"
            )
        with self._mutex:
            self._refill()
            available = self._tokens
            if cost <= available:
                self._tokens -= cost
                return
        raise self._too_early(cost, available)

    def _refill(self) -> None:
        now = self._clock()
        self._tokens = min(self._tokens + (now - self._filled_at) * self.per_minute / 60, self.per_minute)
        self._filled_at = now

    def _too_early(self, cost: int, available: float) -> RateLimited:
        # Qdrant rounds the float32 of the waiting time up.
        seconds = math.ceil(np.float32((cost - available) * 60 / self.per_minute))
        return RateLimited(
            f"{self._kind} rate limit exceeded: Operation requires {cost} tokens but only {available:.1f} "
            f"were available. Retry after {seconds}s",
            retry_after=seconds,
        )
