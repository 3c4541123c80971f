"""Which bodies change points that are stored? Those for vectors, for payload, for deletion, and batches of them all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, TypeAlias, cast

from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import force_setattr

from qdlite.errors import InferenceError
from qdlite.models import paths
from qdlite.models.base import Model, OneOf, Problem
from qdlite.models.common import ShardKeys, point_id, point_ids
from qdlite.models.decoding import decode_raw
from qdlite.models.filters import Filter
from qdlite.models.payloads import NOT_A_MAP
from qdlite.models.points import UpsertPoints
from qdlite.models.vectors import VectorObject, WireVector, given_vectors, narrow_struct, point_problems
from qdlite.types import PointId


class PointVectors(Model, frozen=True, kw_only=True):
    """Vectors to replace in one point."""

    id: PointId
    vector: Raw | UnsetType = UNSET
    vectors: Raw | UnsetType = UNSET

    def __post_init__(self) -> None:
        force_setattr(self, "id", point_id(self.id))
        given = given_vectors(self.vector, self.vectors)
        vectors = narrow_struct(given)
        lone = vectors.get("")
        if isinstance(lone, VectorObject) and lone.is_inference and not _is_map(given):
            raise InferenceError(
                f"Direct {lone.inference_name} processing not supported for PointVectors. Use named vectors."
            )
        force_setattr(self, "vector", vectors)

    def named_vectors(self) -> dict[str, WireVector]:
        """The point's vectors by name; the unnamed one is called ""."""
        return cast("dict[str, WireVector]", self.vector)

    def problems(self) -> Iterator[Problem]:
        if not self.named_vectors():
            yield "vector", "must specify vectors to update for point"
        yield from point_problems(self.named_vectors())


def _is_map(raw: Raw) -> bool:
    """Whether an object holds vectors by name, and is no inference object itself."""
    return "model" not in decode_raw(raw, dict[str, Raw])


class UpdateVectors(Model, frozen=True, kw_only=True):
    points: list[PointVectors]
    shard_key: ShardKeys | None = None
    update_filter: Filter | None = None

    def problems(self) -> Iterator[Problem]:
        if not self.points:
            yield "points", "must specify points to update"


class _Selection(Model, frozen=True, kw_only=True):
    """Which points an update is about, by their ids or by a filter."""

    points: list[PointId] | None = None
    filter: Filter | None = None
    shard_key: ShardKeys | None = None

    def __post_init__(self) -> None:
        if self.points is not None:
            force_setattr(self, "points", point_ids(self.points))


class _Selected(_Selection, frozen=True, kw_only=True):
    """Ids or a filter; if both are given the ids count."""

    def __post_init__(self) -> None:
        if self.points is not None:
            force_setattr(self, "points", point_ids(self.points))
        elif self.filter is None:
            raise ValueError("Either list of point ids or filter must be provided")


class PointsSelector(_Selected, frozen=True, kw_only=True):
    """Which points to delete, or to clear the payload of. With ids, Qdrant does not read the filter."""

    def __post_init__(self) -> None:
        _Selected.__post_init__(self)
        if self.filter is not None and self.points is not None:
            force_setattr(self, "filter", None)


class DeleteVectors(_Selection, frozen=True, kw_only=True):
    """Unlike in other updates both ids and filter count, and that there is neither is found out only by the collection.
    `vectors` is another name of `vector`."""

    vector: list[str] | None = None
    vectors: list[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        names = self.vectors if self.vector is None else self.vector
        if names is None:
            raise ValueError("missing field `vector`")
        force_setattr(self, "vector", names)

    @property
    def names(self) -> list[str]:
        """The vectors to delete; the unnamed one is called ""."""
        return cast("list[str]", self.vector)

    def problems(self) -> Iterator[Problem]:
        if not self.vector:
            yield "vector", "must specify vector names to delete"


class SetPayload(_Selected, frozen=True, kw_only=True):
    """Payload to merge (set) or to put in place of the old one (overwrite)."""

    payload: Raw
    key: str | None = None

    rules: ClassVar = {"key": paths.readable}

    def __post_init__(self) -> None:
        _Selected.__post_init__(self)
        if bytes(self.payload)[:1] != b"{":
            raise ValueError(NOT_A_MAP)


class DeletePayload(_Selected, frozen=True, kw_only=True):
    keys: list[str]

    rules: ClassVar = {"keys": paths.readable}


Update: TypeAlias = UpsertPoints | UpdateVectors | PointsSelector | DeleteVectors | SetPayload | DeletePayload
"""The body of one update; which, its key in an `UpdateOperation` says."""


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

    @classmethod
    def of(cls, kind: str, body: Update) -> UpdateOperation:
        given: dict[str, Any] = {kind: body}
        return cls(**given)

    @property
    def update(self) -> tuple[str, Update]:
        """Its kind and its body."""
        kind = self.kind
        return kind, getattr(self, kind)


class UpdateOperations(Model, frozen=True, kw_only=True):
    operations: list[UpdateOperation]


class UpdateResult(Model, frozen=True, kw_only=True):
    operation_id: int
    status: Literal["acknowledged", "completed", "wait_timeout"]
