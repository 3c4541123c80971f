"""Which changes of state exist? Each is one value: validated, free of filters and of inference, applied in one place.

An operation says everything it changes by id and by stored bytes, so that applying the same operations in the same
order always gives the same state: what a log or a replica needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from qdlite.models.indexes import IndexParams, SchemaType
from qdlite.models.info import CollectionConfig
from qdlite.types import FloatArray, OffsetArray, PointId, VectorArray


class VectorColumn(NamedTuple):
    """Vectors of one name: `rows` are positions in the operation's ids, `vectors` is prepared for storing."""

    rows: OffsetArray
    vectors: Sequence[VectorArray] | FloatArray


@dataclass(frozen=True, slots=True)
class Upsert:
    """Puts whole points in place of whatever has these ids: vectors and payload not given are gone."""

    ids: list[PointId]
    vectors: dict[str, VectorColumn]
    payloads: list[bytes]


@dataclass(frozen=True, slots=True)
class Delete:
    ids: list[PointId]


@dataclass(frozen=True, slots=True)
class UpdateVectors:
    """Replaces the given vectors of existing points; their other vectors and payload stay."""

    ids: list[PointId]
    vectors: dict[str, VectorColumn]


@dataclass(frozen=True, slots=True)
class DeleteVectors:
    ids: list[PointId]
    names: list[str]


@dataclass(frozen=True, slots=True)
class ReplacePayloads:
    """New encoded payloads of existing points: what set, overwrite, delete and clear come down to."""

    ids: list[PointId]
    payloads: list[bytes]


@dataclass(frozen=True, slots=True)
class CreateIndex:
    field: str
    schema: SchemaType
    params: IndexParams | None


@dataclass(frozen=True, slots=True)
class DropIndex:
    field: str


@dataclass(frozen=True, slots=True)
class Configure:
    """Puts a new configuration in place; vectors that it adds start empty, those it lacks are dropped."""

    config: CollectionConfig


Operation: TypeAlias = (
    Upsert | Delete | UpdateVectors | DeleteVectors | ReplacePayloads | CreateIndex | DropIndex | Configure
)
