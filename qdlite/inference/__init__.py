"""How do texts and images become vectors? Knows models, but no collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.lazily import offered

if TYPE_CHECKING:
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

_HOMES = {
    "qdlite.inference.added": ("read_models",),
    "qdlite.inference.cancellation": ("Cancellation",),
    "qdlite.inference.inputs": ("DataKind", "InferenceInput", "InferenceResult", "Mode"),
    "qdlite.inference.model": ("AddedModel", "ModelDescription", "ModelReport"),
    "qdlite.inference.service": ("InferenceService",),
    "qdlite.inference.settings": ("ImageSettings", "InferenceSettings", "ProviderSettings"),
}
__getattr__ = offered(__name__, _HOMES)
