"""Storage and nearest-neighbour search of one named vector, over offsets and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.lazily import offered

if TYPE_CHECKING:
    from qdlite.vectors.multi import MultiIndex
    from qdlite.vectors.sparse import Modifier, SparseIndex

__all__ = ["Modifier", "MultiIndex", "SparseIndex"]

_HOMES = {
    "qdlite.vectors.multi": ("MultiIndex",),
    "qdlite.vectors.sparse": ("Modifier", "SparseIndex"),
}
__getattr__ = offered(__name__, _HOMES)
