"""A service over tiny models, and HTTP servers that answer as a test decides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qdlite.inference import InferenceService, InferenceSettings
from tests.inference.stub import stub
from tests.inference.tiny import tiny, tiny_models

__all__ = ["stub", "tiny", "tiny_models"]


@pytest.fixture(scope="session")
def service(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InferenceService]:
    """A service over the tiny models, offline, with an empty cache directory."""
    settings = InferenceSettings(
        models_dirs=(tiny_models,), offline=True, threads=1, cache_dir=tmp_path_factory.mktemp("cache")
    )
    made = InferenceService(settings)
    yield made
    made.close()
