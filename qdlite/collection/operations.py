"""Which changes of state exist? Each is one value: validated, free of filters and of inference, applied in one place.

An operation says everything it changes by id and by stored bytes, so that applying the same operations in the same
order always gives the same state: what a log or a replica needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from qdlite.models.indexes import IndexParams, SchemaType
from qdlite.models.info import CollectionConfig
from qdlite.types import FloatArray, OffsetArray, PointId, VectorArray


class VectorColumn(Struct, frozen=True):
    """Vectors of one name: `rows` are positions in the operation's ids, `vectors` is prepared for storing."""

    rows: OffsetArray
    vectors: Sequence[VectorArray] | FloatArray


class Upsert(Struct, frozen=True):
    """Puts whole points in place of whatever has these ids: vectors and payload not given are gone."""

    ids: list[PointId]
    vectors: dict[str, VectorColumn]
    payloads: list[bytes]


class Delete(Struct, frozen=True):
    ids: Sequence[PointId]


class UpdateVectors(Struct, frozen=True):
    """Replaces the given vectors of existing points; their other vectors and payload stay."""

    ids: list[PointId]
    vectors: dict[str, VectorColumn]


class DeleteVectors(Struct, frozen=True):
    ids: Sequence[PointId]
    names: list[str]


class ReplacePayloads(Struct, frozen=True):
    """New encoded payloads of existing points: what set, overwrite, delete and clear come down to."""

    ids: Sequence[PointId]
    payloads: list[bytes]


class CreateIndex(Struct, frozen=True):
    field: str
    schema: SchemaType
    params: IndexParams | None


class DropIndex(Struct, frozen=True):
    field: str


class Configure(Struct, frozen=True):
    """Puts a new configuration in place; vectors that it adds start empty, those it lacks are dropped."""

    config: CollectionConfig


Operation: TypeAlias = (
    Upsert | Delete | UpdateVectors | DeleteVectors | ReplacePayloads | CreateIndex | DropIndex | Configure
)
