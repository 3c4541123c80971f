"""Does the stock client work, whichever release is installed: over a socket and in-process, blocking and async?

One scenario is played six times. `Document`s of BM25 go to the server in each; those of other models only where the
client may send them, which is what `cloud_inference` says (elsewhere it wants to run fastembed itself).
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import qdrant_client
from qdrant_client import AsyncQdrantClient, QdrantClient, models

import qdlite
from tests.integrations import offline

SIZE = 64
MODEL = f"hashing/{SIZE}"
NAME = "scenario"


async def value(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


def bm25(text: str) -> Any:
    return models.Document(text=text, model="Qdrant/bm25")


def dense(text: str, inference: bool) -> Any:
    return models.Document(text=text, model=MODEL) if inference else offline.dense(text, SIZE)


def matches(key: str, wanted: Any) -> models.Filter:
    return models.Filter(must=[models.FieldCondition(key=key, match=models.MatchValue(value=wanted))])


async def create(client: Any) -> None:
    if await value(client.collection_exists(NAME)):
        await value(client.delete_collection(NAME))
    await value(
        client.create_collection(
            NAME,
            vectors_config={"dense": models.VectorParams(size=SIZE, distance=models.Distance.COSINE)},
            sparse_vectors_config={"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )
    )
    await value(client.create_payload_index(NAME, "number", models.PayloadSchemaType.INTEGER))
    info = await value(client.get_collection(NAME))
    assert info.status == models.CollectionStatus.GREEN
    assert info.config.params.vectors["dense"].size == SIZE
    assert info.payload_schema["number"].data_type == models.PayloadSchemaType.INTEGER
    assert NAME in [each.name for each in (await value(client.get_collections())).collections]


async def write_and_query(client: Any, inference: bool) -> None:
    points = [
        models.PointStruct(
            id=number,
            vector={"dense": dense(text, inference), "bm25": bm25(text)},
            payload={"number": number, "big": 2**60 + number, "nested": {"b": None, "a": ["ü", number]}},
        )
        for number, text in enumerate(offline.TEXTS)
    ]
    written = await value(client.upsert(NAME, points, wait=True))
    assert written.status == models.UpdateStatus.COMPLETED
    hybrid = await value(
        client.query_points(
            NAME,
            prefetch=[
                models.Prefetch(query=dense(offline.QUERY, inference), using="dense", limit=3),
                models.Prefetch(query=bm25(offline.QUERY), using="bm25", limit=3),
            ],
            query=models.FusionQuery(fusion=models.Fusion.RRF),
            with_payload=True,
        )
    )
    assert hybrid.points[0].id == 0 and hybrid.points[0].payload["big"] == 2**60
    filtered = await value(
        client.query_points(
            NAME, query=dense(offline.QUERY, inference), using="dense", query_filter=matches("number", 2)
        )
    )
    assert [point.id for point in filtered.points] == [2]
    request = models.QueryRequest(query=bm25("flat tyre"), using="bm25", limit=1)
    batch = await value(client.query_batch_points(NAME, requests=[request, request]))
    assert [[point.id for point in answer.points] for answer in batch] == [[1], [1]]


async def read_and_change(client: Any) -> None:
    page, following = await value(client.scroll(NAME, limit=2, with_vectors=["dense"]))
    assert [record.id for record in page] == [0, 1] and following == 2
    assert len(page[0].vector["dense"]) == SIZE
    assert page[0].payload["nested"] == {"b": None, "a": ["ü", 0]}
    await value(client.set_payload(NAME, {"color": "red"}, points=[0, 1]))
    await value(client.overwrite_payload(NAME, {"only": True}, points=[2]))
    await value(client.delete_payload(NAME, ["big"], points=[0]))
    await value(client.clear_payload(NAME, points_selector=[1]))
    records = {record.id: record.payload for record in await value(client.retrieve(NAME, [0, 1, 2]))}
    assert records == {0: {"number": 0, "nested": {"b": None, "a": ["ü", 0]}, "color": "red"}, 1: {}, 2: {"only": True}}
    assert (await value(client.count(NAME, count_filter=matches("color", "red"), exact=True))).count == 1
    await value(client.delete(NAME, points_selector=models.FilterSelector(filter=matches("only", True))))
    await value(client.delete_vectors(NAME, vectors=["bm25"], points=[0]))
    (record,) = await value(client.retrieve(NAME, [0], with_vectors=True))
    assert list(record.vector) == ["dense"]
    assert (await value(client.count(NAME))).count == 2
    try:
        await value(client.get_collection("missing"))
        raise AssertionError("a missing collection was found")
    except qdrant_client.http.exceptions.UnexpectedResponse as error:
        assert error.status_code == 404


async def scenario(client: Any, inference: bool) -> None:
    await create(client)
    await write_and_query(client, inference)
    await read_and_change(client)
    await value(client.delete_collection(NAME))
    await value(client.close())


def run(url: str) -> None:
    clients = {
        "QdrantClient(url)": (lambda: QdrantClient(url=url), False),
        "QdrantClient(url, cloud_inference)": (lambda: QdrantClient(url=url, cloud_inference=True), True),
        "AsyncQdrantClient(url)": (lambda: AsyncQdrantClient(url=url), False),
        "AsyncQdrantClient(url, cloud_inference)": (lambda: AsyncQdrantClient(url=url, cloud_inference=True), True),
        "qdlite.client()": (qdlite.client, True),
        "qdlite.async_client()": (qdlite.async_client, True),
    }
    for name, (make, inference) in clients.items():
        asyncio.run(_play(make, inference))
        print(name)


async def _play(make: Any, inference: bool) -> None:
    await scenario(make(), inference)


if __name__ == "__main__":
    offline.main(run)
