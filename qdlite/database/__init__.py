"""Collections by name, aliases, and every call of the API on them: all of qdlite, without any server."""

from qdlite.database.database import Database
from qdlite.database.embeddings import RequestContext
from qdlite.inference import InferenceSettings, ModelDescription
from qdlite.persistence.snapshots import SnapshotSettings

__all__ = ["Database", "InferenceSettings", "ModelDescription", "RequestContext", "SnapshotSettings"]
