"""Does agno's Qdrant store work: vector, keyword and hybrid search, both forms, upserts, deletions, metadata?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from agno.knowledge.document import Document
from agno.knowledge.embedder import Embedder
from agno.vectordb.qdrant import Qdrant
from agno.vectordb.search import SearchType

from tests.integrations import offline


@dataclass
class Hashed(Embedder):
    dimensions: int | None = 1536

    def get_embedding(self, text: str) -> list[float]:
        return offline.dense(text, 1536)

    def get_embedding_and_usage(self, text: str) -> tuple[list[float], dict[str, Any] | None]:
        return self.get_embedding(text), None

    async def async_get_embedding(self, text: str) -> list[float]:
        return self.get_embedding(text)

    async def async_get_embedding_and_usage(self, text: str) -> tuple[list[float], dict[str, Any] | None]:
        return self.get_embedding(text), None


def documents() -> list[Document]:
    return [
        Document(
            content=text, name=f"name {number}", id=str(number), content_id=f"content {number}", meta_data={"n": number}
        )
        for number, text in enumerate(offline.TEXTS)
    ]


def check(url: str, kind: SearchType) -> None:
    store = Qdrant(collection=f"agno-{kind.value}", url=url, embedder=Hashed(), search_type=kind)
    store.create()
    assert store.exists()
    store.insert("hash", documents())
    assert store.get_count() == len(offline.TEXTS)
    store.upsert("hash", documents())
    assert store.get_count() == len(offline.TEXTS)
    assert store.content_hash_exists("hash") and store.name_exists("name 1")
    assert [each.content for each in store.search(offline.QUERY, limit=1)] == [offline.TEXTS[0]]
    store.update_metadata("content 1", {"changed": True})
    assert store.delete_by_name("name 0") and store.delete_by_metadata({"n": 2})
    assert store.get_count() == 1
    store.drop()
    assert not store.exists()


async def check_async(url: str) -> None:
    store = Qdrant(collection="agno-async", url=url, embedder=Hashed(), search_type=SearchType.hybrid)
    await store.async_create()
    await store.async_insert("hash", documents())
    found = await store.async_search(offline.QUERY, limit=1)
    assert [each.content for each in found] == [offline.TEXTS[0]]
    await store.async_drop()


def run(url: str) -> None:
    offline.plug_in_fastembed()
    for kind in SearchType:
        check(url, kind)
    asyncio.run(check_async(url))


if __name__ == "__main__":
    offline.main(run)
