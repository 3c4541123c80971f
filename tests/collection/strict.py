"""A database with one collection in strict mode, and JSON bodies for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import pytest

from qdlite.collection.limits.guard import Guard
from qdlite.database import Database
from qdlite.errors import QdliteError
from qdlite.models.base import Model
from qdlite.models.checks import check
from qdlite.models.collections import CreateCollection, StrictModeConfig, UpdateCollection
from qdlite.models.decoding import decode
from qdlite.models.groups import QueryGroupsRequest
from qdlite.models.indexes import CreateFieldIndex
from qdlite.models.matrix import SearchMatrixRequest
from qdlite.models.points import UpsertPoints
from qdlite.models.query import QueryRequest, QueryRequestBatch
from qdlite.models.reads import CountRequest, FacetRequest, PointRequest, ScrollRequest
from qdlite.models.updates import (
    DeletePayload,
    DeleteVectors,
    PointsSelector,
    SetPayload,
    UpdateOperations,
    UpdateVectors,
)

NAME = "strict"
QUERY = [1, 1]
OTHER_FILTER = "Create an index for this key or use a different filter."
OTHER_FORMULA = "Create an index for this key or use a different formula expression."
MATCH_INDEX = "Create an index supporting `match` for this key."
POINTS = 10
Limits = dict[str, Any]
_M = TypeVar("_M", bound=Model)

BODIES: dict[str, type[Model]] = {
    "query": QueryRequest,
    "query_batch": QueryRequestBatch,
    "query_groups": QueryGroupsRequest,
    "scroll": ScrollRequest,
    "count": CountRequest,
    "facet": FacetRequest,
    "retrieve": PointRequest,
    "matrix_pairs": SearchMatrixRequest,
    "matrix_offsets": SearchMatrixRequest,
    "upsert": UpsertPoints,
    "update_vectors": UpdateVectors,
    "delete_vectors": DeleteVectors,
    "delete": PointsSelector,
    "clear_payload": PointsSelector,
    "set_payload": SetPayload,
    "overwrite_payload": SetPayload,
    "delete_payload": DeletePayload,
    "batch_update": UpdateOperations,
    "create_field_index": CreateFieldIndex,
}
"""The model of the body of each call of the database."""


def body(model: type[_M], content: dict[str, Any]) -> _M:
    """A body as it arrives: decoded and checked."""
    decoded = decode(msgspec.json.encode(content), model)
    check(decoded)
    return decoded


class Strict:
    """A collection of ten points: a dense vector, a multivector `multi` and a sparse one `sparse`, payload `n` and
    `word`, all without indexes. Limits come later, so that the points are not subject to them."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self.database = database
        database.create_collection(
            NAME,
            body(
                CreateCollection,
                {
                    "vectors": {
                        "": {"size": 2, "distance": "Dot"},
                        "multi": {"size": 2, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}},
                    },
                    "sparse_vectors": {"sparse": {"modifier": "idf"}},
                },
            ),
        )
        self.call("upsert", points=[point(number) for number in range(POINTS)])
        if limits:
            self.limit(**limits)

    def call(self, name: str, **content: Any) -> Any:
        return getattr(self.database, name)(NAME, body(BODIES[name], content))

    def limit(self, **limits: Any) -> None:
        """A PATCH of the strict mode's configuration."""
        changes = {"enabled": True, **limits}
        self.database.update_collection(NAME, body(UpdateCollection, {"strict_mode_config": changes}))

    def freeze(self, name: str = NAME, /, **limits: int) -> None:
        """Puts rate limits in place whose buckets are full and never refilled."""
        guard = Guard(StrictModeConfig(enabled=True, **limits), clock=lambda: 0.0)  # type: ignore[arg-type]
        self.database.collection(name).read(lambda view: setattr(view.state, "guard", guard))

    def count(self) -> int:
        return self.database.get_collection(NAME).points_count

    def refusal(self, name: str, **content: Any) -> str:
        """The complete text with which a call is refused."""
        with pytest.raises(QdliteError) as caught:
            self.call(name, **content)
        return str(caught.value)


def point(number: int, **more: Any) -> dict[str, Any]:
    vectors = {"": [number, 1], "multi": [[1, 0], [0, 1]], "sparse": {"indices": [1, 7], "values": [1, 2]}}
    return {"id": number, "vector": vectors, "payload": {"n": number, "word": ["even", "odd"][number % 2]}, **more}


def matching(key: str, value: Any) -> dict[str, Any]:
    return {"must": [{"key": key, "match": {"value": value}}]}


def exceeded(value: object, limit: object, name: str) -> str:
    return (
        f'Bad request: Limit exceeded {value} > {limit} for "{name}". '
        f'Help: Reduce the "{name}" parameter to or below {limit}.'
    )


def no_index(key: str, types: str, remedy: str = OTHER_FILTER) -> str:
    return (
        f'Bad request: Index required but not found for "{key}" of one of the following types: [{types}]. '
        f"Help: {remedy}"
    )


Make = Callable[..., Strict]
"""Builds a `Strict` with the limits given by name."""
