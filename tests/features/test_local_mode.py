"""Feature: what the client's local mode gets right, the server answers alike; the async client answers the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient, QdrantClient, models
from qdrant_client.http import models as rest

from tests.faces import Face

COUNT = 60
MULTI = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)


def points() -> list[models.PointStruct]:
    random = np.random.default_rng(7)

    def one(n: int) -> models.PointStruct:
        vectors: dict[str, Any] = {
            "d": random.normal(size=8).tolist(),
            "m": random.normal(size=(2 + n % 3, 4)).tolist(),
        }
        indices = np.sort(random.choice(30, 6, replace=False)).tolist()
        vectors["s"] = models.SparseVector(indices=indices, values=random.normal(size=6).round(3).tolist())
        if n % 5 == 0:
            del vectors["m"]
        payload = {"n": n % 17, "g": f"g{n % 7}", "list": [n % 3, n % 4], "people": [{"age": n, "even": n % 2 == 0}]}
        return models.PointStruct(id=n, vector=vectors, payload=payload)

    return [one(n) for n in range(1, COUNT + 1)]


def fill(client: QdrantClient) -> None:
    dense = {
        "d": models.VectorParams(size=8, distance=models.Distance.COSINE),
        "m": models.VectorParams(size=4, distance=models.Distance.DOT, multivector_config=MULTI),
    }
    client.create_collection("c", vectors_config=dense, sparse_vectors_config={"s": models.SparseVectorParams()})
    client.upsert("c", points(), wait=True)
    client.create_payload_index("c", "n", models.PayloadSchemaType.INTEGER, wait=True)


@pytest.fixture(scope="module")
def local() -> Iterator[QdrantClient]:
    with pytest.warns(UserWarning, match="Payload indexes have no effect"):
        client = QdrantClient(":memory:")
        fill(client)
    yield client
    client.close()


@pytest.fixture
def client(client: QdrantClient) -> QdrantClient:
    fill(client)
    return client


def near(score: float) -> Any:
    return pytest.approx(score, rel=1e-4, abs=1e-5)


def comparable(value: Any, score: Callable[[float], Any] = float) -> Any:
    """Results without versions. `score` makes the scores of one side tolerant."""
    if isinstance(value, rest.QueryResponse):
        return [(point.id, score(point.score), point.payload) for point in value.points]
    if isinstance(value, models.GroupsResult):
        return [(group.id, [(hit.id, score(hit.score)) for hit in group.hits]) for group in value.groups]
    if isinstance(value, (tuple, list)):
        return [comparable(part, score) for part in value]
    return (value.id, value.payload, value.order_value) if isinstance(value, models.Record) else value


def nested(**test: Any) -> models.Filter:
    inner = models.Filter(must=[models.FieldCondition(**test)])
    return models.Filter(must=[models.NestedCondition(nested=models.Nested(key="people", filter=inner))])


def recommend(strategy: models.RecommendStrategy, **examples: Any) -> models.RecommendQuery:
    return models.RecommendQuery(recommend=models.RecommendInput(**examples, strategy=strategy))


D = [0.3, -0.2, 0.5, 0.1, -0.7, 0.2, 0.0, 0.4]
M = [[0.5, -0.5, 0.1, 0.9], [0.2, 0.8, -0.3, 0.0]]
S = models.SparseVector(indices=[1, 4, 9, 12, 20], values=[0.5, -0.2, 0.8, 0.3, 0.6])
STRATEGIES = list(models.RecommendStrategy)
AGES = models.Range(gte=10, lt=30)
PAIR = models.ContextPair(positive=3, negative=8)
FIRST = models.Filter(must=[models.HasVectorCondition(has_vector="m")])

CALLS: list[Callable[[QdrantClient], Any]] = [
    lambda c: c.query_points("c", query=D, using="d", with_payload=True),
    lambda c: c.query_points("c", query=M, using="m", with_payload=True),
    lambda c: c.query_points("c", query=S, using="s", with_payload=["n", "people[].age"]),
    lambda c: c.query_points("c", query=D, using="d", query_filter=FIRST, limit=COUNT),
    lambda c: c.query_points("c", query=D, using="d", query_filter=nested(key="age", range=AGES)),
    lambda c: c.query_points(
        "c", query=S, using="s", query_filter=nested(key="even", match=models.MatchValue(value=True))
    ),
    *(
        lambda c, s=s: c.query_points("c", query=recommend(s, positive=[3, 4], negative=[9]), using="d")
        for s in STRATEGIES
    ),
    *(
        lambda c, s=s: c.query_points("c", query=recommend(s, positive=[3, M], negative=[9]), using="m")
        for s in STRATEGIES
    ),
    *(
        lambda c, s=s: c.query_points_groups(
            "c", group_by="g", query=recommend(s, positive=[3, 4], negative=[9]), using="d", limit=20, group_size=20
        )
        for s in STRATEGIES
    ),
    lambda c: c.query_points_groups("c", group_by="list", query=D, using="d", limit=20, group_size=COUNT),
    lambda c: c.query_points(
        "c", query=models.DiscoverQuery(discover=models.DiscoverInput(target=D, context=[PAIR])), using="d"
    ),
    lambda c: c.query_points(
        "c", query=models.DiscoverQuery(discover=models.DiscoverInput(target=S, context=[PAIR])), using="s"
    ),
    lambda c: c.query_points(
        "c", query=models.DiscoverQuery(discover=models.DiscoverInput(target=M, context=[PAIR])), using="m"
    ),
    lambda c: c.query_batch_points(
        "c",
        [
            models.QueryRequest(query=D, using="d", limit=3, filter=FIRST),
            models.QueryRequest(query=S, using="s", limit=5, score_threshold=0.1),
            models.QueryRequest(query=6, using="m", limit=4, offset=2),
            models.QueryRequest(prefetch=[models.Prefetch(query=D, using="d", limit=20)], query=M, using="m", limit=5),
        ],
    ),
    lambda c: c.scroll("c", scroll_filter=FIRST, limit=COUNT),
    lambda c: c.scroll("c", limit=7, offset=11),
    lambda c: c.count("c", count_filter=models.Filter(must_not=[models.HasVectorCondition(has_vector="m")])),
    lambda c: c.count("c", count_filter=nested(key="age", range=AGES)),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_answers_agree(client: QdrantClient, local: QdrantClient, number: int) -> None:
    assert comparable(CALLS[number](client)) == comparable(CALLS[number](local), near)


@pytest.mark.parametrize("direction", list(models.Direction))
@pytest.mark.parametrize("start", [None, 5])
def test_pages_in_order_of_a_field(
    client: QdrantClient, local: QdrantClient, direction: models.Direction, start: int | None
) -> None:
    order = models.OrderBy(key="n", direction=direction, start_from=start)
    ours, page = client.scroll("c", order_by=order, limit=COUNT)
    theirs, _ = local.scroll("c", order_by=order, limit=COUNT)
    assert page is None
    values = [record.order_value for record in ours]
    assert values == [record.order_value for record in theirs]
    assert {record.id for record in ours} == {record.id for record in theirs}
    if start is None:
        assert len(ours) == COUNT


def test_named_vectors_come_and_go(client: QdrantClient, local: QdrantClient) -> None:
    for one in (client, local):
        one.update_vectors("c", [models.PointVectors(id=5, vector={"m": M})], wait=True)
        one.delete_vectors("c", ["d"], points=[6], wait=True)
        one.update_vectors("c", [models.PointVectors(id=7, vector={"s": S})], wait=True)
    try:
        vectors: list[tuple[str, Any, int]] = [("m", M, COUNT), ("d", D, COUNT), ("s", S, 10)]
        for name, query, limit in vectors:
            ours = client.query_points("c", query=query, using=name, limit=limit)
            theirs = local.query_points("c", query=query, using=name, limit=limit)
            assert comparable(ours) == comparable(theirs, near)
    finally:
        local.upsert("c", [point for point in points() if point.id in (5, 6, 7)], wait=True)


def test_the_async_client(face: Face, local: QdrantClient) -> None:
    async def run() -> None:
        remote = AsyncQdrantClient(url=face.url, check_compatibility=False)
        await remote.create_collection("a", vectors_config=models.VectorParams(size=8, distance=models.Distance.COSINE))
        dense = [
            models.PointStruct(id=point.id, vector=cast(Any, point.vector)["d"], payload=point.payload)
            for point in points()
        ]
        await remote.upsert("a", dense, wait=True)
        assert (await remote.count("a")).count == COUNT
        answers = await asyncio.gather(*(remote.query_points("a", query=D, with_payload=True) for _ in range(5)))
        expected = comparable(local.query_points("c", query=D, using="d", with_payload=True), near)
        assert [comparable(one) for one in answers] == [expected] * 5
        assert (await remote.get_collection("a")).points_count == COUNT
        assert await remote.delete_collection("a")
        await remote.close()

    if face.name == "served":
        asyncio.run(run())
