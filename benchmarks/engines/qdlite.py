"""qdlite in this process: `Database` with wire models, its native API."""

from __future__ import annotations

from typing import Any

from benchmarks.data import Condition
from benchmarks.engines.base import EF_CONSTRUCT, FIELDS, Chunk, Engine, Layout, M
from benchmarks.sparse_data import Floats, Integers


class Qdlite(Engine):
    name = "qdlite"
    package = "qdlite"

    @classmethod
    def installed(cls) -> str | None:
        from qdlite import __version__

        return __version__

    def create(self, layout: Layout) -> None:
        import msgspec

        from qdlite import Database
        from qdlite.models import collections, filters, indexes, params, points, query, reads, updates, vectors

        self._filters, self._points, self._query, self._vectors = filters, points, query, vectors
        self._params, self._reads, self._updates = params, reads, updates
        self._encode, self._raw = msgspec.json.encode, msgspec.Raw
        self._database = Database()
        body: dict[str, Any] = {
            "vectors": {"dense": {"size": layout.size, "distance": "Cosine"}} if layout.size else {},
            "hnsw_config": {"m": M, "ef_construct": EF_CONSTRUCT},
            "optimizers_config": {"indexing_threshold": 1000},
        }
        if layout.sparse:
            body["sparse_vectors"] = {"sparse": {}}
        self._database.create_collection("bench", self._model(body, collections.CreateCollection))
        for field, kind in FIELDS.items() if layout.index_payload else ():
            index = {"field_name": field, "field_schema": kind}
            self._database.create_field_index("bench", self._model(index, indexes.CreateFieldIndex))

    def points(self, chunk: Chunk) -> Any:
        from qdlite.types import SparseArray

        payloads = list(map(self._raw, map(self._encode, chunk.payloads or ())))
        vectors: dict[str, Any] = {}
        if chunk.vectors is not None:
            vectors["dense"] = chunk.vectors
        if chunk.sparse is not None:
            vectors["sparse"] = [SparseArray(terms.astype("u4"), values) for terms, values in chunk.sparse]
        batch = self._points.Batch(ids=chunk.ids, vectors=vectors, payloads=payloads or None)  # type: ignore[arg-type]
        return self._points.UpsertPoints(batch=batch)

    def upsert(self, points: Any) -> None:
        self._database.upsert("bench", points)

    def finish(self) -> None:
        self._database.wait_until_indexed()

    def settle(self) -> None:
        self._database.wait_until_indexed()

    def query(self, vector: Floats) -> Any:
        return vector

    def terms(self, indices: Integers, values: Floats) -> Any:
        return self._vectors.VectorObject(indices=indices.tolist(), values=values.tolist())

    def condition(self, condition: Condition) -> Any:
        filters = self._filters
        if condition.value is not None:
            test = filters.Condition(key=condition.key, match=filters.Match(value=condition.value))
        else:
            test = filters.Condition(key=condition.key, range=filters.Range(gte=condition.gte, lt=condition.lt))
        return filters.Filter(must=[test])

    def nearest(
        self, query: Any, top: int, ef: int | None = None, exact: bool = False, condition: Any = None
    ) -> list[int]:
        params = self._params.SearchParams(hnsw_ef=ef, exact=exact)
        return self._ask(
            self._query.QueryRequest(query=query, using="dense", limit=top, filter=condition, params=params)
        )

    def sparse(self, terms: Any, top: int) -> list[int]:
        nearest = self._query.Query(nearest=terms)
        return self._ask(self._query.QueryRequest(query=nearest, using="sparse", limit=top))

    def hybrid(self, query: Any, terms: Any, top: int) -> list[int]:
        prefetch = [
            self._query.Prefetch(query=query, using="dense", limit=100),
            self._query.Prefetch(query=self._query.Query(nearest=terms), using="sparse", limit=100),
        ]
        fusion = self._query.Query(fusion="rrf")
        return self._ask(self._query.QueryRequest(prefetch=prefetch, query=fusion, limit=top))

    def retrieve(self, point: int) -> Any:
        return self._database.retrieve("bench", self._reads.PointRequest(ids=[point]))[0].payload

    def scroll(self, condition: Any, limit: int) -> list[Any]:
        found = self._database.scroll("bench", self._reads.ScrollRequest(filter=condition, limit=limit))
        return [point.payload for point in found.points]

    def count(self, condition: Any) -> int:
        return self._database.count("bench", self._reads.CountRequest(filter=condition))

    def set_payload(self, point: int, payload: dict[str, Any]) -> None:
        body = self._updates.SetPayload(points=[point], payload=self._raw(self._encode(payload)))
        self._database.set_payload("bench", body)

    def delete(self, points: list[int]) -> None:
        self._database.delete("bench", self._updates.PointsSelector(points=list(points)))

    def close(self) -> None:
        self._database.close()

    def _model(self, body: dict[str, Any], model: Any) -> Any:
        from qdlite.models.decoding import decode

        return decode(self._encode(body), model)

    def _ask(self, request: Any) -> list[int]:
        return [point.id for point in self._database.query("bench", request).points]  # type: ignore[misc]
