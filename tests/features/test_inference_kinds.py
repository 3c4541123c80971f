"""Feature: what is stored and what is searched with are the vectors of fastembed's own classes, called directly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from qdlite import Database
from qdlite.database import InferenceSettings
from tests.features.inference_table import (
    BM42,
    COLMODERNVBERT,
    COLOURS,
    COLPALI,
    IDS,
    MAXSIM,
    MINICOIL,
    QUESTIONS,
    TEXTS,
    png,
)

TUNED = {"k": 0.6, "b": 0.4, "avg_len": 8.0}
SPARSE: list[tuple[str, dict[str, float]]] = [(BM42, {}), (BM42, {"alpha": 1.25}), (MINICOIL, {}), (MINICOIL, TUNED)]
PROPER_NAMES = {
    BM42: "Qdrant/bm42-all-minilm-l6-v2-attentions",
    MINICOIL: "Qdrant/minicoil-v1",
    COLPALI: "Qdrant/colpali-v1.3-fp16",
    COLMODERNVBERT: "Qdrant/colmodernvbert",
}


@pytest.fixture(scope="module")
def database(tiny_models: Path) -> Iterator[Database]:
    with Database(InferenceSettings(models_dirs=(tiny_models,), offline=True, threads=1)) as database:
        yield database


def direct(facade: str, model: str, models_dir: Path, **options: float) -> Any:
    """fastembed's class for the model."""
    fastembed: Any = pytest.importorskip("fastembed")
    name = PROPER_NAMES[model]
    return getattr(fastembed, facade)(name, specific_model_path=str(models_dir / name), threads=1, **options)


def store(client: QdrantClient, things: list[Any], **config: Any) -> list[Any]:
    """Stores the things and gives what is then stored."""
    client.delete_collection("c")
    client.create_collection("c", **config)
    points = [models.PointStruct(id=at, vector={"v": thing}) for at, thing in zip(IDS, things, strict=True)]
    client.upsert("c", points)
    records = client.retrieve("c", IDS, with_vectors=True)
    return [record.vector["v"] for record in records]  # type: ignore[index,call-overload]


def scores(client: QdrantClient, query: models.Document) -> dict[Any, float]:
    return {point.id: point.score for point in client.query_points("c", query=query, using="v").points}


@pytest.mark.parametrize(("model", "options"), SPARSE)
def test_sparse(client: QdrantClient, tiny_models: Path, model: str, options: dict[str, float]) -> None:
    def document(text: str) -> models.Document:
        return models.Document(text=text, model=model, options=options or None)

    reference = direct("SparseTextEmbedding", model, tiny_models, **options)
    passages = [vector.as_dict() for vector in reference.passage_embed(list(TEXTS))]
    config = {"v": models.SparseVectorParams()}
    stored = store(client, [document(text) for text in TEXTS], vectors_config={}, sparse_vectors_config=config)
    for vector, expected in zip(stored, passages, strict=True):
        assert dict(zip(vector.indices, vector.values, strict=True)) == pytest.approx(expected, rel=1e-5)
    for text, asked in zip(QUESTIONS, reference.query_embed(list(QUESTIONS)), strict=True):
        query = asked.as_dict()
        expected = {
            at: sum(weight * query[index] for index, weight in vector.items() if index in query)
            for at, vector in zip(IDS, passages, strict=True)
            if vector.keys() & query.keys()
        }
        assert scores(client, document(text)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.filterwarnings("ignore:The model 'Qdrant/colmodernvbert' has been updated")
@pytest.mark.parametrize("model", [COLPALI, COLMODERNVBERT])
def test_texts_against_pictures(client: QdrantClient, tiny_models: Path, model: str) -> None:
    from PIL import Image

    reference = direct("LateInteractionMultimodalEmbedding", model, tiny_models)
    pages = list(reference.embed_image([Image.new("RGB", (40, 60), colour) for colour in COLOURS.values()]))
    rows = models.VectorParams(size=128, distance=models.Distance.DOT, multivector_config=MAXSIM)
    images = [models.Image(image=png(colour), model=model) for colour in COLOURS.values()]
    for vectors, page in zip(store(client, images, vectors_config={"v": rows}), pages, strict=True):
        np.testing.assert_allclose(vectors, page, rtol=1e-5, atol=1e-5)
    for text in (f"a {colour} square" for colour in COLOURS):
        (query,) = reference.embed_text([text])
        expected = {at: float((query @ page.T).max(axis=1).sum()) for at, page in zip(IDS, pages, strict=True)}
        assert scores(client, models.Document(text=text, model=model)) == pytest.approx(expected, rel=1e-4)
