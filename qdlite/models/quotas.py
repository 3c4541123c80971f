"""Which limits does a whole node have? The quotas as they travel."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from qdlite.models.base import Model, UInt8, between


class QuotaConfig(Model, frozen=True, kw_only=True):
    """Limits in percent of what the machine has. Nothing is enforced unless `enabled`."""

    enabled: bool = False
    max_resident_memory_percent: UInt8 | None = None
    max_disk_usage_percent: UInt8 | None = None
    release_margin_percent: UInt8 | None = None

    rules: ClassVar = {
        "max_resident_memory_percent": between(1, 100),
        "max_disk_usage_percent": between(1, 100),
        "release_margin_percent": between(0, 100),
    }


class QuotaUsage(Struct, frozen=True, kw_only=True):
    """What this process takes, in percent of what the machine has; null where that is not measured."""

    resident_memory_percent: int | None = None
    disk_usage_percent: int | None = None


class QuotaStatus(Struct, frozen=True, kw_only=True):
    """`config`: as given, `enabled` always."""

    config: dict[str, bool | int]
    usage: QuotaUsage
