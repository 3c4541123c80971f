"""Collections by name, aliases, and every call of the API on them: all of qdlite, without any server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.lazily import offered

if TYPE_CHECKING:
    from qdlite.collection.measures import CollectionMeasures
    from qdlite.database.database import Database
    from qdlite.database.embeddings import RequestContext
    from qdlite.inference.added import read_models
    from qdlite.inference.cancellation import Cancellation
    from qdlite.inference.inputs import DataKind, InferenceInput, Mode
    from qdlite.inference.model import ModelDescription, ModelReport
    from qdlite.inference.settings import ImageSettings, InferenceSettings, ProviderSettings
    from qdlite.persistence.snapshots import SnapshotSettings

__all__ = [
    "Cancellation",
    "CollectionMeasures",
    "DataKind",
    "Database",
    "ImageSettings",
    "InferenceInput",
    "InferenceSettings",
    "Mode",
    "ModelDescription",
    "ModelReport",
    "ProviderSettings",
    "RequestContext",
    "SnapshotSettings",
    "read_models",
]

_HOMES = {
    "qdlite.collection.measures": ("CollectionMeasures",),
    "qdlite.database.database": ("Database",),
    "qdlite.database.embeddings": ("RequestContext",),
    "qdlite.inference.added": ("read_models",),
    "qdlite.inference.cancellation": ("Cancellation",),
    "qdlite.inference.inputs": ("DataKind", "InferenceInput", "Mode"),
    "qdlite.inference.model": ("ModelDescription", "ModelReport"),
    "qdlite.inference.settings": ("ImageSettings", "InferenceSettings", "ProviderSettings"),
    "qdlite.persistence.snapshots": ("SnapshotSettings",),
}
__getattr__ = offered(__name__, _HOMES)
