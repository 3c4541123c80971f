"""Every kind of model, and every place of the API that takes what it embeds."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qdrant_client import QdrantClient, models

COLLECTION = "inference"
MINILM = "sentence-transformers/all-minilm-l6-v2"
SPLADE = "prithivida/splade_pp_en_v1"
COLBERT = "colbert-ir/colbertv2.0"
CLIP_TEXT = "qdrant/clip-vit-b-32-text"
CLIP_VISION = "qdrant/clip-vit-b-32-vision"
BM42 = "qdrant/bm42-all-minilm-l6-v2-attentions"
MINICOIL = "qdrant/minicoil-v1"
COLPALI = "qdrant/colpali-v1.3-fp16"
COLMODERNVBERT = "qdrant/colmodernvbert"

IDS = (1, 2, 3)
TEXTS = ("Recipe for baking chocolate chip cookies", "The stock market fell today", "the dog sleeps in the garden")
QUESTIONS = ("How to bake cookies?", "stock market today", "dog in the garden")
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
MAXSIM = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)


@dataclass(frozen=True)
class Kind:
    """A kind of model: how its vector is configured, three things to store, and a query near to each of them.

    A stored vector of several rows has a shape of two numbers, None where the number of rows depends on the text.
    """

    name: str
    shape: tuple[int | None, ...]
    config: dict[str, Any]
    stored: tuple[Any, ...]
    asked: tuple[Any, ...]
    models: tuple[str, ...]


def document(text: str, model: str) -> models.Document:
    return models.Document(text=text, model=model)


def png(colour: tuple[int, int, int]) -> str:
    """A picture of one colour as base64."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (40, 60), colour).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _texts(name: str, model: str, shape: tuple[int | None, ...], config: dict[str, Any]) -> Kind:
    stored = tuple(document(text, model) for text in TEXTS)
    return Kind(name, shape, config, stored, tuple(document(text, model) for text in QUESTIONS), (model,))


def _dense(size: int, **options: Any) -> dict[str, Any]:
    options = {"distance": models.Distance.COSINE, **options}
    return {"vectors_config": {"v": models.VectorParams(size=size, **options)}}


def _sparse(modifier: models.Modifier | None = None) -> dict[str, Any]:
    return {"vectors_config": {}, "sparse_vectors_config": {"v": models.SparseVectorParams(modifier=modifier)}}


def _pages(name: str, model: str, rows: int) -> Kind:
    """Pictures as rows of vectors, found by texts: one model for both."""
    config = _dense(128, multivector_config=MAXSIM, distance=models.Distance.DOT)
    return Kind(name, (rows, 128), config, _images(model), _colour_texts(model), (model,))


def kinds() -> dict[str, Callable[[], Kind]]:
    """Kinds by name; made when needed, because pictures need Pillow."""
    rows = _dense(128, multivector_config=MAXSIM)
    idf = _sparse(models.Modifier.IDF)
    pair = (CLIP_VISION, CLIP_TEXT)
    return {
        "dense": lambda: _texts("dense", MINILM, (384,), _dense(384)),
        "sparse": lambda: _texts("sparse", SPLADE, (), _sparse()),
        "bm42": lambda: _texts("bm42", BM42, (), idf),
        "minicoil": lambda: _texts("minicoil", MINICOIL, (), idf),
        "late interaction": lambda: _texts("late interaction", COLBERT, (None, 128), rows),
        "image": lambda: Kind("image", (512,), _dense(512), _images(), _images(), (CLIP_VISION,)),
        "clip": lambda: Kind("clip", (512,), _dense(512), _images(), _colour_texts(), pair),
        "colpali": lambda: _pages("colpali", COLPALI, 64),
        "colmodernvbert": lambda: _pages("colmodernvbert", COLMODERNVBERT, 61),
    }


def _images(model: str = CLIP_VISION) -> tuple[models.Image, ...]:
    return tuple(models.Image(image=png(colour), model=model) for colour in COLOURS.values())


def _colour_texts(model: str = CLIP_TEXT) -> tuple[models.Document, ...]:
    return tuple(document(f"a {name} square", model) for name in COLOURS)


def create(client: QdrantClient, kind: Kind) -> None:
    client.delete_collection(COLLECTION)
    client.create_collection(COLLECTION, **kind.config)


def fill(client: QdrantClient, kind: Kind) -> None:
    create(client, kind)
    points = [
        models.PointStruct(id=at, vector={"v": item}, payload={"topic": f"t{at}"})
        for at, item in zip(IDS, kind.stored, strict=True)
    ]
    client.upsert(COLLECTION, points)


def nearest(client: QdrantClient, kind: Kind) -> list[Any]:
    """The best hit for each query of the kind."""
    return [client.query_points(COLLECTION, query=item, using="v", limit=1).points[0].id for item in kind.asked]


def check_stored(client: QdrantClient, kind: Kind) -> None:
    """The points hold plain vectors of the right shape, and the queries find them."""
    records = client.retrieve(COLLECTION, IDS, with_vectors=True)
    assert [record.id for record in records] == list(IDS)
    for record in records:
        shape = _shape(record.vector["v"])  # type: ignore[index,call-overload]
        assert len(shape) == len(kind.shape)
        assert all(wanted in (None, given) for given, wanted in zip(shape, kind.shape, strict=True))
    assert nearest(client, kind) == list(IDS)


