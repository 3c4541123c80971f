"""The state of one collection: its points, vectors, payload and configuration, and every way to change or read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.lazily import offered

if TYPE_CHECKING:
    from qdlite.collection.capture import CollectionCapture, check_compatible, restored
    from qdlite.collection.info import collection_info
    from qdlite.collection.matrix import matrix_offsets, matrix_pairs
    from qdlite.collection.measures import CollectionMeasures, collection_measures
    from qdlite.collection.scroll import page

__all__ = [
    "CollectionCapture",
    "CollectionMeasures",
    "check_compatible",
    "collection_info",
    "collection_measures",
    "matrix_offsets",
    "matrix_pairs",
    "page",
    "restored",
]

_HOMES = {
    "qdlite.collection.capture": ("CollectionCapture", "check_compatible", "restored"),
    "qdlite.collection.info": ("collection_info",),
    "qdlite.collection.matrix": ("matrix_offsets", "matrix_pairs"),
    "qdlite.collection.measures": ("CollectionMeasures", "collection_measures"),
    "qdlite.collection.scroll": ("page",),
}
__getattr__ = offered(__name__, _HOMES)
