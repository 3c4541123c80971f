"""Every kind of model that fastembed has: its real classes with tiny weights, called by qdlite and called directly."""

from __future__ import annotations

import base64
import contextlib
import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from qdlite.errors import InferenceError
from qdlite.inference import InferenceInput, InferenceService, InferenceSettings
from qdlite.inference.embedders.fastembed import FAMILIES
from qdlite.inference.inputs import DataKind, Mode
from qdlite.types import SparseArray, VectorArray
from tests.inference.tiny import PLACES

TEXTS = [
    "Recipe for baking chocolate chip cookies",
    "The stock market fell today, and the stock of cookies too: 2 dogs!",
    "the",
    "a red square",
    "dog",
    "the dog sleeps in the garden of the dog " * 12,
]
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "grey": (90, 90, 90)}
OLDER = {
    "sentence-transformers/all-MiniLM-L6-v2": "dense",
    "Qdrant/clip-ViT-B-32-text": "clip-text",
    "Qdrant/clip-ViT-B-32-vision": "clip-vision",
    "prithivida/Splade_PP_en_v1": "splade",
    "colbert-ir/colbertv2.0": "colbert",
    "answerdotai/answerai-colbert-small-v1": "answerai-colbert",
}
DENSE = [
    "sentence-transformers/all-MiniLM-L6-v2",
    "Qdrant/clip-ViT-B-32-text",
    "google/siglip2-base-patch16-224",
    "jinaai/jina-embeddings-v3",
    "google/embeddinggemma-300m",
    "Qwen/Qwen3-Embedding-0.6B",
    "minishlab/potion-base-8M",
    "nomic-ai/nomic-embed-text-v1.5",
    "BAAI/bge-large-en-v1.5",
]
SPARSE = [
    "prithivida/Splade_PP_en_v1",
    "Qdrant/bm42-all-minilm-l6-v2-attentions",
    "Qdrant/minicoil-v1",
    "opensearch-project/opensearch-neural-sparse-encoding-doc-v3-gte",
]
LATE = [
    "colbert-ir/colbertv2.0",
    "answerdotai/answerai-colbert-small-v1",
    "jinaai/jina-colbert-v2",
    "lightonai/LateOn",
    "lightonai/mLateOn",
]
IMAGE = [
    "Qdrant/clip-ViT-B-32-vision",
    "Qdrant/resnet50-onnx",
    "nomic-ai/nomic-embed-vision-v1.5",
    "google/siglip2-base-patch16-224",
]
MULTIMODAL = ["Qdrant/colpali-v1.3-fp16", "Qdrant/colmodernvbert"]
CALLS = {"update": "passage_embed", "search": "query_embed"}


def direct(facade: str, model: str, models: Path, **options: Any) -> Any:
    """fastembed's class for the model."""
    fastembed: Any = pytest.importorskip("fastembed")
    folder = models / PLACES[OLDER[model]] if model in OLDER else models / model
    return getattr(fastembed, facade)(model, specific_model_path=str(folder), **options)


def embed(
    service: InferenceService,
    model: str,
    data: Sequence[Any],
    kind: DataKind = "text",
    mode: Mode = "update",
    **options: Any,
) -> list[VectorArray]:
    inputs = [InferenceInput(one, kind, model, options or None) for one in data]
    return service.infer(inputs, mode).embeddings


def check_arrays(vectors: Sequence[VectorArray], expected: Sequence[Any]) -> None:
    """Equal but for rounding, which may depend on what else is in a batch; float32 throughout."""
    assert len(vectors) == len(expected) > 0
    for vector, other in zip(vectors, expected, strict=True):
        assert isinstance(vector, np.ndarray) and vector.dtype == np.float32 and vector.shape == other.shape
        np.testing.assert_allclose(vector, other, rtol=1e-5, atol=1e-5)


