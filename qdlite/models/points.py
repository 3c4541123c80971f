"""Which bodies write and read points? Upserts in both forms, selectors, payload and vector operations, records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from operator import itemgetter
from typing import Any, ClassVar, Literal, cast

import msgspec
import numpy as np
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import force_setattr

from qdlite.errors import InferenceError, MalformedBody
from qdlite.models import paths
from qdlite.models.base import Model, OneOf, Problem, UInt, at_least, decode_raw, placeheld
from qdlite.models.common import JsonObject, ShardKeys, WithPayload, WithVector, point_id, point_ids
from qdlite.models.filters import Filter
from qdlite.models.vectors import VectorObject, WireVector, narrow, narrow_struct, vector_problems
from qdlite.types import PointId

NULL = Raw(b"null")
_SELECT = "Either list of point ids or filter must be provided"


def _point_problems(vectors: dict[str, WireVector]) -> Iterator[Problem]:
    """Problems of a point's vectors. Qdrant shows a lone unnamed vector without a placeholder for its name."""
    if vectors.keys() == {""}:
        for where, message in vector_problems(vectors[""]):
            yield f"vector.{where}", message
    else:
        yield from placeheld(map(vector_problems, vectors.values()), "vector")


_FIRST_BYTES = frozenset({b"{", b"n"})
_first_byte = itemgetter(slice(1))


def check_payload(payload: Raw) -> None:
    """Raises ValueError for anything but an object or null."""
    check_payloads((payload,))


def check_payloads(payloads: Iterable[Raw]) -> None:
    """The same for many."""
    if not _FIRST_BYTES.issuperset(map(_first_byte, map(bytes, payloads))):
        raise ValueError("invalid type: expected a map as payload")


class PointStruct(Model, frozen=True, kw_only=True):
    """A point to store. After decoding `id` is canonical and `vector` is narrowed (see `named_vectors`)."""

    id: PointId
    vector: Raw | UnsetType = UNSET
    vectors: Raw | UnsetType = UNSET
    payload: Raw = NULL

    def __post_init__(self) -> None:
        force_setattr(self, "id", point_id(self.id))
        raw = self.vectors if isinstance(self.vector, UnsetType) else self.vector
        if isinstance(raw, UnsetType):
            raise ValueError("missing field `vector`")
        if isinstance(raw, Raw):
            force_setattr(self, "vector", narrow_struct(raw))
        check_payload(self.payload)

    def named_vectors(self) -> dict[str, WireVector]:
        """The point's vectors by name; the unnamed one is called ""."""
        return cast("dict[str, WireVector]", self.vector)

    def problems(self) -> Iterator[Problem]:
        return _point_problems(self.named_vectors())


class Batch(Model, frozen=True, kw_only=True, dict=True):
    """Points in columns: ids, vectors (a list, or lists by name) and payloads.

    In Python `vectors` may also be given as columns by name, each a list of vectors or an array with a row a point.
    """

    ids: list[PointId]
    vectors: Raw
    payloads: list[Raw] | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "ids", point_ids(self.ids))
        if isinstance(self.vectors, Raw):
            force_setattr(self, "vectors", _narrow_columns(self.vectors))
        check_payloads(self.payloads or ())

    def columns(self) -> dict[str, Sequence[WireVector]]:
        """One column of vectors by name; the unnamed one is called ""."""
        return cast("dict[str, Sequence[WireVector]]", self.vectors)

    @property
    def is_even(self) -> bool:
        """Whether there are as many of everything, and no id twice."""
        columns = (self.ids, *self.columns().values(), self.payloads or self.ids)
        return {len(set(self.ids))}.issuperset(map(len, columns))

    @property
    def has_objects(self) -> bool:
        """Whether any vector is sparse, or stands for one that is to be made."""
        return any(
            type(vector) is VectorObject
            for column in self.columns().values()
            if not isinstance(column, np.ndarray)
            for vector in column
        )

    def problems(self) -> Iterator[Problem]:
        """Qdrant names the first kind of problem only, and unnamed vectors up to the first bad one."""
        return islice(self._unnamed_problems(), 1) if "" in self.columns() else self._named_problems()

    def _unnamed_problems(self) -> Iterator[Problem]:
        for vector in self.columns()[""]:
            yield from vector_problems(vector)
        yield from self._length_problems()

    def _named_problems(self) -> Iterator[Problem]:
        found = list(placeheld(map(vector_problems, chain(*self.columns().values())), ""))
        return iter(found) if found else islice(self._length_problems(), 1)

    def _length_problems(self) -> Iterator[Problem]:
        count = len(self.ids)
        for column in self.columns().values():
            if len(column) != count:
                yield "batch", f"number of ids and vectors must be equal ({count} != {len(column)})"
        if self.payloads is not None and len(self.payloads) != count:
            yield "batch", f"number of ids and payloads must be equal ({count} != {len(self.payloads)})"

    @cached_property
    def points(self) -> list[PointStruct]:
        """The same points as a list, made once. Raises InferenceError for inference objects in an unnamed column."""
        columns = self.columns()
        for item in columns.get("", ()):
            if isinstance(item, VectorObject):
                kind = {"text": "Document", "image": "Image"}.get(item.kind, "Object")
                raise InferenceError(
                    f"Direct {kind} processing is not supported in top-level batch vectors. Use named vectors."
                )
        payloads = self.payloads or [NULL] * len(self.ids)
        return [
            PointStruct(
                id=self.ids[row],
                vector=cast(Any, {name: column[row] for name, column in columns.items()}),
                payload=payloads[row],
            )
            for row in range(len(self.ids))
        ]


