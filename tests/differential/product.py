"""How does qdlite carry out and answer the same JSON? A database with one collection."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from qdlite.database import Database
from qdlite.models.checks import check
from qdlite.models.collections import CreateCollection, VectorNameConfig
from qdlite.models.decoding import decode, encode
from qdlite.models.groups import QueryGroupsRequest
from qdlite.models.indexes import CreateFieldIndex
from qdlite.models.query import QueryRequest
from qdlite.models.reads import CountRequest, FacetRequest, PointRequest, ScrollRequest
from qdlite.models.updates import UpdateOperation, UpdateOperations
from qdlite.types import Json
from tests.differential.engine import JsonMap

NAME = "collection"


class Product:
    """Takes what `Engine` takes; raises `qdlite.errors.QdliteError` where the engine refuses."""

    def __init__(self, collection: JsonMap) -> None:
        self.database = Database()
        self.database.create_collection(NAME, decoded(collection, CreateCollection))

    def update(self, operation: JsonMap) -> None:
        ((kind, body),) = operation.items()
        if kind in _SCHEMA:
            _SCHEMA[kind](self.database, body)
            return
        operations = UpdateOperations(operations=[decoded(operation, UpdateOperation)])
        self.database.batch_update(NAME, operations)

    def ask(self, kind: str, body: JsonMap) -> Json:
        """The answer as JSON of the wire, without versions, and with vectors by name."""
        model, read = _READS[kind]
        answer = json.loads(encode(read(self.database, decoded(body, model))))
        points = answer.get("points", []) if isinstance(answer, dict) else answer if isinstance(answer, list) else []
        for point in points:
            point.pop("version", None)
            if "vector" in point and not isinstance(point["vector"], dict):
                point["vector"] = {"": point["vector"]}
        return answer

    def close(self) -> None:
        self.database.close()


def decoded(body: JsonMap, model: Any) -> Any:
    value = decode(encode(body), model)
    check(value)
    return value


def _create_vector(database: Database, body: JsonMap) -> None:
    config = {kind: body[kind] for kind in ("dense", "sparse") if kind in body}
    database.create_vector_name(NAME, body["name"], decoded(config, VectorNameConfig))


_SCHEMA: dict[str, Callable[[Database, JsonMap], object]] = {
    "create_index": lambda database, body: database.create_field_index(NAME, decoded(body, CreateFieldIndex)),
    "drop_index": lambda database, body: database.delete_field_index(NAME, body["field_name"]),
    "create_vector": _create_vector,
    "drop_vector": lambda database, body: database.delete_vector_name(NAME, body["name"]),
}
_READS: dict[str, tuple[Any, Callable[[Database, Any], object]]] = {
    "scroll": (ScrollRequest, lambda database, body: database.scroll(NAME, body)),
    "count": (CountRequest, lambda database, body: database.count(NAME, body)),
    "facet": (FacetRequest, lambda database, body: database.facet(NAME, body)),
    "retrieve": (PointRequest, lambda database, body: database.retrieve(NAME, body)),
    "query": (QueryRequest, lambda database, body: database.query(NAME, body)),
    "query_groups": (QueryGroupsRequest, lambda database, body: database.query_groups(NAME, body)),
}
