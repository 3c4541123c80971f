"""Models of the user: declared in a file, or describing themselves in a models directory."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qdlite.errors import InferenceError
from qdlite.inference import AddedModel, InferenceInput, InferenceService, InferenceSettings
from qdlite.inference.added import discover, read_models
from qdlite.types import FloatArray

needs_toml = pytest.mark.skipif(sys.version_info < (3, 11), reason="TOML is part of Python from 3.11 on")


def declared(tmp_path: Path, **model: Any) -> Path:
    file = tmp_path / "models.json"
    file.write_text(json.dumps({"models": [{"name": "me/m", "dimensions": 4, **model}]}))
    return file


@needs_toml
def test_toml(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text(
        '[[models]]\nname = "me/one"\nfolder = "one"\ndimensions = 384\npooling = "cls"\nnormalize = false\n'
        'query_prefix = "q: "\n[[models]]\nname = "two"\ndimensions = 8\nsource = "hub/two"\n'
    )
    one, two = read_models(file)
    assert one == AddedModel(
        "me/one", 384, pooling="cls", normalize=False, folder=tmp_path / "one", prefixes=("q: ", "")
    )
    assert two == AddedModel("two", 8, source="hub/two")
    file.write_text("[[models]")
    with pytest.raises(InferenceError, match=r"models\.toml"):
        read_models(file)


@pytest.mark.parametrize("suffix", ["yaml", "yml", "YAML"])
def test_yaml(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("yaml")
    file = tmp_path / f"models.{suffix}"
    file.write_text(
        "models:\n"
        "  - name: me/one  # a comment\n    folder: one\n    dimensions: 384\n    pooling: cls\n    normalize: false\n"
        '    query_prefix: "q: "\n'
        "  - {name: two, dimensions: 8, source: hub/two}\n"
    )
    one, two = read_models(file)
    assert one == AddedModel(
        "me/one", 384, pooling="cls", normalize=False, folder=tmp_path / "one", prefixes=("q: ", "")
    )
    assert two == AddedModel("two", 8, source="hub/two")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("models: [", r"flow node"),
        (
            "models:\n  - {name: me/m, dimensions: four}",
            r"Expected `int`, got `str` - at `\$\.models\[0\]\.dimensions`",
        ),
        ("models:\n  - {name: me/m, dimensions: 4, poling: mean}", r"unknown field `poling`"),
        ("models:\n  - {dimensions: 4}", r"every model needs a `name`"),
        ("", r"Expected `object`, got `null`"),
        ("--- {models: []}\n--- {}", r"single document"),
        ("models: !!python/object/apply:os.getcwd []", r"constructor"),
    ],
)
def test_mistakes_in_yaml_are_named(tmp_path: Path, content: str, message: str) -> None:
    pytest.importorskip("yaml")
    file = tmp_path / "models.yaml"
    file.write_text(content)
    with pytest.raises(InferenceError, match=rf"models\.yaml(.|\n)*{message}"):
        read_models(file)


def test_yaml_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    file = tmp_path / "models.yaml"
    file.write_text("models: []")
    with pytest.raises(InferenceError, match=r"need the package PyYAML \(pip install pyyaml\)"):
        read_models(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dimensions": 0}, r"dimensions"),
        ({"dimensions": "4"}, r"dimensions"),
        ({"pooling": "max"}, r"pooling"),
        ({"poling": "mean"}, r"unknown field `poling`"),
        ({"name": ""}, r"name"),
        ({"name": None}, r"every model needs a `name`"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InferenceError, match=rf"models\.json.*{message}"):
        read_models(declared(tmp_path, **change))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InferenceError, match="cannot be read"):
        read_models(tmp_path / "none.json")


def one_token_models(tiny: Any, folder: Path) -> Path:
    folder.mkdir(parents=True)
    tiny.dense_text(folder, dim=12)
    return folder


def embed(service: InferenceService, model: str, text: str, mode: Any = "update") -> FloatArray:
    (vector,) = service.infer([InferenceInput(text, "text", model)], mode).embeddings
    assert isinstance(vector, np.ndarray)
    return vector


def test_pooling_and_normalisation(tiny: Any, tmp_path: Path) -> None:
    """Against the same model read with onnxruntime alone."""
    runtime: Any = pytest.importorskip("onnxruntime")
    tokenizers: Any = pytest.importorskip("tokenizers")
    folder = one_token_models(tiny, tmp_path / "m")
    tokens = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")).encode("dog sleeps in rain")
    ids = np.array([tokens.ids])
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    states = runtime.InferenceSession(str(folder / "model.onnx")).run(None, inputs)[0][0]
    expected = {"mean": states.mean(axis=0), "cls": states[0], "last_token": states[-1]}
    for pooling, vector in expected.items():
        for normalize in (True, False):
            file = declared(tmp_path, folder="m", dimensions=12, pooling=pooling, normalize=normalize)
            service = InferenceService(InferenceSettings(models=read_models(file), threads=1, offline=True))
            wanted = vector / np.linalg.norm(vector) if normalize else vector
            np.testing.assert_allclose(embed(service, "Me/M", "dog sleeps in rain"), wanted, atol=1e-5)
            described = service.describe("me/m")
            assert described is not None and (described.dimensions, described.context) == (12, 64)


def test_nothing_is_left_in_fastembed(tiny: Any, tmp_path: Path) -> None:
    fastembed: Any = pytest.importorskip("fastembed")
    before = fastembed.TextEmbedding.list_supported_models()
    one_token_models(tiny, tmp_path / "m")
    service = InferenceService(
        InferenceSettings(models=read_models(declared(tmp_path, folder="m", dimensions=12)), threads=1)
    )
    embed(service, "me/m", "dog")
    assert fastembed.TextEmbedding.list_supported_models() == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("qdlite.json", '{"dimensions": 12, "query_prefix": "query "}'),
        pytest.param("qdlite.toml", 'dimensions = 12\nquery_prefix = "query "', marks=needs_toml),
        ("qdlite.yaml", 'dimensions: 12\nquery_prefix: "query "'),
        ("qdlite.yml", 'dimensions: 12\nquery_prefix: "query "'),
    ],
)
def test_declared_in_its_folder(tiny: Any, tmp_path: Path, name: str, content: str) -> None:
    folder = one_token_models(tiny, tmp_path / "org" / "thing")
    (folder / name).write_text(content)
    service = InferenceService(InferenceSettings((tmp_path,), threads=1, offline=True))
    assert embed(service, "org/Thing", "dog").shape == (12,)
    np.testing.assert_array_equal(
        embed(service, "org/thing", "dog", "search"), embed(service, "org/thing", "query dog")
    )
    (folder / name).write_text("" if name == "qdlite.toml" else "{}")
    with pytest.raises(InferenceError, match=rf"{name}.*dimensions"):
        InferenceService(InferenceSettings((tmp_path,)))


def sentence_transformers(folder: Path, *modules: str, **pooling: Any) -> None:
    listed = [{"idx": n, "type": f"sentence_transformers.models.{name}"} for n, name in enumerate(modules)]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 12, **pooling}))


def test_folder_of_sentence_transformers(tiny: Any, tmp_path: Path) -> None:
    folder = one_token_models(tiny, tmp_path / "org" / "st-model")
    modules = ("Transformer", "Pooling", "Normalize")
    sentence_transformers(folder, *modules, pooling_mode_cls_token=False, pooling_mode_mean_tokens=True)
    (folder / "config_sentence_transformers.json").write_text('{"prompts": {"query": "query ", "document": ""}}')
    assert list(discover((tmp_path,))) == [
        (
            AddedModel("org/st-model", 12, model_file="onnx/model.onnx", folder=folder, prefixes=("query ", "")),
            False,
        )
    ]
    service = InferenceService(InferenceSettings((tmp_path,), threads=1, offline=True))
    vector = embed(service, "org/st-model", "dog")
    assert vector.shape == (12,) and np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert "org/st-model" in {model.name for model in service.models()}


@pytest.mark.parametrize(
    ("modules", "pooling"),
    [
        (("Transformer", "Pooling", "Dense"), {"pooling_mode": "mean"}),
        (("Transformer",), {"pooling_mode": "mean"}),
        (("Transformer", "Pooling"), {"pooling_mode_max_tokens": True}),
        (("Transformer", "Pooling"), {"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": True}),
        (("Transformer", "Pooling"), {"pooling_mode": "mean", "word_embedding_dimension": None}),
    ],
)
def test_pipelines_that_would_be_embedded_wrongly_are_left_out(
    tmp_path: Path, modules: tuple[str, ...], pooling: dict[str, Any]
) -> None:
    (tmp_path / "m").mkdir()
    sentence_transformers(tmp_path / "m", *modules, **pooling)
    assert list(discover((tmp_path,))) == []


def test_fastembeds_settings_win_over_sentence_transformers_files(tiny: Any, tmp_path: Path) -> None:
    folder = one_token_models(tiny, tmp_path / "sentence-transformers" / "all-MiniLM-L6-v2")
    sentence_transformers(folder, "Transformer", "Pooling", pooling_mode="cls")
    service = InferenceService(InferenceSettings((tmp_path,), threads=1, offline=True))
    described = service.describe("sentence-transformers/all-MiniLM-L6-v2")
    assert described is not None and described.dimensions == 384
    shutil.rmtree(folder)


def service_of(tmp_path: Path, **declared: Any) -> InferenceService:
    model = AddedModel("me/m", **{"dimensions": 384, "folder": tmp_path, **declared})
    return InferenceService(InferenceSettings(models=(model,), offline=True, threads=1))


def test_declarations_that_do_not_fit_the_files(tiny: Any, tmp_path: Path) -> None:
    tiny.dense_text(tmp_path)
    given = [InferenceInput("a dog", "text", "me/m")]
    for declared, message in (
        ({"dimensions": 100}, "makes vectors of 384 dimensions, but 100 are declared"),
        ({"model_file": "other.onnx"}, rf"is not in {tmp_path}, or has no file other\.onnx there"),
        ({"folder": tmp_path / "none"}, "none, or has no file model.onnx there"),
        ({"folder": None}, "Put its files into <models directory>/me/m"),
        ({"folder": None, "source": "hub/m"}, "Run `qdlite models pull me/m`"),
    ):
        with pytest.raises(InferenceError, match=message):
            service_of(tmp_path, **declared).infer(given, "update")


def test_context(tiny: Any, tmp_path: Path) -> None:
    tiny.dense_text(tmp_path)
    given = [InferenceInput("dog " * 100, "text", "me/m")]
    for declared, window in ((8, 8), (1000, 64), (None, 64)):
        made = service_of(tmp_path, context=declared)
        assert made.infer(given, "update").usage == {"me/m": window}
        described = made.describe("me/m")
        assert described is not None and described.context == window


def test_a_directory_that_is_not_there_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    InferenceService(InferenceSettings(models_dirs=(tmp_path / "none", tmp_path)))
    assert caplog.messages == [f"The models directory {tmp_path / 'none'} does not exist"]