def check_sparse(vectors: Sequence[VectorArray], expected: Sequence[Any]) -> None:
    """The same indices with the same weights, as unsigned numbers in ascending order."""
    assert len(vectors) == len(expected) > 0
    for vector, other in zip(vectors, expected, strict=True):
        assert isinstance(vector, SparseArray)
        assert vector.indices.dtype == np.uint32 and vector.values.dtype == np.float32
        assert (np.diff(vector.indices.astype(np.int64)) > 0).all()
        weights = dict(zip(vector.indices.tolist(), vector.values.tolist(), strict=True))
        assert weights == pytest.approx(other.as_dict(), rel=1e-5)


def pictures() -> list[Any]:
    from PIL import Image

    return [Image.new("RGB", (50, 70), colour) for colour in COLOURS.values()]


def encoded(picture: Any) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize("mode", CALLS)
@pytest.mark.parametrize("model", DENSE)
def test_dense(service: InferenceService, tiny_models: Path, model: str, mode: Mode) -> None:
    reference = direct("TextEmbedding", model, tiny_models)
    check_arrays(embed(service, model.upper(), TEXTS, mode=mode), list(getattr(reference, CALLS[mode])(TEXTS)))


@pytest.mark.parametrize("mode", CALLS)
@pytest.mark.parametrize("model", SPARSE)
def test_sparse(service: InferenceService, tiny_models: Path, model: str, mode: Mode) -> None:
    reference = direct("SparseTextEmbedding", model, tiny_models)
    check_sparse(embed(service, model.lower(), TEXTS, mode=mode), list(getattr(reference, CALLS[mode])(TEXTS)))


@pytest.mark.parametrize("mode", CALLS)
@pytest.mark.parametrize("model", LATE)
def test_late_interaction(service: InferenceService, tiny_models: Path, model: str, mode: Mode) -> None:
    reference = direct("LateInteractionTextEmbedding", model, tiny_models)
    check_arrays(embed(service, model.lower(), TEXTS, mode=mode), list(getattr(reference, CALLS[mode])(TEXTS)))


@pytest.mark.parametrize("mode", CALLS)
@pytest.mark.parametrize("model", IMAGE)
def test_image(service: InferenceService, tiny_models: Path, model: str, mode: Mode) -> None:
    expected = list(direct("ImageEmbedding", model, tiny_models).embed(pictures()))
    check_arrays(embed(service, model.lower(), list(map(encoded, pictures())), "image", mode), expected)


@pytest.mark.filterwarnings("ignore:The model 'Qdrant/colmodernvbert' has been updated")
@pytest.mark.parametrize("mode", CALLS)
@pytest.mark.parametrize("model", MULTIMODAL)
def test_late_interaction_multimodal(service: InferenceService, tiny_models: Path, model: str, mode: Mode) -> None:
    """Each text alone: ColPali's vectors include the padding of a batch."""
    reference = direct("LateInteractionMultimodalEmbedding", model, tiny_models)
    texts = [vectors for text in TEXTS for vectors in reference.embed_text([text])]
    check_arrays(embed(service, model.lower(), TEXTS, mode=mode), texts)
    images = list(map(encoded, pictures()))
    check_arrays(embed(service, model.lower(), images, "image", mode), list(reference.embed_image(pictures())))


@pytest.mark.parametrize("model", MULTIMODAL)
def test_words_find_pictures(service: InferenceService, model: str) -> None:
    documents = embed(service, model, list(map(encoded, pictures())), "image")
    for position, word in enumerate(("red", "green")):
        (query,) = embed(service, model, [f"a {word} square"], mode="search")
        scores = [float((query @ document.T).max(axis=1).sum()) for document in documents]  # type: ignore[union-attr]
        assert np.argmax(scores) == position


OWN_OPTIONS: dict[str, dict[str, float]] = {
    "Qdrant/minicoil-v1": {"k": 0.5, "b": 0.25, "avg_len": 12},
    "Qdrant/bm42-all-minilm-l6-v2-attentions": {"alpha": 1.5},
}


