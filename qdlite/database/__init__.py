"""Collections by name, aliases, and every call of the API on them: all of qdlite, without any server."""

from qdlite.collection.measures import CollectionMeasures
from qdlite.database.database import Database
from qdlite.database.embeddings import RequestContext
from qdlite.inference import (
    Cancellation,
    DataKind,
    ImageSettings,
    InferenceInput,
    InferenceSettings,
    Mode,
    ModelDescription,
    ModelReport,
    ProviderSettings,
    read_models,
)
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
