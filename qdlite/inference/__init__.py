"""How do texts and images become vectors? Knows models, but no collection."""

from qdlite.inference.added import read_models
from qdlite.inference.cancellation import Cancellation
from qdlite.inference.inputs import DataKind, InferenceInput, InferenceResult, Mode
from qdlite.inference.model import AddedModel, ModelDescription, ModelReport
from qdlite.inference.service import InferenceService
from qdlite.inference.settings import ImageSettings, InferenceSettings, ProviderSettings

__all__ = [
    "AddedModel",
    "Cancellation",
    "DataKind",
    "ImageSettings",
    "InferenceInput",
    "InferenceResult",
    "InferenceService",
    "InferenceSettings",
    "Mode",
    "ModelDescription",
    "ModelReport",
    "ProviderSettings",
    "read_models",
]
