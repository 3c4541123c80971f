"""Collections and databases as files: qdlite's archive format, and nothing else that is written to a disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.lazily import offered

if TYPE_CHECKING:
    from qdlite.persistence.archive import load, save, write
    from qdlite.persistence.files import equal_checksums, sha256
    from qdlite.persistence.locations import REMOTE, located
    from qdlite.persistence.snapshots import SnapshotFolder, SnapshotSettings, SnapshotStore

__all__ = [
    "REMOTE",
    "SnapshotFolder",
    "SnapshotSettings",
    "SnapshotStore",
    "equal_checksums",
    "load",
    "located",
    "save",
    "sha256",
    "write",
]

_HOMES = {
    "qdlite.persistence.archive": ("load", "save", "write"),
    "qdlite.persistence.files": ("equal_checksums", "sha256"),
    "qdlite.persistence.locations": ("REMOTE", "located"),
    "qdlite.persistence.snapshots": ("SnapshotFolder", "SnapshotSettings", "SnapshotStore"),
}
__getattr__ = offered(__name__, _HOMES)
