"""qdrant-edge-py: Qdrant's own engine, in Rust, in this process. Vectors and payload in RAM, log on, as by default."""

from __future__ import annotations

import importlib
from typing import Any

from benchmarks.data import Condition
from benchmarks.engines.base import EF_CONSTRUCT, FIELDS, Chunk, Engine, Layout, M
from benchmarks.sparse_data import Floats, Integers


class Edge(Engine):
    """Payload indexes are made before the graph, so that the graph has the links that filters need."""

    name = "qdrant-edge"
    package = "qdrant-edge-py"
    index_payload = True

    def create(self, layout: Layout) -> None:
        edge = self._edge = importlib.import_module("qdrant_edge")
        config: dict[str, Any] = {
            "on_disk_payload": False,
            "hnsw_config": edge.HnswIndexConfig(m=M, ef_construct=EF_CONSTRUCT, full_scan_threshold=10_000),
            "optimizers": edge.EdgeOptimizersConfig(indexing_threshold=1000),
        }
        if layout.size:
            vector = edge.EdgeVectorParams(size=layout.size, distance=edge.Distance.Cosine, on_disk=False)
            config["vectors"] = {"dense": vector}
        if layout.sparse:
            config["sparse_vectors"] = {"sparse": edge.EdgeSparseVectorParams(on_disk=False)}
        self._shard = edge.EdgeShard.create(self.folder, edge.EdgeConfig(**config))
        self._indexed = layout.index_payload and self.index_payload

    def points(self, chunk: Chunk) -> Any:
        point, payloads = self._edge.Point, chunk.payloads or [{}] * len(chunk.ids)
        made = []
        for row, identifier in enumerate(chunk.ids):
            vectors: dict[str, Any] = {}
            if chunk.vectors is not None:
                vectors["dense"] = chunk.vectors[row].tolist()
            if chunk.sparse is not None:
                vectors["sparse"] = self.terms(*chunk.sparse[row])
            made.append(point(identifier, vectors, payloads[row]))
        return made

    def upsert(self, points: Any) -> None:
        self._shard.update(self._edge.UpdateOperation.upsert_points(points))

    def finish(self) -> None:
        types = {"keyword": self._edge.PayloadSchemaType.Keyword, "float": self._edge.PayloadSchemaType.Float}
        for field, kind in FIELDS.items() if self._indexed else ():
            self._shard.update(self._edge.UpdateOperation.create_field_index(field, types[kind]))
        self._shard.optimize()

    def terms(self, indices: Integers, values: Floats) -> Any:
        return self._edge.SparseVector(indices.tolist(), values.tolist())

    def condition(self, condition: Condition) -> Any:
        edge = self._edge
        if condition.value is not None:
            test = edge.FieldCondition(key=condition.key, match=edge.MatchValue(value=condition.value))
        else:
            test = edge.FieldCondition(key=condition.key, range=edge.RangeFloat(gte=condition.gte, lt=condition.lt))
        return edge.Filter(must=[test])

    def nearest(
        self, query: Any, top: int, ef: int | None = None, exact: bool = False, condition: Any = None
    ) -> list[int]:
        edge = self._edge
        params = edge.SearchParams(hnsw_ef=ef, exact=exact)
        nearest = edge.Query.Nearest(query, using="dense")
        return self._ask(edge.QueryRequest(limit=top, query=nearest, filter=condition, params=params))

    def sparse(self, terms: Any, top: int) -> list[int]:
        nearest = self._edge.Query.Nearest(terms, using="sparse")
        return self._ask(self._edge.QueryRequest(limit=top, query=nearest))

    def hybrid(self, query: Any, terms: Any, top: int) -> list[int]:
        edge = self._edge
        prefetches = [
            edge.Prefetch(limit=100, query=edge.Query.Nearest(query, using="dense")),
            edge.Prefetch(limit=100, query=edge.Query.Nearest(terms, using="sparse")),
        ]
        return self._ask(edge.QueryRequest(limit=top, query=edge.Fusion.Rrf(k=2), prefetches=prefetches))

    def retrieve(self, point: int) -> Any:
        return self._shard.retrieve([point], with_payload=True, with_vector=False)[0].payload

    def scroll(self, condition: Any, limit: int) -> list[Any]:
        request = self._edge.ScrollRequest(limit=limit, filter=condition, with_payload=True)
        return [point.payload for point in self._shard.scroll(request)[0]]

    def count(self, condition: Any) -> int:
        return int(self._shard.count(self._edge.CountRequest(exact=True, filter=condition)))

    def set_payload(self, point: int, payload: dict[str, Any]) -> None:
        self._shard.update(self._edge.UpdateOperation.set_payload([point], payload))

    def delete(self, points: list[int]) -> None:
        self._shard.update(self._edge.UpdateOperation.delete_points(points))

    def close(self) -> None:
        self._shard.close()

    def _ask(self, request: Any) -> list[int]:
        return [point.id for point in self._shard.query(request)]


class EdgePlain(Edge):
    """The same without payload indexes: a smaller graph, faster where nothing is filtered."""

    name = "qdrant-edge, no payload index"
    index_payload = False
