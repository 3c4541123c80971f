"""Milvus Lite: Milvus' engine started by its client, on a temporary file."""

from __future__ import annotations

import importlib
import time
from typing import Any

from benchmarks.data import Condition
from benchmarks.engines.base import EF_CONSTRUCT, Chunk, Engine, Layout, M, NotOffered
from benchmarks.sparse_data import Floats, Integers

_IDLE_AFTER_SECONDS = 1.0
_IDLE_SHARE = 0.1
_FIELDS = ("category", "area", "price", "ts", "text")


class Milvus(Engine):
    """Its graph is searched before the filter is applied: of a narrow filter's points it finds few, however wide."""

    name = "milvus-lite"
    package = "milvus-lite"
    efs = (64, 128, 256, 1024)

    def create(self, layout: Layout) -> None:
        milvus = self._milvus = importlib.import_module("pymilvus")
        types = milvus.DataType
        self._client = milvus.MilvusClient(f"{self.folder}/bench.db")
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", types.INT64, is_primary=True)
        for name, kind in (("category", types.VARCHAR), ("area", types.VARCHAR), ("text", types.VARCHAR)):
            schema.add_field(name, kind, max_length=256)
        schema.add_field("price", types.DOUBLE)
        schema.add_field("ts", types.INT64)
        indexes = self._client.prepare_index_params()
        if layout.size:
            schema.add_field("dense", types.FLOAT_VECTOR, dim=layout.size)
            shape = {"M": M, "efConstruction": EF_CONSTRUCT}
            indexes.add_index("dense", index_type="HNSW", metric_type="COSINE", params=shape)
        if layout.sparse:
            schema.add_field("sparse", types.SPARSE_FLOAT_VECTOR)
            indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
        for name in ("category", "area", "price"):
            indexes.add_index(name, index_type="INVERTED")
        self._client.create_collection("bench", schema=schema, index_params=indexes)

    def points(self, chunk: Chunk) -> Any:
        empty = {"category": "", "area": "", "price": 0.0, "ts": 0, "text": ""}
        made = []
        for row, identifier in enumerate(chunk.ids):
            point = {"id": identifier, **(chunk.payloads[row] if chunk.payloads else empty)}
            if chunk.vectors is not None:
                point["dense"] = chunk.vectors[row].tolist()
            if chunk.sparse is not None:
                point["sparse"] = self.terms(*chunk.sparse[row])
            made.append(point)
        return made

    def upsert(self, points: Any) -> None:
        if len(points) > 1:
            self._client.insert("bench", points)
        else:
            self._client.upsert("bench", points)

    def finish(self) -> None:
        """It indexes in the background and always says that it has finished: wait until it idles."""
        self._client.flush("bench")
        self._client.load_collection("bench")
        while True:
            before = time.process_time()
            time.sleep(_IDLE_AFTER_SECONDS)
            if time.process_time() - before < _IDLE_SHARE * _IDLE_AFTER_SECONDS:
                return

    def terms(self, indices: Integers, values: Floats) -> Any:
        return dict(zip(indices.tolist(), values.tolist(), strict=True))

    def condition(self, condition: Condition) -> Any:
        if condition.value is not None:
            return f'{condition.key} == "{condition.value}"'
        return f"{condition.key} >= {condition.gte} and {condition.key} < {condition.lt}"

    def nearest(
        self, query: Any, top: int, ef: int | None = None, exact: bool = False, condition: Any = None
    ) -> list[int]:
        if exact:  # a collection has one index for a vector, and this one has the graph
            raise NotOffered
        params = {"metric_type": "COSINE", "params": {"ef": ef or 100}}
        return self._search(query, "dense", params, top, condition or "")

    def sparse(self, terms: Any, top: int) -> list[int]:
        return self._search(terms, "sparse", {"metric_type": "IP"}, top, "")

    def hybrid(self, query: Any, terms: Any, top: int) -> list[int]:
        request = self._milvus.AnnSearchRequest
        parts = [
            request([query], "dense", {"metric_type": "COSINE", "params": {"ef": 100}}, limit=100),
            request([terms], "sparse", {"metric_type": "IP"}, limit=100),
        ]
        found = self._client.hybrid_search("bench", parts, self._milvus.RRFRanker(), limit=top)
        return [int(hit["id"]) for hit in found[0]]

    def retrieve(self, point: int) -> Any:
        return self._client.get("bench", ids=[point], output_fields=list(_FIELDS))[0]

    def scroll(self, condition: Any, limit: int) -> list[Any]:
        return list(self._client.query("bench", filter=condition, limit=limit, output_fields=list(_FIELDS)))

    def count(self, condition: Any) -> int:
        return int(self._client.query("bench", filter=condition, output_fields=["count(*)"])[0]["count(*)"])

    def set_payload(self, point: int, payload: dict[str, Any]) -> None:
        self._client.upsert("bench", [{"id": point, **payload}], partial_update=True)

    def delete(self, points: list[int]) -> None:
        self._client.delete("bench", ids=points)

    def close(self) -> None:
        self._client.close()

    def _search(self, query: Any, field: str, params: dict[str, Any], top: int, condition: str) -> list[int]:
        found = self._client.search(
            "bench",
            data=[query],
            limit=top,
            anns_field=field,
            filter=condition,
            output_fields=["id"],
            search_params=params,
        )
        return [int(hit["id"]) for hit in found[0]]
