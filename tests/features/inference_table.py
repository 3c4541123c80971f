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

IDS = (1, 2, 3)
TEXTS = ("Recipe for baking chocolate chip cookies", "The stock market fell today", "the dog sleeps in the garden")
QUESTIONS = ("How to bake cookies?", "stock market today", "dog in the garden")
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
MAXSIM = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)


@dataclass(frozen=True)
class Kind:
    """A kind of model: how its vector is configured, three things to store, and a query near to each of them."""

    name: str
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


def _texts(name: str, model: str, config: dict[str, Any]) -> Kind:
    stored = tuple(document(text, model) for text in TEXTS)
    return Kind(name, config, stored, tuple(document(text, model) for text in QUESTIONS), (model,))


def _dense(size: int, **options: Any) -> dict[str, Any]:
    return {"vectors_config": {"v": models.VectorParams(size=size, distance=models.Distance.COSINE, **options)}}


def kinds() -> dict[str, Callable[[], Kind]]:
    """Kinds by name; made when needed, because pictures need Pillow."""
    sparse = {"vectors_config": {}, "sparse_vectors_config": {"v": models.SparseVectorParams()}}
    return {
        "dense": lambda: _texts("dense", MINILM, _dense(384)),
        "sparse": lambda: _texts("sparse", SPLADE, sparse),
        "late interaction": lambda: _texts("late interaction", COLBERT, _dense(128, multivector_config=MAXSIM)),
        "image": lambda: Kind("image", _dense(512), _images(), _images(), (CLIP_VISION,)),
        "clip": lambda: Kind("clip", _dense(512), _images(), _colour_texts(), (CLIP_VISION, CLIP_TEXT)),
    }


def _images() -> tuple[models.Image, ...]:
    return tuple(models.Image(image=png(colour), model=CLIP_VISION) for colour in COLOURS.values())


def _colour_texts() -> tuple[models.Document, ...]:
    return tuple(document(f"a {name} square", CLIP_TEXT) for name in COLOURS)


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
    shapes = {record.id: _shape(record.vector["v"]) for record in records}  # type: ignore[index,call-overload]
    expected = {
        "dense": (384,),
        "sparse": ("sparse",),
        "image": (512,),
        "clip": (512,),
    }
    for shape in shapes.values():
        assert shape == expected[kind.name] if kind.name in expected else shape[1] == 128 and shape[0] < 32
    assert nearest(client, kind) == list(IDS)


def _shape(vector: Any) -> tuple[Any, ...]:
    if isinstance(vector, models.SparseVector):
        assert vector.indices == sorted(vector.indices)
        return ("sparse",)
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
