"""How do snapshots look on the wire? What describes one, and the bodies that bring one back."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from msgspec import UNSET, Struct, UnsetType

from qdlite.lazily import pattern
from qdlite.models.base import Model

Priority = Literal["no_sync", "snapshot", "replica"]
"""What counts if there are other replicas. A single node has none, so that all mean the same."""

_SCHEME = pattern(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_SHA256 = pattern(r"[0-9a-fA-F]{64}")


def is_url(location: str) -> bool:
    return _SCHEME().match(location) is not None


def checksum_problem(checksum: str) -> str | None:
    """The rule for SHA-256 checksums given by clients; the texts are the code and details that Qdrant prints."""
    if len(checksum) != 64:
        details = f'"length": Number({len(checksum)}), "expected_length": Number(64)'
    elif not _SHA256().fullmatch(checksum):
        details = '"message": String("invalid characters, expected 0-9, a-f, A-F")'
    else:
        return None
    return f"Validation error: invalid_sha256_hash [{{{details}}}]"


class SnapshotDescription(Struct, frozen=True, kw_only=True):
    """`creation_time` is in UTC, to the second; `size` in bytes; `checksum` the SHA-256 of the file."""

    name: str
    creation_time: str | None
    size: int
    checksum: str | UnsetType = UNSET


class ShardSnapshotRecover(Model, frozen=True, kw_only=True):
    """`location` is an http(s) URL, or the name of a snapshot of this shard."""

    location: str
    priority: Priority | None = None
    checksum: str | None = None
    api_key: str | None = None

    rules: ClassVar = {"checksum": checksum_problem}


class SnapshotRecover(ShardSnapshotRecover, frozen=True, kw_only=True):
    """`location` is a file:// or http(s) URL."""

    def __post_init__(self) -> None:
        if not is_url(self.location):
            raise ValueError("relative URL without a base")
