"""May the node take in more? The quota on memory, which holds for all collections together."""

from __future__ import annotations

from qdlite.collection import limits
from qdlite.errors import InsufficientStorage
from qdlite.models.quotas import QuotaConfig, QuotaStatus, QuotaUsage

DEFAULT_RELEASE_MARGIN = 5
"""Percentage points that usage has to fall below a limit it once reached."""

_HELP = (
    "Help: Reduce memory usage (e.g. delete points or drop collections), or raise `max_resident_memory_percent` "
    "in the global quota config."
)


class Quotas:
    """The limits in force. A limit on disk usage is kept but not enforced: updates take no room on disk."""

    def __init__(self) -> None:
        self._config = QuotaConfig()
        self._exceeded = False

    def configure(self, config: QuotaConfig) -> None:
        """Puts other limits in place of these."""
        self._config, self._exceeded = config, False

    def status(self) -> QuotaStatus:
        """The limits as they were given, and what of the memory is used (None: it cannot be measured)."""
        config: dict[str, bool | int] = {"enabled": self._config.enabled}
        for name in ("max_resident_memory_percent", "max_disk_usage_percent", "release_margin_percent"):
            limit = getattr(self._config, name)
            if limit is not None:
                config[name] = limit
        used = limits.resident_percent()
        usage = QuotaUsage(resident_memory_percent=None if used is None else min(used, 100))
        return QuotaStatus(config=config, usage=usage)

    def exceeded(self) -> bool | None:
        """Whether updates that store something are refused; None if no limit is enforced."""
        return None if self._measured() is None else self._exceeded

    def check_update(self) -> None:
        """For updates that store something. Raises InsufficientStorage while too much memory is used."""
        measured = self._measured() if self._config.enabled else None
        if measured is not None and self._exceeded:
            raise InsufficientStorage(f"{_condition(*measured)}. {_HELP}")

    def _measured(self) -> tuple[int, int, int] | None:
        """Usage, limit and the usage from which on updates are refused, which is lower once the limit was reached. None
        without a limit; there is none where memory cannot be measured, as in Qdrant."""
        limit = self._config.max_resident_memory_percent if self._config.enabled else None
        used = None if limit is None else limits.resident_percent()
        if limit is None or used is None:
            return None
        threshold = max(limit - self._margin(), 1) if self._exceeded else limit
        self._exceeded = used >= threshold
        return used, limit, threshold

    def _margin(self) -> int:
        margin = self._config.release_margin_percent
        return DEFAULT_RELEASE_MARGIN if margin is None else margin


def _condition(used: int, limit: int, threshold: int) -> str:
    at = f"Resident memory usage is at {used}% of total memory"
    if used >= limit:
        return f"{at}, exceeding the configured limit of {limit}%"
    return (
        f"{at}. It reached the configured limit of {limit}% and has to fall below {threshold}% before this node "
        "takes writes again"
    )
