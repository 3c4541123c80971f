"""Is the process about to run out of memory? The limit in percent of the machine's memory."""

from __future__ import annotations

import os

from qdlite.collection.limits.refusals import refusal
from qdlite.models.collections import StrictModeConfig

_STATM = "/proc/self/statm"


def verify_memory(limits: StrictModeConfig) -> None:
    """For updates that store something. Where memory cannot be measured there is no limit, as in Qdrant."""
    limit = limits.max_resident_memory_percent
    used = None if limit is None else resident_percent()
    if limit is not None and used is not None and used >= limit:
        raise refusal(
            f"Resident memory usage is at {used}% of total memory, exceeding the configured limit of {limit}%",
            "Reduce memory usage (e.g. delete points or drop collections), or raise `max_resident_memory_percent` "
            "in the strict mode config of this collection.",
        )


def resident_percent() -> int | None:
    """Resident memory of this process in whole percent of the machine's; None where the system does not tell."""
    try:
        with open(_STATM, encoding="ascii") as file:
            pages = int(file.read().split()[1])
        return 100 * pages // os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return None
