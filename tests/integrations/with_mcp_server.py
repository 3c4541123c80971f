"""Does mcp-server-qdrant work: both tools called through the protocol, with payload indexes and a filter?"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from fastmcp import Client
from mcp_server_qdrant.embeddings.base import EmbeddingProvider
from mcp_server_qdrant.mcp_server import QdrantMCPServer
from mcp_server_qdrant.settings import FilterableField, QdrantSettings, ToolSettings

from tests.integrations import offline


class Hashed(EmbeddingProvider):
    async def embed_documents(self, documents: list[str]) -> list[list[float]]:
        return [offline.dense(document) for document in documents]

    async def embed_query(self, query: str) -> list[float]:
        return offline.dense(query)

    def get_vector_name(self) -> str:
        return "fast-all-minilm-l6-v2"  # what the default model gives

    def get_vector_size(self) -> int:
        return 384


def text_of(result: Any) -> str:
    return "\n".join(part.text for part in getattr(result, "content", result))


async def talk(url: str) -> None:
    os.environ.update(QDRANT_URL=url, COLLECTION_NAME="memories")
    settings = QdrantSettings()
    settings.filterable_fields = [
        FilterableField(name="topic", description="what it is about", field_type="keyword", condition="==")
    ]
    server = QdrantMCPServer(ToolSettings(), settings, embedding_provider=Hashed())
    async with Client(server) as client:
        assert {tool.name for tool in await client.list_tools()} == {"qdrant-find", "qdrant-store"}
        assert "Results" not in text_of(await client.call_tool("qdrant-find", {"query": "nothing there yet"}))
        for number, text in enumerate(offline.TEXTS):
            metadata = {"topic": f"topic {number}"}
            await client.call_tool("qdrant-store", {"information": text, "metadata": metadata})
        found = text_of(await client.call_tool("qdrant-find", {"query": offline.QUERY}))
        assert found.index(offline.TEXTS[0]) < found.index(offline.TEXTS[1]), found
        found = text_of(await client.call_tool("qdrant-find", {"query": offline.QUERY, "topic": "topic 2"}))
        assert offline.TEXTS[2] in found and offline.TEXTS[0] not in found, found
    assert await server.qdrant_connector.get_collection_names() == ["memories"]


def run(url: str) -> None:
    asyncio.run(talk(url))


if __name__ == "__main__":
    offline.main(run)
