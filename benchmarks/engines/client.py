"""Whatever speaks qdrant-client's API: its own local mode, and qdlite behind the same client in this process."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from benchmarks.data import Condition
from benchmarks.engines.base import EF_CONSTRUCT, Chunk, Engine, Layout, M
from benchmarks.sparse_data import Floats, Integers

COLLECTION = "bench"


class ClientEngine(Engine):
    package = "qdrant-client"

    @abstractmethod
    def connect(self) -> Any:
        """The client."""

    def create(self, layout: Layout) -> None:
        from qdrant_client import models

        self._models = models
        self._client = self.connect()
        dense = {"dense": models.VectorParams(size=layout.size, distance=models.Distance.COSINE)} if layout.size else {}
        self._client.create_collection(
            COLLECTION,
            vectors_config=dense,
            sparse_vectors_config={"sparse": models.SparseVectorParams()} if layout.sparse else None,
            hnsw_config=models.HnswConfigDiff(m=M, ef_construct=EF_CONSTRUCT),
            optimizers_config=models.OptimizersConfigDiff(indexing_threshold=1000),
        )

    def points(self, chunk: Chunk) -> Any:
        made = []
        for row, identifier in enumerate(chunk.ids):
            vectors: dict[str, Any] = {}
            if chunk.vectors is not None:
                vectors["dense"] = chunk.vectors[row].tolist()
            if chunk.sparse is not None:
                vectors["sparse"] = self.terms(*chunk.sparse[row])
            payload = chunk.payloads[row] if chunk.payloads else None
            made.append(self._models.PointStruct(id=identifier, vector=vectors, payload=payload))
        return made

    def upsert(self, points: Any) -> None:
        self._client.upsert(COLLECTION, points)

    def finish(self) -> None:
        return

    def terms(self, indices: Integers, values: Floats) -> Any:
        return self._models.SparseVector(indices=indices.tolist(), values=values.tolist())

    def condition(self, condition: Condition) -> Any:
        models = self._models
        if condition.value is not None:
            test = models.FieldCondition(key=condition.key, match=models.MatchValue(value=condition.value))
        else:
            test = models.FieldCondition(key=condition.key, range=models.Range(gte=condition.gte, lt=condition.lt))
        return models.Filter(must=[test])

    def nearest(
        self, query: Any, top: int, ef: int | None = None, exact: bool = False, condition: Any = None
    ) -> list[int]:
        params = self._models.SearchParams(hnsw_ef=ef, exact=exact)
        return self._ask(query=query, using="dense", limit=top, query_filter=condition, search_params=params)

    def sparse(self, terms: Any, top: int) -> list[int]:
        return self._ask(query=terms, using="sparse", limit=top)

    def hybrid(self, query: Any, terms: Any, top: int) -> list[int]:
        models = self._models
        prefetch = [
            models.Prefetch(query=query, using="dense", limit=100),
            models.Prefetch(query=terms, using="sparse", limit=100),
        ]
        return self._ask(query=models.FusionQuery(fusion=models.Fusion.RRF), prefetch=prefetch, limit=top)

    def retrieve(self, point: int) -> Any:
        return self._client.retrieve(COLLECTION, [point])[0].payload

    def scroll(self, condition: Any, limit: int) -> list[Any]:
        found, _ = self._client.scroll(COLLECTION, scroll_filter=condition, limit=limit)
        return [point.payload for point in found]

    def count(self, condition: Any) -> int:
        return int(self._client.count(COLLECTION, count_filter=condition, exact=True).count)

    def set_payload(self, point: int, payload: dict[str, Any]) -> None:
        self._client.set_payload(COLLECTION, payload, [point])

    def delete(self, points: list[int]) -> None:
        self._client.delete(COLLECTION, points)

    def close(self) -> None:
        self._client.close()

    def _ask(self, **request: Any) -> list[int]:
        return [point.id for point in self._client.query_points(COLLECTION, with_payload=False, **request).points]


class Local(ClientEngine):
    """`QdrantClient(":memory:")`: every search is exact, in numpy."""

    name = "qdrant-client :memory:"
    efs = (64,)

    def connect(self) -> Any:
        from qdrant_client import QdrantClient

        return QdrantClient(":memory:")


class QdliteClient(ClientEngine):
    """The stock client on a `Database` in the same process."""

    name = "qdlite, stock client"

    def connect(self) -> Any:
        import qdlite

        self._database = qdlite.Database()
        return qdlite.client(self._database)

    def finish(self) -> None:
        self._database.wait_until_indexed()

    def settle(self) -> None:
        self._database.wait_until_indexed()

    def close(self) -> None:
        super().close()
        self._database.close()
