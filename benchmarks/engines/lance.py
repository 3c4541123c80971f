"""LanceDB in this process, on a folder of temporary files."""

from __future__ import annotations

import importlib
from typing import Any

from benchmarks.data import Condition
from benchmarks.engines.base import EF_CONSTRUCT, Chunk, Engine, Layout, M, NotOffered

_COLUMNS = {"category": "string", "area": "string", "price": "float64", "ts": "int64", "text": "string"}


class Lance(Engine):
    """Graph over scalar-quantised vectors, the fastest of its indexes; payload fields are columns."""

    name = "lancedb"
    package = "lancedb"
    batch = 10_000
    efs = (64, 128, 256)

    def create(self, layout: Layout) -> None:
        if layout.sparse or not layout.size:
            raise NotOffered
        self._size, self._arrow = layout.size, importlib.import_module("pyarrow")
        arrow = self._arrow
        fields = [("id", arrow.int64()), ("vector", arrow.list_(arrow.float32(), layout.size))]
        self._schema = arrow.schema([*fields, *((name, getattr(arrow, kind)()) for name, kind in _COLUMNS.items())])
        self._table = importlib.import_module("lancedb").connect(self.folder).create_table("bench", schema=self._schema)

    def points(self, chunk: Chunk) -> Any:
        if chunk.vectors is None:
            raise NotOffered
        arrow, payloads = self._arrow, chunk.payloads or [{}] * len(chunk.ids)
        vectors = arrow.FixedSizeListArray.from_arrays(arrow.array(chunk.vectors.ravel()), self._size)
        columns = {name: [payload.get(name) for payload in payloads] for name in _COLUMNS}
        return arrow.table({"id": chunk.ids, "vector": vectors, **columns}, schema=self._schema)

    def upsert(self, points: Any) -> None:
        if len(points) > 1:
            self._table.add(points)
        else:
            self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(points)

    def finish(self) -> None:
        self._table.create_index(
            metric="cosine", index_type="IVF_HNSW_SQ", num_partitions=1, m=M, ef_construction=EF_CONSTRUCT
        )
        for column, kind in (("category", "BITMAP"), ("area", "BITMAP"), ("price", "BTREE"), ("id", "BTREE")):
            self._table.create_scalar_index(column, index_type=kind)

    def condition(self, condition: Condition) -> Any:
        if condition.value is not None:
            return f"{condition.key} = '{condition.value}'"
        return f"{condition.key} >= {condition.gte} AND {condition.key} < {condition.lt}"

    def nearest(
        self, query: Any, top: int, ef: int | None = None, exact: bool = False, condition: Any = None
    ) -> list[int]:
        search = self._table.search(query).metric("cosine").limit(top).select(["id", "_distance"])
        if exact:
            search = search.bypass_vector_index()
        elif ef:
            search = search.ef(ef)
        if condition:
            search = search.where(condition, prefilter=True)
        return [int(identifier) for identifier in search.to_arrow()["id"].to_pylist()]

    def retrieve(self, point: int) -> Any:
        return self._table.search().where(f"id = {point}").limit(1).to_list()

    def scroll(self, condition: Any, limit: int) -> list[Any]:
        return list(self._table.search().where(condition).limit(limit).to_list())

    def count(self, condition: Any) -> int:
        return int(self._table.count_rows(condition))

    def set_payload(self, point: int, payload: dict[str, Any]) -> None:
        self._table.update(where=f"id = {point}", values=payload)

    def delete(self, points: list[int]) -> None:
        self._table.delete(f"id in ({', '.join(map(str, points))})")

    def close(self) -> None:
        del self._table
