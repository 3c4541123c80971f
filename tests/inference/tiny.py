"""Tiny models with random weights, made by a script beside the repository, in the layout of a models directory."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from tests.inference.tiny_kinds import BUILDERS

os.environ["HF_HUB_OFFLINE"] = "1"


PLACES = {
    "dense": "all-MiniLM-L6-v2",
    "splade": "prithivida/Splade_PP_en_v1",
    "colbert": "colbert-ir/colbertv2.0",
    "answerai-colbert": "answerai-colbert-small-v1-onnx",
    "clip-text": "clip-ViT-B-32-text",
    "clip-vision": "clip-ViT-B-32-vision/fp32",
}


@pytest.fixture(scope="session")
def tiny(shared: Path) -> Any:
    """The module that generates the models."""
    pytest.importorskip("fastembed")
    pytest.importorskip("onnx")
    source = shared / "models" / "tiny_models.py"
    spec = importlib.util.spec_from_file_location("tiny_models", source)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny_models(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models directory with one tiny model of every kind, under the names of real ones."""
    built = tmp_path_factory.mktemp("built")
    directory = tmp_path_factory.mktemp("models")
    tiny.build(built)
    for name, place in PLACES.items():
        (directory / place).parent.mkdir(parents=True, exist_ok=True)
        (built / name).rename(directory / place)
    for name, build in BUILDERS.items():
        (directory / name).mkdir(parents=True)
        build(tiny, directory / name)
    return directory
