"""How often was each endpoint asked, and how long did it take? For telemetry and metrics."""

from __future__ import annotations

import threading
import uuid
from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, timezone

from msgspec import Struct, field

BUCKETS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 50.0)
"""Upper bounds of the histogram, in seconds."""

MAX_COLLECTIONS = 1000
"""Collections with statistics of their own; names come from requests, so there must be an end."""


class Durations(Struct):
    """Counts and durations (seconds) of the responses of one endpoint with one status."""

    count: int = 0
    total: float = 0.0
    shortest: float = float("inf")
    longest: float = 0.0
    last: float = 0.0
    """When the last response was given, in seconds since the epoch."""
    histogram: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))

    def add(self, seconds: float, now: float) -> None:
        """Counts a response that took so long and was given now (seconds since the epoch)."""
        self.count += 1
        self.total += seconds
        self.shortest = min(self.shortest, seconds)
        self.longest = max(self.longest, seconds)
        self.last = now
        self.histogram[bisect_left(BUCKETS, seconds)] += 1

    def describe(self) -> dict[str, object]:
        """The shape of telemetry: microseconds and a date."""
        return {
            "count": self.count,
            "avg_duration_micros": self.total / self.count * 1e6,
            "min_duration_micros": self.shortest * 1e6,
            "max_duration_micros": self.longest * 1e6,
            "total_duration_micros": round(self.total * 1e6),
            "last_responded": datetime.fromtimestamp(self.last, timezone.utc).isoformat(timespec="milliseconds"),
        }


class Statistics:
    """What one server (or in-process client) has answered since it started."""

    def __init__(self) -> None:
        self.started = datetime.now(timezone.utc)
        self.instance = str(uuid.uuid4())
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, str, int], Durations] = {}
        self._collections: set[str] = set()

    def add(self, label: str, collection: str, status: int, seconds: float, now: float) -> None:
        """`label` is the endpoint; `collection` is empty for endpoints without one."""
        with self._lock:
            if collection not in self._collections:
                if len(self._collections) >= MAX_COLLECTIONS:
                    collection = ""
                self._collections.add(collection)
            key = (collection, label, status)
            row = self._rows.get(key)
            if row is None:
                row = self._rows[key] = Durations()
            row.add(seconds, now)

    def rows(self) -> Iterator[tuple[str, str, int, Durations]]:
        """(collection, endpoint, status, durations), one row per combination seen."""
        with self._lock:
            rows = list(self._rows.items())
        for (collection, label, status), durations in rows:
            yield collection, label, status, durations

    def totals(self) -> Iterator[tuple[str, int, Durations]]:
        """(endpoint, status, durations) over all collections."""
        sums: dict[tuple[str, int], Durations] = {}
        for _, label, status, durations in self.rows():
            _merge(sums.setdefault((label, status), Durations()), durations)
        for (label, status), durations in sums.items():
            yield label, status, durations


def _merge(into: Durations, other: Durations) -> None:
    into.count += other.count
    into.total += other.total
    into.shortest = min(into.shortest, other.shortest)
    into.longest = max(into.longest, other.longest)
    into.last = max(into.last, other.last)
    into.histogram = [a + b for a, b in zip(into.histogram, other.histogram, strict=True)]