def _shape(vector: Any) -> tuple[int, ...]:
    if isinstance(vector, models.SparseVector):
        assert vector.indices == sorted(vector.indices) != []
        return ()
    return (len(vector), len(vector[0])) if isinstance(vector[0], list) else (len(vector),)


def upsert(client: QdrantClient, kind: Kind) -> None:
    fill(client, kind)
    check_stored(client, kind)


def columns(client: QdrantClient, kind: Kind) -> None:
    create(client, kind)
    client.upsert(COLLECTION, models.Batch(ids=list(IDS), vectors={"v": list(kind.stored)}))
    check_stored(client, kind)


def batch(client: QdrantClient, kind: Kind) -> None:
    create(client, kind)
    first, *others = (
        models.PointStruct(id=at, vector={"v": item}) for at, item in zip(IDS, kind.stored[::-1], strict=True)
    )
    changed = [models.PointVectors(id=at, vector={"v": kind.stored[at - 1]}) for at in (1, 3)]
    client.batch_update_points(
        COLLECTION,
        [
            models.UpsertOperation(upsert=models.PointsList(points=[first])),
            models.UpsertOperation(upsert=models.PointsList(points=others)),
            models.UpdateVectorsOperation(update_vectors=models.UpdateVectors(points=changed)),
        ],
    )
    check_stored(client, kind)


def update_vectors(client: QdrantClient, kind: Kind) -> None:
    fill(client, kind)
    turned = kind.stored[1:] + kind.stored[:1]
    client.update_vectors(
        COLLECTION,
        [models.PointVectors(id=at, vector={"v": item}) for at, item in zip(IDS, turned, strict=True)],
    )
    assert nearest(client, kind) == [3, 1, 2]


def query(client: QdrantClient, kind: Kind) -> None:
    fill(client, kind)
    assert nearest(client, kind) == list(IDS)
    requests = [models.QueryRequest(query=item, using="v", limit=1) for item in kind.asked]
    answers = client.query_batch_points(COLLECTION, requests)
    assert [answer.points[0].id for answer in answers] == list(IDS)


def prefetch(client: QdrantClient, kind: Kind) -> None:
    fill(client, kind)
    inner = [models.Prefetch(query=item, using="v", limit=1) for item in kind.asked[:2]]
    fused = client.query_points(COLLECTION, prefetch=inner, query=models.FusionQuery(fusion=models.Fusion.RRF)).points
    assert {point.id for point in fused} == {1, 2}
    rescored = client.query_points(COLLECTION, prefetch=inner, query=kind.asked[1], using="v").points
    assert [point.id for point in rescored] == [2, 1][: len(rescored)]


def groups(client: QdrantClient, kind: Kind) -> None:
    fill(client, kind)
    for at, item in zip(IDS, kind.asked, strict=True):
        found = client.query_points_groups(COLLECTION, group_by="topic", query=item, using="v", limit=1).groups
        assert [(group.id, group.hits[0].id) for group in found] == [(f"t{at}", at)]


def recommend(client: QdrantClient, kind: Kind) -> None:
    fill(client, kind)
    for strategy in (models.RecommendStrategy.AVERAGE_VECTOR, models.RecommendStrategy.BEST_SCORE):
        wanted = models.RecommendInput(positive=[kind.asked[0]], negative=[kind.asked[2]], strategy=strategy)
        found = client.query_points(COLLECTION, query=models.RecommendQuery(recommend=wanted), using="v").points
        assert found[0].id == 1


def discover(client: QdrantClient, kind: Kind) -> None:
    fill(client, kind)
    pair = models.ContextPair(positive=kind.asked[1], negative=kind.asked[2])
    target = models.DiscoverQuery(discover=models.DiscoverInput(target=kind.asked[1], context=[pair]))
    assert client.query_points(COLLECTION, query=target, using="v", limit=1).points[0].id == 2
    context = models.ContextQuery(context=[pair])
    assert client.query_points(COLLECTION, query=context, using="v").points[-1].id == 3


def feedback(client: QdrantClient, kind: Kind) -> None:
    fill(client, kind)
    given = models.RelevanceFeedbackInput(
        target=kind.asked[0],
        feedback=[
            models.FeedbackItem(example=kind.asked[0], score=1.0),
            models.FeedbackItem(example=kind.asked[2], score=0.0),
        ],
        strategy=models.NaiveFeedbackStrategy(naive=models.NaiveFeedbackStrategyParams(a=1.0, b=1.0, c=1.0)),
    )
    wanted = models.RelevanceFeedbackQuery(relevance_feedback=given)
    assert client.query_points(COLLECTION, query=wanted, using="v", limit=1).points[0].id == 1


PLACES: dict[str, Callable[[QdrantClient, Kind], None]] = {
    place.__name__: place
    for place in (
        upsert,
        columns,
        batch,
        update_vectors,
        query,
        prefetch,
        groups,
        recommend,
        discover,
        feedback,
    )
}
