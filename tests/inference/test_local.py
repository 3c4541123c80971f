"""Models of fastembed from a models directory: real classes, tiny weights; and a real MiniLM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qdlite.errors import InferenceError
from qdlite.inference import InferenceInput, InferenceService, InferenceSettings
from qdlite.inference.embedders.fastembed import FastembedEmbedder, quantises_activations, text_limits
from qdlite.inference.folders import ModelFolder
from qdlite.inference.inputs import Call, Mode
from qdlite.inference.lane import Lane
from qdlite.inference.model import ModelCard
from qdlite.types import FloatArray, SparseArray

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
DOCUMENTS = [
    "Recipe for baking chocolate chip cookies",
    "The stock market fell today",
    "the dog sleeps in the garden",
]


def dense(service: InferenceService, model: str, texts: list[str], mode: Mode = "update") -> FloatArray:
    embeddings = service.infer([InferenceInput(text, "text", model) for text in texts], mode).embeddings
    assert all(isinstance(vector, np.ndarray) and vector.dtype == np.float32 for vector in embeddings)
    return np.stack(embeddings)


@pytest.mark.parametrize("model", [MINILM, MINILM.lower(), MINILM.upper()])
def test_dense_in_any_letter_case(service: InferenceService, model: str) -> None:
    documents = dense(service, model, DOCUMENTS)
    query = dense(service, model, ["How to bake cookies?"], "search")[0]
    assert documents.shape == (3, 384)
    assert np.argmax(documents @ query) == 0
    np.testing.assert_allclose(np.linalg.norm(documents, axis=1), 1, atol=1e-6)


def test_same_as_fastembed(service: InferenceService, tiny_models: Path) -> None:
    fastembed: Any = pytest.importorskip("fastembed")
    reference = fastembed.TextEmbedding(MINILM, specific_model_path=str(tiny_models / "all-MiniLM-L6-v2"), threads=1)
    np.testing.assert_array_equal(dense(service, MINILM, DOCUMENTS), np.stack(list(reference.embed(DOCUMENTS))))


def test_file_name_other_than_the_listed_one(service: InferenceService, tiny: Any, tiny_models: Path) -> None:
    """fastembed lists `model_optimized.onnx` for this model; the folder has `model.onnx`."""
    (tiny_models / "bge-small-en-v1.5").mkdir()
    tiny.dense_text(tiny_models / "bge-small-en-v1.5")
    assert dense(service, "baai/bge-small-en-v1.5", DOCUMENTS).shape == (3, 384)


def test_order_duplicates_and_tokens(service: InferenceService) -> None:
    texts = ["dog", "how to bake cookies", "dog", "stock market"] * 40
    result = service.infer([InferenceInput(text, "text", MINILM) for text in texts], "update")
    alone = {text: dense(service, MINILM, [text])[0] for text in set(texts)}
    for text, vector in zip(texts, result.embeddings, strict=True):
        np.testing.assert_array_equal(vector, alone[text])
    assert result.usage == {MINILM: 3 + 6 + 4}  # words in the tiny vocabulary, with [CLS] and [SEP]


def test_tokens_beyond_the_window_are_not_counted(service: InferenceService) -> None:
    result = service.infer([InferenceInput("dog " * 500, "text", MINILM)], "update")
    assert result.usage == {MINILM: 64}


def test_sparse(service: InferenceService) -> None:
    model = "prithivida/splade_pp_en_v1"
    documents = service.infer([InferenceInput(text, "text", model) for text in DOCUMENTS], "update").embeddings
    query = service.infer([InferenceInput("bake cookies", "text", model)], "search").embeddings[0]
    assert isinstance(query, SparseArray)
    scores = []
    for document in documents:
        assert isinstance(document, SparseArray)
        assert document.indices.dtype == np.uint32 and document.values.dtype == np.float32
        assert (np.diff(document.indices.astype(np.int64)) > 0).all()
        weights = dict(zip(document.indices.tolist(), document.values.tolist(), strict=True))
        scores.append(sum(weights.get(index, 0.0) for index in query.indices.tolist()))
    assert np.argmax(scores) == 0
    with pytest.raises(InferenceError, match="sparse"):
        service.infer([InferenceInput("x", "text", model, {"mrl": 3})], "update")


@pytest.mark.parametrize(
    ("model", "size"), [("colbert-ir/ColBERTv2.0", 128), ("answerdotai/answerai-colbert-small-v1", 96)]
)
def test_late_interaction(service: InferenceService, model: str, size: int) -> None:
    inputs = [InferenceInput(text, "text", model) for text in DOCUMENTS]
    documents = service.infer(inputs, "update").embeddings
    query = service.infer([InferenceInput("How to bake cookies?", "text", model)], "search").embeddings[0]
    assert isinstance(query, np.ndarray) and query.shape == (32, size)
    scores = [float((query @ document.T).max(axis=1).sum()) for document in documents]  # type: ignore[union-attr]
    assert np.argmax(scores) == 0
    short = service.infer([InferenceInput(DOCUMENTS[0], "text", model, {"mrl": 7})], "update").embeddings[0]
    assert isinstance(short, np.ndarray) and isinstance(documents[0], np.ndarray)
    assert short.shape == (len(documents[0]), 7)


def test_wrong_kind_of_data(service: InferenceService) -> None:
    with pytest.raises(InferenceError, match="embeds text, not image"):
        service.infer([InferenceInput("x", "image", MINILM)], "update")
    with pytest.raises(InferenceError, match="embeds image, not text"):
        service.infer([InferenceInput("x", "text", "qdrant/clip-vit-b-32-vision")], "update")
    with pytest.raises(InferenceError, match="must be a string"):
        service.infer([InferenceInput(5, "text", MINILM)], "update")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("all-MiniLM-L6-v3", MINILM),
        ("BAAI/bge-smal-en-v1.5", "BAAI/bge-small-en-v1.5"),
        ("qdrant/bm-25", "qdrant/bm25"),
    ],
)
def test_unknown_model_suggests_close_names(service: InferenceService, name: str, suggestion: str) -> None:
    with pytest.raises(InferenceError) as refused:
        service.infer([InferenceInput("x", "text", name)], "update")
    assert f"Unknown model: {name}." in str(refused.value)
    assert suggestion in str(refused.value)
    assert "`qdlite models`" in str(refused.value)


def test_offline_and_not_on_disk(service: InferenceService, tiny_models: Path) -> None:
    with pytest.raises(InferenceError) as refused:
        service.infer([InferenceInput("x", "text", "thenlper/gte-base")], "update")
    assert str(tiny_models) in str(refused.value)
    assert "qdlite models pull thenlper/gte-base" in str(refused.value)


def test_broken_files_are_named(service: InferenceService, tiny_models: Path) -> None:
    folder = tiny_models / "thenlper" / "gte-large"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(InferenceError, match="could not be loaded from"):
        service.infer([InferenceInput("x", "text", "thenlper/gte-large")], "update")


def test_describe(service: InferenceService) -> None:
    here, elsewhere = service.describe(MINILM.lower()), service.describe("jinaai/jina-embeddings-v2-base-en")
    assert here is not None and elsewhere is not None
    assert (here.name, here.kind, here.dimensions, here.context, here.on_disk) == (MINILM, "dense", 384, 64, True)
    assert (elsewhere.dimensions, elsewhere.context, elsewhere.state) == (768, 8192, "not downloaded")
    kinds = {model.kind for model in service.models()}
    assert {"bm25", "hashing", "dense", "sparse", "late-interaction", "image", "late-interaction-multimodal"} == kinds
    assert service.describe("intfloat/multilingual-e5-small") is not None


def test_prefixes_by_mode(tiny: Any, tmp_path: Path) -> None:
    """E5 models were trained with a word before queries and another before passages."""
    model = "intfloat/multilingual-e5-small"
    (tmp_path / "multilingual-e5-small").mkdir()
    tiny.dense_text(tmp_path / "multilingual-e5-small")
    settings = InferenceSettings(models_dirs=(tmp_path,), offline=True, threads=1, cache_dir=tmp_path / "c")
    service = InferenceService(settings)
    plain = dense(service, model, ["dog", "passage: dog", "query: dog"])
    np.testing.assert_array_equal(plain[0], plain[1])
    assert not np.allclose(plain[0], plain[2])
    np.testing.assert_array_equal(
        dense(service, model, ["dog"], "search"), dense(service, model, ["query: dog"], "search")
    )
    bare = InferenceService(InferenceSettings(**{**vars(settings), "prefixes": {model: ("", "")}}))
    assert bare.infer([InferenceInput("dog", "text", model)], "update").usage == {model: 3}


def test_activation_quantisation_is_seen_in_the_file(tmp_path: Path, tiny_models: Path) -> None:
    onnx: Any = pytest.importorskip("onnx")
    node = onnx.helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node],
        "g",
        [value("x", onnx.TensorProto.FLOAT, [None])],
        [value("y", onnx.TensorProto.UINT8, [None])],
    )
    onnx.save(onnx.helper.make_model(graph), str(tmp_path / "q.onnx"))
    assert quantises_activations(tmp_path / "q.onnx")
    assert not quantises_activations(tiny_models / "all-MiniLM-L6-v2" / "model.onnx")


class Multimodal:
    """What fastembed's late-interaction multimodal models offer: no query_embed, two methods by kind."""

    tokenizer = None

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    def embed_text(self, texts: list[str]) -> list[Any]:
        self.calls.append(("text", len(texts)))
        return [np.ones((3, 4)) for _ in texts]

    def embed_image(self, images: list[Any]) -> list[Any]:
        self.calls.append(("image", len(images)))
        return [np.zeros((9, 4), dtype=np.float16) for _ in images]


