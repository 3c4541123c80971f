"""How does Qdrant's own engine (qdrant-edge-py) carry out operations of the wire? A shard that takes the same JSON.

Left out, as the Python API of qdrant-edge 0.9 cannot express it: distance matrices, `lookup_from`, `batch` in one
request, the datatype turbo4, and checks of the request's form (its arguments are typed objects already). Groups:
`engine_groups`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import qdrant_edge as edge

from qdlite.types import Json, PointId
from tests.filters.oracle import index_schema, to_filter

JsonMap = Mapping[str, Json]
_MEMORY = Path("/dev/shm")
"""A disk in memory, where there is one: each case makes and removes a few dozen files."""


class Refused(Exception):
    """The engine does not carry out a request; its Python API says so by a plain Exception only."""


def attempt(work: Callable[[], Any]) -> Any:
    """What `work` returns. Raises Refused for errors of the engine itself, not for misuse of its Python API."""
    try:
        return work()
    except Exception as error:
        if type(error) is not Exception:
            raise
        raise Refused(str(error)) from None


class Engine:
    """One shard. Ids go in as wire ids and come out canonical; filters and vectors are JSON."""

    def __init__(self, collection: JsonMap) -> None:
        memory = str(_MEMORY) if _MEMORY.is_dir() else None
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True, dir=memory)
        self.dense = dict(named_params(collection))
        self.sparse = dict(collection.get("sparse_vectors") or {})
        config = edge.EdgeConfig(
            vectors={name: dense_params(params) for name, params in self.dense.items()},
            sparse_vectors={name: sparse_params(params) for name, params in self.sparse.items()},
            wal_enabled=False,
            max_search_threads=1,
        )
        self.shard = edge.EdgeShard.create(self._folder.name, config)

    def update(self, operation: JsonMap) -> None:
        """Carries out one operation of a batch update, or one of the schema. Raises Refused."""
        ((kind, body),) = operation.items()
        attempt(lambda: self.shard.update(_UPDATES[kind](body)))
        if kind == "clear_payload":
            self._rewrite_empty_payloads()

    def _rewrite_empty_payloads(self) -> None:
        """Where a payload was cleared the engine would keep the nulls of the next `set_payload`, having nothing to
        merge them into; where it is merely empty, they remove keys."""
        records, _ = self.shard.scroll(edge.ScrollRequest(limit=1000, with_payload=True))
        empty = [record.id for record in records if not record.payload]
        self.shard.update(edge.UpdateOperation.overwrite_payload(empty, {}))

    def existing(self, ids: Iterable[PointId]) -> list[PointId]:
        return [shown_id(record.id) for record in self.shard.retrieve(list(ids), False, False)]

    def vector(self, point_id: PointId, name: str) -> Any:
        """A stored vector in wire form; None if the point or its vector is missing."""
        records = self.shard.retrieve([point_id], False, [name])
        return named(records[0].vector).get(name) if records else None

    def close(self) -> None:
        self.shard.close()
        self._folder.cleanup()


def named_params(collection: JsonMap) -> JsonMap:
    """Parameters of the dense vectors by name; the unnamed one is called ""."""
    vectors: JsonMap = collection.get("vectors") or {}
    return {"": vectors} if "size" in vectors else vectors


def dense_params(params: JsonMap) -> Any:
    multi = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim) if params.get("multivector_config") else None
    datatype = _DATATYPES[params.get("datatype", "float32")]
    return edge.EdgeVectorParams(params["size"], distance(params), multivector_config=multi, datatype=datatype)


def sparse_params(params: JsonMap) -> Any:
    return edge.EdgeSparseVectorParams(modifier=modifier(params))


def distance(params: JsonMap) -> Any:
    return getattr(edge.Distance, params["distance"])


def modifier(params: JsonMap) -> Any:
    return edge.Modifier.Idf if params.get("modifier") == "idf" else None


_DATATYPES = {
    "float32": edge.VectorStorageDatatype.Float32,
    "float16": edge.VectorStorageDatatype.Float16,
    "uint8": edge.VectorStorageDatatype.Uint8,
}


def to_vector(given: Json) -> Any:
    """A dense, multi or sparse vector for the engine."""
    return edge.SparseVector(given["indices"], given["values"]) if isinstance(given, dict) else given


def to_vectors(given: Json) -> Any:
    """The `vector` of a point: one unnamed vector, or a map of names."""
    return {name: to_vector(one) for name, one in given.items()} if isinstance(given, dict) else given


def maybe_filter(given: Json) -> Any:
    return None if given is None else to_filter(given)


def shown_id(given: Any) -> PointId:
    return str(given) if isinstance(given, UUID) else int(given)


def named(vector: Any) -> dict[str, Json]:
    """Vectors as read from the engine, by name, in wire form."""
    vectors = vector if isinstance(vector, dict) else {"": vector}
    return {name: _shown(one) for name, one in vectors.items()}


def _shown(vector: Any) -> Json:
    if isinstance(vector, edge.SparseVector):
        return {"indices": vector.indices, "values": vector.values}
    return vector


def _upsert(body: JsonMap) -> Any:
    points = [edge.Point(one["id"], to_vectors(one["vector"]), one.get("payload")) for one in body["points"]]
    mode = _MODES[body.get("update_mode", "upsert")]
    return edge.UpdateOperation.upsert_points(points, maybe_filter(body.get("update_filter")), mode)


def _update_vectors(body: JsonMap) -> Any:
    points = [edge.PointVectors(one["id"], to_vectors(one["vector"])) for one in body["points"]]
    return edge.UpdateOperation.update_vectors(points, maybe_filter(body.get("update_filter")))


def _selected(by_ids: Callable[..., Any], by_filter: Callable[..., Any], *fields: str) -> Callable[[JsonMap], Any]:
    """An operation on points that are named by ids or by a filter, with further fields of its body."""

    def build(body: JsonMap) -> Any:
        rest = [body.get(field) for field in fields]
        if "points" in body:
            return by_ids(list(body["points"]), *rest)
        return by_filter(to_filter(body["filter"]), *rest)

    return build


def _create_vector(body: JsonMap) -> Any:
    if "sparse" in body:
        return edge.UpdateOperation.create_sparse_vector(body["name"], modifier(body["sparse"]))
    params = body["dense"]
    return edge.UpdateOperation.create_dense_vector(body["name"], params["size"], distance(params))


_operation = edge.UpdateOperation
_MODES = {
    "upsert": edge.UpdateMode.Upsert,
    "insert_only": edge.UpdateMode.InsertOnly,
    "update_only": edge.UpdateMode.UpdateOnly,
}
_UPDATES: dict[str, Callable[[JsonMap], Any]] = {
    "upsert": _upsert,
    "update_vectors": _update_vectors,
    "delete": _selected(_operation.delete_points, _operation.delete_points_by_filter),
    "delete_vectors": _selected(_operation.delete_vectors, _operation.delete_vectors_by_filter, "vector"),
    "set_payload": _selected(_operation.set_payload, _operation.set_payload_by_filter, "payload", "key"),
    "overwrite_payload": _selected(
        _operation.overwrite_payload, _operation.overwrite_payload_by_filter, "payload", "key"
    ),
    "delete_payload": _selected(_operation.delete_payload, _operation.delete_payload_by_filter, "keys"),
    "clear_payload": _selected(_operation.clear_payload, _operation.clear_payload_by_filter),
    "create_index": lambda body: _operation.create_field_index(body["field_name"], index_schema(body["field_schema"])),
    "drop_index": lambda body: _operation.delete_field_index(body["field_name"]),
    "create_vector": _create_vector,
    "drop_vector": lambda body: _operation.delete_vector_name(body["name"]),
}