def _narrow_columns(raw: Raw) -> dict[str, list[WireVector]]:
    if bytes(raw)[:1] == b"[":
        return {"": [narrow(part) for part in decode_raw(raw, list[Raw])]}
    columns: dict[str, list[Raw]] = decode_raw(raw, dict[str, list[Raw]])
    return {name: [narrow(part) for part in column] for name, column in columns.items()}


class UpsertPoints(Model, frozen=True, kw_only=True):
    """Body of an upsert: `points` or `batch`, with the optional condition."""

    points: list[PointStruct] | None = None
    batch: Batch | None = None
    shard_key: ShardKeys | None = None
    update_filter: Filter | None = None
    update_mode: Literal["upsert", "insert_only", "update_only"] | None = None

    def __post_init__(self) -> None:
        if self.points is None and self.batch is None:
            raise ValueError("Invalid PointInsertOperations format")

    @property
    def count(self) -> int:
        """Number of points, whichever form the body has."""
        return len(self.batch.ids if self.batch is not None else self.points or ())

    @property
    def is_conditional(self) -> bool:
        """Whether what is stored already decides which points are."""
        return self.update_filter is not None or self.update_mode not in (None, "upsert")

    def all_points(self) -> list[PointStruct]:
        """The points, whichever form the body has."""
        return self.batch.points if self.batch is not None else self.points or []

    def all_payloads(self) -> list[Raw]:
        """Those that are given, whichever form the body has."""
        if self.batch is not None:
            return self.batch.payloads or []
        return [point.payload for point in self.points or ()]


class PointVectors(Model, frozen=True, kw_only=True):
    """Vectors to replace in one point."""

    id: PointId
    vector: Raw | UnsetType = UNSET
    vectors: Raw | UnsetType = UNSET

    def __post_init__(self) -> None:
        force_setattr(self, "id", point_id(self.id))
        raw = self.vectors if isinstance(self.vector, UnsetType) else self.vector
        if isinstance(raw, UnsetType):
            raise ValueError("missing field `vector`")
        vectors = narrow_struct(raw)
        for vector in (vectors[""],) if "" in vectors else ():
            if isinstance(vector, VectorObject) and vector.is_inference and not _is_map(raw):
                kind = {"text": "Document", "image": "Image"}.get(vector.kind, "Object")
                raise InferenceError(f"Direct {kind} processing not supported for PointVectors. Use named vectors.")
        force_setattr(self, "vector", vectors)

    def named_vectors(self) -> dict[str, WireVector]:
        return cast("dict[str, WireVector]", self.vector)

    def problems(self) -> Iterator[Problem]:
        if not self.named_vectors():
            yield "vector", "must specify vectors to update for point"
        yield from _point_problems(self.named_vectors())


def _is_map(raw: Raw) -> bool:
    return "model" not in decode_raw(raw, dict[str, Raw])


class UpdateVectors(Model, frozen=True, kw_only=True):
    points: list[PointVectors]
    shard_key: ShardKeys | None = None
    update_filter: Filter | None = None

    def problems(self) -> Iterator[Problem]:
        if not self.points:
            yield "points", "must specify points to update"


class _Selected(Model, frozen=True, kw_only=True):
    """Ids or a filter; if both are given the ids count."""

    points: list[PointId] | None = None
    filter: Filter | None = None
    shard_key: ShardKeys | None = None

    def __post_init__(self) -> None:
        if self.points is not None:
            force_setattr(self, "points", point_ids(self.points))
        elif self.filter is None:
            raise ValueError(_SELECT)


