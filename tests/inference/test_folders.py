"""How a model name leads to a folder on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qdlite.inference.folders import ModelFolder, cache_folder, context_window, find
from qdlite.inference.model import AddedModel, ModelCard
from qdlite.inference.settings import InferenceSettings

CARD = ModelCard("org/My-Model", "dense", ("text",), 4, source="hub/my-model-export", model_file="onnx/model.onnx")


def put(folder: Path, *files: str) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * 10)
    return folder


def found(directory: Path, card: ModelCard = CARD) -> ModelFolder | None:
    return find(card, InferenceSettings(models_dirs=(directory,), cache_dir=directory / "no cache"))


@pytest.mark.parametrize(
    "place",
    [
        "org/my-model", "ORG/MY-MODEL", "my-model", "My-Model-ONNX", "my-model-onnx-q", "my-model-export",
        "hub/my-model-export", "my-model/fp32", "org/my-model/w8", "models--hub--my-model-export/snapshots/abc",
        "models--org--My-Model/snapshots/abc",
    ],
)  # fmt: skip
@pytest.mark.parametrize("file", ["onnx/model.onnx", "model.onnx", "model_optimized.onnx", "other.onnx"])
def test_places_and_file_names(tmp_path: Path, place: str, file: str) -> None:
    put(tmp_path / place, file)
    assert found(tmp_path) == ModelFolder(tmp_path / place, file)


@pytest.mark.parametrize("place", ["my-model-2", "my", "other/my-model", "org", "my-model-onnx-x", "a/b/my-model"])
def test_other_names_are_not_taken(tmp_path: Path, place: str) -> None:
    put(tmp_path / place, "model.onnx")
    assert found(tmp_path) is None


def test_the_directory_itself(tmp_path: Path) -> None:
    folder = put(tmp_path / "my-model-onnx", "model.onnx")
    assert found(folder) == ModelFolder(folder, "model.onnx")


def test_full_precision_first(tmp_path: Path) -> None:
    for variant in ("a", "int8", "w8", "fp32"):
        put(tmp_path / "my-model" / variant, "model.onnx")
    preferred = found(tmp_path)
    assert preferred is not None and preferred.path.name == "fp32"
    settings = InferenceSettings(models_dirs=(tmp_path,), variants=("w8",))
    chosen = find(CARD, settings)
    assert chosen is not None and chosen.path.name == "w8"


def test_folder_of_the_organisation_before_the_plain_one(tmp_path: Path) -> None:
    put(tmp_path / "my-model", "model.onnx")
    put(tmp_path / "org" / "my-model", "model.onnx")
    first = found(tmp_path)
    assert first is not None and first.path == tmp_path / "org" / "my-model"


def test_incomplete_folders_are_passed_over(tmp_path: Path) -> None:
    card = ModelCard("org/m", "sparse", ("text",), None, additional_files=("stopwords.txt", "model.onnx_data"))
    put(tmp_path / "org" / "m", "model.onnx")
    assert found(tmp_path, card) is None
    put(tmp_path / "m", "model.onnx", "stopwords.txt")
    complete = found(tmp_path, card)
    assert complete is not None and complete.path == tmp_path / "m"


def test_two_unnamed_onnx_files_are_ambiguous(tmp_path: Path) -> None:
    put(tmp_path / "my-model", "a.onnx", "b.onnx")
    assert found(tmp_path) is None


def test_a_quantised_model_is_not_taken_from_the_full_file(tmp_path: Path) -> None:
    card = ModelCard("org/m-Q", "dense", ("text",), 4, source="org/m", model_file="onnx/model_quantized.onnx")
    put(tmp_path / "m", "onnx/model.onnx")
    assert found(tmp_path, card) is None
    put(tmp_path / "m", "onnx/model_quantized.onnx")
    assert found(tmp_path, card) == ModelFolder(tmp_path / "m", "onnx/model_quantized.onnx")


def test_revision_of_main_first(tmp_path: Path) -> None:
    repository = tmp_path / "models--org--my-model"
    put(repository / "snapshots" / "a", "model.onnx")
    put(repository / "snapshots" / "b", "model.onnx")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("b")
    current = found(tmp_path)
    assert current is not None and current.path.name == "b"


def test_cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTEMBED_CACHE_PATH", str(tmp_path))
    assert cache_folder(InferenceSettings()) == tmp_path
    assert cache_folder(InferenceSettings(cache_dir=tmp_path / "c")) == tmp_path / "c"
    put(tmp_path / "models--hub--my-model-export" / "snapshots" / "r", "onnx/model.onnx")
    assert find(CARD, InferenceSettings()) is not None


def test_path_tricks_in_a_name_find_nothing(tmp_path: Path) -> None:
    put(tmp_path / "secret", "model.onnx")
    inside = put(tmp_path / "models", "readme")
    for name in ("../secret", "..", "x/../../secret", str(tmp_path / "secret")):
        assert found(inside, ModelCard(name, "dense", ("text",), 4)) is None


def test_added_model_names_its_folder(tmp_path: Path) -> None:
    folder = put(tmp_path / "anywhere", "mine.onnx")
    added = AddedModel("me/mine", 4, folder=folder, model_file="mine.onnx")
    card = ModelCard("me/mine", "dense", ("text",), 4, model_file="mine.onnx", added=added)
    assert found(tmp_path / "empty", card) == ModelFolder(folder, "mine.onnx")


def test_size_counts_external_data(tmp_path: Path) -> None:
    folder = put(tmp_path / "m", "model.onnx", "model.onnx_data", "tokenizer.json")
    assert ModelFolder(folder, "model.onnx").size == 20


@pytest.mark.parametrize(
    ("config", "window"),
    [
        ({"model_max_length": 256}, 256),
        ({"model_max_length": 512, "max_length": 128}, 128),
        ({"model_max_length": 1e30}, None),
        ({"model_max_length": 10**30}, None),
        ({"model_max_length": 0}, None),
        ({}, None),
    ],
)
def test_context_window(tmp_path: Path, config: dict[str, float], window: int | None) -> None:
    assert context_window(ModelFolder(tmp_path, "model.onnx")) is None
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert context_window(ModelFolder(tmp_path, "model.onnx")) == window
