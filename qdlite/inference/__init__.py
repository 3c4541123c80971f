"""How do texts and images become vectors? Knows models, but no collection."""

from qdlite.inference.inputs import InferenceInput, InferenceResult, Mode
from qdlite.inference.model import AddedModel, ModelDescription
from qdlite.inference.service import InferenceService
from qdlite.inference.settings import ImageSettings, InferenceSettings, ProviderSettings

__all__ = [
    "AddedModel",
    "ImageSettings",
    "InferenceInput",
    "InferenceResult",
    "InferenceService",
    "InferenceSettings",
    "Mode",
    "ModelDescription",
    "ProviderSettings",
]
