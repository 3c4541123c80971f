"""The state of one collection: its points, vectors, payload and configuration, and every way to change or read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.lazily import offered

if TYPE_CHECKING:
    from qdlite.collection.info import collection_info
    from qdlite.collection.matrix import matrix_offsets, matrix_pairs
    from qdlite.collection.measures import CollectionMeasures, collection_measures

__all__ = [
    "CollectionMeasures",
    "collection_info",
    "collection_measures",
    "matrix_offsets",
    "matrix_pairs",
]

_HOMES = {
    "qdlite.collection.info": ("collection_info",),
    "qdlite.collection.matrix": ("matrix_offsets", "matrix_pairs"),
    "qdlite.collection.measures": ("CollectionMeasures", "collection_measures"),
}
__getattr__ = offered(__name__, _HOMES)
