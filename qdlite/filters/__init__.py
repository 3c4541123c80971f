"""Filters: from conditions on points to masks of offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.lazily import offered

if TYPE_CHECKING:
    from qdlite.filters.compile import mask

__all__ = ["mask"]

_HOMES = {"qdlite.filters.compile": ("mask",)}
__getattr__ = offered(__name__, _HOMES)