class PointsSelector(_Selected, frozen=True, kw_only=True):
    """Which points to delete, or to clear the payload of. With ids, Qdrant does not read the filter."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.points is not None:
            force_setattr(self, "filter", None)


class DeleteVectors(_Selected, frozen=True, kw_only=True):
    vector: list[str]

    def problems(self) -> Iterator[Problem]:
        if not self.vector:
            yield "vector", "must specify vector names to delete"


class SetPayload(_Selected, frozen=True, kw_only=True):
    """Payload to merge (set) or to put in place of the old one (overwrite)."""

    payload: Raw
    key: str | None = None

    rules: ClassVar = {"key": paths.readable}

    def __post_init__(self) -> None:
        super().__post_init__()
        if bytes(self.payload)[:1] != b"{":
            raise ValueError("invalid type: expected a map as payload")


class DeletePayload(_Selected, frozen=True, kw_only=True):
    keys: list[str]

    rules: ClassVar = {"keys": paths.readable}


class UpdateOperation(OneOf, frozen=True, kw_only=True):
    upsert: UpsertPoints | None = None
    delete: PointsSelector | None = None
    set_payload: SetPayload | None = None
    overwrite_payload: SetPayload | None = None
    delete_payload: DeletePayload | None = None
    clear_payload: PointsSelector | None = None
    update_vectors: UpdateVectors | None = None
    delete_vectors: DeleteVectors | None = None

    variants: ClassVar = (
        "upsert", "delete", "set_payload", "overwrite_payload",
        "delete_payload", "clear_payload", "update_vectors", "delete_vectors",
    )  # fmt: skip
    expected: ClassVar = "data did not match any variant of untagged enum UpdateOperation"


class UpdateOperations(Model, frozen=True, kw_only=True):
    operations: list[UpdateOperation]


class PointRequest(Model, frozen=True, kw_only=True):
    ids: list[PointId]
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None
    with_vectors: WithVector | None = None
    shard_key: ShardKeys | None = None

    rules: ClassVar = {"with_payload": paths.readable}

    def __post_init__(self) -> None:
        force_setattr(self, "ids", point_ids(self.ids))


def _readable_date(given: float | str) -> None:
    """A rule for what may be a date: it finds nothing wrong, or raises MalformedBody."""
    if isinstance(given, str):
        from qdlite.models.datetimes import parse_bound  # few need it, and not for the first answer

        parse_bound(given)


class OrderBy(Model, frozen=True, kw_only=True):
    key: str
    direction: Literal["asc", "desc"] | None = None
    start_from: int | float | str | None = None

    rules: ClassVar = {"key": paths.readable, "start_from": _readable_date}


class ScrollRequest(Model, frozen=True, kw_only=True):
    offset: PointId | None = None
    limit: UInt | None = None
    filter: Filter | None = None
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None
    with_vectors: WithVector | None = None
    order_by: str | OrderBy | None = None
    shard_key: ShardKeys | None = None

    rules: ClassVar = {"limit": at_least(1), "order_by": paths.readable, "with_payload": paths.readable}
    path_prefix: ClassVar = "scroll_request"

    def __post_init__(self) -> None:
        if self.offset is not None:
            force_setattr(self, "offset", point_id(self.offset))


class CountRequest(Model, frozen=True, kw_only=True):
    filter: Filter | None = None
    exact: bool = True
    shard_key: ShardKeys | None = None

    path_prefix: ClassVar = "count_request"


class FacetRequest(Model, frozen=True, kw_only=True):
    key: str
    limit: UInt | None = None
    filter: Filter | None = None
    exact: bool | None = None
    shard_key: ShardKeys | None = None

    rules: ClassVar = {"key": paths.readable, "limit": at_least(1)}
    path_prefix: ClassVar = "facet_request"


class SearchMatrixRequest(Model, frozen=True, kw_only=True):
    sample: UInt | None = None
    limit: UInt | None = None
    filter: Filter | None = None
    using: str | None = None
    shard_key: ShardKeys | None = None

    rules: ClassVar = {"sample": at_least(2), "limit": at_least(1)}
    path_prefix: ClassVar = "search_request"


class Record(Model, frozen=True, kw_only=True):
    """A stored point as read. `payload` and `vector` are JSON as stored, absent when not asked for."""

    id: PointId
    payload: Raw | UnsetType = UNSET
    vector: Raw | UnsetType = UNSET
    order_value: int | float | None = None


class ScoredPoint(Model, frozen=True, kw_only=True):
    """A query result. `score` is the shortest decimal that reads back as the float32 score."""

    id: PointId
    version: int
    score: float
    payload: Raw | UnsetType = UNSET
    vector: Raw | UnsetType = UNSET
    order_value: int | float | None = None


class ScrollResult(Struct, frozen=True, kw_only=True):
    points: list[Record]
    next_page_offset: PointId | None


class CountResult(Struct, frozen=True, kw_only=True):
    count: int


class FacetHit(Struct, frozen=True, kw_only=True):
    value: str | int | bool
    count: int


class FacetResponse(Struct, frozen=True, kw_only=True):
    hits: list[FacetHit]


class MatrixPair(Struct, frozen=True, kw_only=True):
    """Two points of the sample and their score."""

    a: PointId
    b: PointId
    score: float


class MatrixPairs(Struct, frozen=True, kw_only=True):
    pairs: list[MatrixPair]


class MatrixOffsets(Struct, frozen=True, kw_only=True):
    """The same in coordinate form: positions in `ids` and a score each."""

    offsets_row: list[int]
    offsets_col: list[int]
    scores: list[float]
    ids: list[PointId]


class UpdateResult(Model, frozen=True, kw_only=True):
    operation_id: int
    status: Literal["acknowledged", "completed", "wait_timeout"]


_PAYLOAD = msgspec.json.Decoder(dict[str, Any] | None)


def payload_object(raw: Raw | bytes) -> JsonObject:
    """Decodes a payload; null is an empty one. Raises MalformedBody."""
    return payload_objects((raw,))[0] or {}


def payload_objects(raws: Iterable[Raw | bytes]) -> list[JsonObject | None]:
    """Decodes many payloads. Raises MalformedBody."""
    try:
        return list(map(_PAYLOAD.decode, raws))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise MalformedBody(str(error)) from None
