"""A small collection of payloads on which filters can be tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from qdlite.filters.compile import mask
from qdlite.models.decoding import decode, encode
from qdlite.models.filters import Filter
from qdlite.models.indexes import IndexParams
from qdlite.payload.fields import FieldIndexes
from qdlite.payload.store import EMPTY, PayloadStore
from qdlite.types import BoolArray, Json, PointId


class Stage:
    """Points with payloads and no vectors but the default one; ids count from 1 unless given."""

    def __init__(self, payloads: Sequence[Mapping[str, Json]], indexes: Mapping[str, Any] | None = None) -> None:
        self.store = PayloadStore()
        self.fields = FieldIndexes(self.store)
        self.ids: list[PointId] = list(range(1, len(payloads) + 1))
        self.alive: BoolArray = np.ones(len(payloads), np.bool_)
        self.version = 0
        self.store.replace(range(len(payloads)), map(encode, payloads))
        for field, schema in (indexes or {}).items():
            self.create_index(field, schema)

    @property
    def capacity(self) -> int:
        return len(self.ids)

    def create_index(self, field: str, schema: Any) -> None:
        params = None if isinstance(schema, str) else msgspec.convert(schema, IndexParams)
        self.fields.create(field, schema if params is None else params.type, params)

    def upsert(self, payloads: Mapping[int, Mapping[str, Json]]) -> None:
        """Replaces or adds points by id; new ids continue the row."""
        for point_id in payloads:
            if point_id > len(self.ids):
                self.ids.append(point_id)
                self.alive = np.append(self.alive, False)
            self.alive[point_id - 1] = True
        self.fields.replace([point_id - 1 for point_id in payloads], map(encode, payloads.values()))
        self.version += 1

    def delete(self, ids: Sequence[int]) -> None:
        offsets = [point_id - 1 for point_id in ids]
        self.alive[offsets] = False
        self.fields.replace(offsets, [EMPTY] * len(offsets))
        self.version += 1

    def matching(self, filter: Mapping[str, Json]) -> list[PointId]:
        """Ids of the points that match a filter in wire form."""
        return [self.ids[offset] for offset in np.flatnonzero(self.mask(filter))]

    def mask(self, filter: Mapping[str, Json]) -> BoolArray:
        return mask(decode(encode(filter), Filter), self)

    def offset_of(self, point_id: PointId) -> int | None:
        return self.ids.index(point_id) if point_id in self.ids else None

    def all_ids(self) -> Sequence[PointId]:
        return self.ids

    def vector_present(self, name: str) -> BoolArray | None:
        return np.ones(len(self.ids), np.bool_) if name == "" else None