@pytest.mark.parametrize("mode", CALLS)
@pytest.mark.parametrize("model", OWN_OPTIONS)
def test_options_of_a_models_own(service: InferenceService, tiny_models: Path, model: str, mode: Mode) -> None:
    """As the arguments of fastembed's class; inputs with and without them may stand in one request."""
    options = OWN_OPTIONS[model]
    mixed = [
        InferenceInput(text, "text", model.lower(), given) for given in (options, None, {**options}) for text in TEXTS
    ]
    vectors = service.infer(mixed, mode).embeddings
    references = [direct("SparseTextEmbedding", model, tiny_models, **given) for given in (options, {}, options)]
    check_sparse(vectors, [vector for one in references for vector in getattr(one, CALLS[mode])(TEXTS)])


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("qdrant/minicoil-v1", {"b": 1.5}, "Option b must be a number from 0 to 1, got 1.5"),
        ("qdrant/minicoil-v1", {"k": -1}, "Option k must be a number from 0"),
        ("qdrant/minicoil-v1", {"k": "1"}, "got '1'"),
        ("qdrant/minicoil-v1", {"avg_len": 0}, "Option avg_len must be more than 0"),
        ("qdrant/minicoil-v1", {"alpha": 1}, r"does not know the option alpha. It knows: k, b, avg_len"),
        ("prithivida/splade_pp_en_v1", {"k": 1}, r"does not know the option k. Local models know: mrl"),
    ],
)
def test_options_that_make_no_sense(
    service: InferenceService, model: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InferenceError, match=message):
        embed(service, model, ["dog"], **options)


def test_a_model_with_options_counts_as_loaded(tiny_models: Path) -> None:
    settings = InferenceSettings(models_dirs=(tiny_models,), offline=True, threads=1)
    with contextlib.closing(InferenceService(settings)) as service:
        embed(service, "qdrant/minicoil-v1", ["dog"], k=2)
        described = service.describe("qdrant/minicoil-v1")
        assert described is not None and described.state == "loaded"


def test_words_that_share_an_index() -> None:
    """miniCOIL and BM42 hash words; of equal hashes one may be stored, as sparse vectors need distinct indices."""
    given = SimpleNamespace(indices=np.array([9, 4, 9, 2**31]), values=np.array([0.5, 1.0, 0.25, 2.0]))
    vector = FAMILIES["sparse"].convert(given)
    assert isinstance(vector, SparseArray)
    assert (vector.indices.tolist(), vector.values.tolist()) == ([4, 9, 2**31], [1.0, 0.5, 2.0])


@pytest.mark.parametrize("model", ["jinaai/jina-embeddings-v3", "jinaai/jina-colbert-v2"])
def test_weights_beside_the_graph(service: InferenceService, tiny_models: Path, tmp_path: Path, model: str) -> None:
    """In a hub's cache of links into a common store, where graph and weights lie in different folders."""
    onnx: Any = pytest.importorskip("onnx")
    loaded = onnx.load(str(tiny_models / model / "onnx" / "model.onnx"))
    shutil.copytree(tiny_models / model, tmp_path / "plain", ignore=shutil.ignore_patterns("*.onnx"))
    file = tmp_path / "plain" / "onnx" / "model.onnx"
    onnx.save(loaded, str(file), save_as_external_data=True, location="model.onnx_data")
    assert file.with_name("model.onnx_data").stat().st_size > file.stat().st_size
    repository = tmp_path / "cache" / f"models--{model.replace('/', '--')}"
    for number, part in enumerate(path for path in (tmp_path / "plain").rglob("*") if path.is_file()):
        kept = tmp_path / "cache" / "blobs" / str(number) / "content"
        link = repository / "snapshots" / "1" / part.relative_to(tmp_path / "plain")
        for place in (kept, link):
            place.parent.mkdir(parents=True, exist_ok=True)
        part.rename(kept)
        link.symlink_to(kept)
    settings = InferenceSettings(cache_dir=tmp_path / "cache", offline=True, threads=1)
    with contextlib.closing(InferenceService(settings)) as other:
        check_arrays(embed(other, model, TEXTS), embed(service, model, TEXTS))
