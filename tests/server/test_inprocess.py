"""Do `qdlite.client()` and `qdlite.async_client()` give the stock clients, without a socket?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from qdrant_client import AsyncQdrantClient, QdrantClient
from qdrant_client.http.exceptions import UnexpectedResponse
from qdrant_client.models import Distance, Document, PointStruct, VectorParams

import qdlite
from qdlite import Database

VECTORS = VectorParams(size=2, distance=Distance.DOT)


def test_a_client_has_a_database_of_its_own() -> None:
    first, second = qdlite.client(), qdlite.client()
    assert type(first) is QdrantClient
    first.create_collection("c", vectors_config=VECTORS)
    assert first.collection_exists("c")
    assert not second.collection_exists("c")
    first.close()
    second.close()


def test_clients_share_a_given_database(database: Database) -> None:
    first, second = qdlite.client(database), qdlite.client(database)
    first.create_collection("c", vectors_config=VECTORS)
    first.close()
    assert second.collection_exists("c")
    second.close()


def test_closing_lets_go_of_the_own_database_only(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Database] = []
    original = Database.close

    def close(database: Database) -> None:
        closed.append(database)
        original(database)

    monkeypatch.setattr(Database, "close", close)
    qdlite.client().close()
    assert len(closed) == 1
    with Database() as database:
        qdlite.client(database).close()
        assert len(closed) == 1


def test_errors_are_those_of_the_stock_client() -> None:
    client = qdlite.client()
    with pytest.raises(UnexpectedResponse, match="Not found: Collection `nothing`"):
        client.get_collection("nothing")
    client.close()


def test_options_go_to_the_client() -> None:
    client = qdlite.client(timeout=7, headers={"x": "y"})
    assert client.init_options["timeout"] == 7
    client.close()


async def _use(client: AsyncQdrantClient) -> list[Any]:
    await client.create_collection("c", vectors_config=VectorParams(size=64, distance=Distance.COSINE))
    texts = ["the cat sat on the mat", "stock prices fell sharply", "a dog and a cat"]
    points = [PointStruct(id=n, vector=Document(text=text, model="hashing/64")) for n, text in enumerate(texts)]
    await client.upsert("c", points, wait=True)
    answers = await asyncio.gather(
        *(client.query_points("c", query=Document(text=text, model="hashing/64"), limit=1) for text in texts)
    )
    await client.close()
    return [answer.points[0].id for answer in answers]


def test_the_asynchronous_client() -> None:
    assert asyncio.run(_use(qdlite.async_client())) == [0, 1, 2]


def test_a_slow_call_leaves_the_event_loop_free(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    release = threading.Event()
    monkeypatch.setattr(database, "delete_collection", lambda name: release.wait(20))

    async def both() -> bool:
        client = qdlite.async_client(database)
        slow = asyncio.ensure_future(client.delete_collection("c"))
        await asyncio.sleep(0)
        await client.get_collections()
        done = slow.done()
        release.set()
        assert await slow
        await client.close()
        return done

    assert asyncio.run(both()) is False
