"""Chroma in this process, in memory."""

from __future__ import annotations

import importlib
from typing import Any

from benchmarks.data import Condition
from benchmarks.engines.base import EF_CONSTRUCT, Chunk, Engine, Layout, M, NotOffered


class Chroma(Engine):
    """Its `ef` cannot be changed on a live collection, so there is one configuration."""

    name = "chroma"
    package = "chromadb"
    batch = 5000
    efs = (100,)

    def create(self, layout: Layout) -> None:
        if layout.sparse or not layout.size:
            raise NotOffered
        self._size = layout.size
        settings = importlib.import_module("chromadb.config").Settings(anonymized_telemetry=False)
        client = importlib.import_module("chromadb").EphemeralClient(settings)
        hnsw = {"space": "cosine", "ef_construction": EF_CONSTRUCT, "max_neighbors": M, "ef_search": 100}
        self._found = client.create_collection("bench", embedding_function=None, configuration={"hnsw": hnsw})

    def points(self, chunk: Chunk) -> Any:
        return {
            "ids": [str(identifier) for identifier in chunk.ids],
            "embeddings": chunk.vectors,
            "metadatas": chunk.payloads,
        }

    def upsert(self, points: Any) -> None:
        self._found.upsert(**points)

    def finish(self) -> None:
        self.nearest([0.1] * self._size, 1)  # the first query folds the log into the graph

    def condition(self, condition: Condition) -> Any:
        if condition.value is not None:
            return {condition.key: condition.value}
        return {"$and": [{condition.key: {"$gte": condition.gte}}, {condition.key: {"$lt": condition.lt}}]}

    def nearest(
        self, query: Any, top: int, ef: int | None = None, exact: bool = False, condition: Any = None
    ) -> list[int]:
        if exact:
            raise NotOffered
        found = self._found.query(query_embeddings=[query], n_results=top, where=condition, include=["distances"])
        return [int(identifier) for identifier in found["ids"][0]]

    def retrieve(self, point: int) -> Any:
        return self._found.get(ids=[str(point)])["metadatas"]

    def scroll(self, condition: Any, limit: int) -> list[Any]:
        return list(self._found.get(where=condition, limit=limit)["metadatas"])

    def count(self, condition: Any) -> int:
        return len(self._found.get(where=condition, include=[])["ids"])

    def set_payload(self, point: int, payload: dict[str, Any]) -> None:
        self._found.update(ids=[str(point)], metadatas=[payload])

    def delete(self, points: list[int]) -> None:
        self._found.delete(ids=[str(point) for point in points])

    def close(self) -> None:
        del self._found
