"""What guards a collection in strict mode? Its limits, and the limiters of reads and writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from qdlite.collection.config import strict_mode
from qdlite.collection.limits.verify import Request, verify
from qdlite.collection.rate_limiter import Clock, RateLimiter
from qdlite.models.collections import StrictModeConfig
from qdlite.models.info import CollectionConfig

if TYPE_CHECKING:
    from qdlite.collection.state import CollectionState


class Guard:
    """Made anew whenever strict mode is configured, which also fills the limiters up again."""

    def __init__(self, limits: StrictModeConfig, clock: Clock = time.monotonic) -> None:
        self.limits = limits
        reads, writes = limits.read_rate_limit, limits.write_rate_limit
        self._reads = None if reads is None else RateLimiter(reads, "Read", clock)
        self._writes = None if writes is None else RateLimiter(writes, "Write", clock)

    @staticmethod
    def of(config: CollectionConfig) -> Guard | None:
        """None if strict mode is off."""
        limits = strict_mode(config)
        return None if limits is None else Guard(limits)

    def verify(self, state: CollectionState, request: Request, timeout: float | None = None) -> None:
        """Raises BadRequest if the request breaks a limit."""
        verify(state, self.limits, request, timeout)

    def charge_read(self, cost: Callable[[], int]) -> None:
        """Takes the tokens of a read; the cost is asked for only if there is a limit. Raises RateLimited."""
        if self._reads is not None:
            self._reads.consume(cost())

    def charge_write(self, cost: Callable[[], int]) -> None:
        """Takes the tokens of a write. Raises RateLimited."""
        if self._writes is not None:
            self._writes.consume(cost())