def test_multimodal_models_run_input_by_input(tmp_path: Path) -> None:
    """Their text output contains the padding of the batch, so every text goes alone."""
    (tmp_path / "model.onnx").write_bytes(b"weights")
    card = ModelCard("Qdrant/colpali-v1.3-fp16", "late-interaction-multimodal", ("text", "image"), 4)
    model = Multimodal()
    limits = text_limits(card, model, ModelFolder(tmp_path, "model.onnx"), threads=2)
    lane = Lane("m", FastembedEmbedder(card, model, limits), 10)
    texts, _ = lane.run(["a", "bb"], "text", Call("search"))
    images, tokens = lane.run([object(), object()], "image", Call("update"))
    assert model.calls == [("text", 1), ("text", 1), ("image", 1), ("image", 1)]
    assert isinstance(texts[0], np.ndarray) and texts[0].shape == (3, 4) and texts[0].dtype == np.float32
    assert isinstance(images[0], np.ndarray) and images[0].shape == (9, 4) and images[0].dtype == np.float32
    assert tokens == 0


@pytest.mark.parametrize("variant", ["fp32", "w8"])
def test_real_minilm(shared: Path, tmp_path: Path, variant: str) -> None:
    """0.708 stands in the model folder's description; sentence-transformers gives the same."""
    pytest.importorskip("fastembed")
    settings = InferenceSettings(
        models_dirs=(shared / "models",), offline=True, threads=2, cache_dir=tmp_path, variants=(variant,)
    )
    service = InferenceService(settings)
    documents = dense(service, MINILM.lower(), DOCUMENTS + ["cookies " * n for n in range(1, 40, 7)])
    query = dense(service, MINILM.lower(), ["How to bake cookies?"], "search")[0]
    assert float(documents[0] @ query) == pytest.approx(0.708, abs=2e-3)
    assert float((documents[1:3] @ query).max()) < 0.3
    for text, vector in zip(DOCUMENTS, documents, strict=False):  # whatever else was in the batch
        np.testing.assert_array_equal(dense(service, MINILM, [text])[0], vector)
