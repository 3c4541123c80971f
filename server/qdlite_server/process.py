"""What does the system say of this process? Numbers that only Linux gives."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_SELF = Path("/proc/self")


class Figure(NamedTuple):
    """One number in the form of Prometheus; `kind` is `gauge` or `counter`."""

    name: str
    kind: str
    help_text: str
    value: float


def figures() -> list[Figure]:
    """Names and help texts are Qdrant's. Empty where the system does not tell."""
    with suppress(ImportError, OSError, ValueError):
        return _figures()
    return []


def _figures() -> list[Figure]:
    import resource  # not everywhere

    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    limits = [limit for limit in resource.getrlimit(resource.RLIMIT_NOFILE) if limit != resource.RLIM_INFINITY]
    minor, major = sum(usage.ru_minflt for usage in usages), sum(usage.ru_majflt for usage in usages)
    maps = (_SELF / "maps").read_bytes().count(b"\n")
    most_maps = int(Path("/proc/sys/vm/max_map_count").read_text())
    return [
        Figure("process_threads", "gauge", "count of active threads", len(os.listdir(_SELF / "task"))),
        Figure("process_open_mmaps", "gauge", "count of open mmaps", maps),
        Figure("system_max_mmaps", "gauge", "system wide limit of open mmaps", most_maps),
        Figure("process_open_fds", "gauge", "count of currently open file descriptors", len(os.listdir(_SELF / "fd"))),
        Figure("process_max_fds", "gauge", "limit for open file descriptors", min(limits, default=0)),
        Figure(
            "process_minor_page_faults_total",
            "counter",
            "count of minor page faults which didn't cause a disk access",
            minor,
        ),
        Figure(
            "process_major_page_faults_total",
            "counter",
            "count of disk accesses caused by a mmap page fault",
            major,
        ),
    ]
