"""Does crewAI's Qdrant client work: both forms, documents, thresholds, metadata filters, reset?"""

from __future__ import annotations

import asyncio
import os
from typing import Any

os.environ.setdefault("CREWAI_DISABLE_TELEMETRY", "true")
os.environ.setdefault("OTEL_SDK_DISABLED", "true")

from crewai.rag.qdrant.client import QdrantClient as CrewClient
from crewai.rag.qdrant.config import QdrantConfig
from crewai.rag.qdrant.constants import DEFAULT_VECTOR_PARAMS
from crewai.rag.qdrant.factory import create_client
from qdrant_client import AsyncQdrantClient

from tests.integrations import offline


def embed(text: str) -> list[float]:
    return offline.dense(text, DEFAULT_VECTOR_PARAMS.size)


def documents() -> list[dict[str, Any]]:
    return [{"content": text, "metadata": {"number": n}} for n, text in enumerate(offline.TEXTS)]


def synchronous(url: str) -> None:
    client = create_client(QdrantConfig(options={"url": url}, embedding_function=embed))
    client.create_collection(collection_name="crew")
    assert client.get_or_create_collection(collection_name="crew").status == "green"
    client.add_documents(collection_name="crew", documents=documents())
    found = client.search(collection_name="crew", query=offline.QUERY, limit=1)
    assert [each["content"] for each in found] == [offline.TEXTS[0]], found
    assert len(client.search(collection_name="crew", query=offline.QUERY, score_threshold=0.5)) == 1
    client.search(collection_name="crew", query=offline.QUERY, metadata_filter={"number": 2})
    client.delete_collection(collection_name="crew")
    client.get_or_create_collection(collection_name="crew")
    client.reset()


async def asynchronous(url: str) -> None:
    client = CrewClient(client=AsyncQdrantClient(url=url), embedding_function=embed)
    await client.acreate_collection(collection_name="crew-async")
    await client.aadd_documents(collection_name="crew-async", documents=documents())
    found = await client.asearch(collection_name="crew-async", query=offline.QUERY, limit=1)
    assert [each["content"] for each in found] == [offline.TEXTS[0]], found
    await client.adelete_collection(collection_name="crew-async")


def run(url: str) -> None:
    synchronous(url)
    asyncio.run(asynchronous(url))


if __name__ == "__main__":
    offline.main(run)
