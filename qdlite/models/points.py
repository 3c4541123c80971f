"""Which bodies store points? Upserts, point by point or in columns, with an optional condition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import Any, Literal, cast

import numpy as np
from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import force_setattr

from qdlite.errors import InferenceError
from qdlite.models.base import Model, Problem
from qdlite.models.checks import placeheld
from qdlite.models.common import ShardKeys, point_id, point_ids
from qdlite.models.decoding import decode_raw
from qdlite.models.filters import Filter
from qdlite.models.payloads import NULL, check_payload, check_payloads
from qdlite.models.vectors import (
    VectorObject,
    WireVector,
    given_vectors,
    narrow,
    narrow_struct,
    point_problems,
    vector_problems,
)
from qdlite.types import PointId


class PointStruct(Model, frozen=True, kw_only=True):
    """A point to store. After decoding `id` is canonical and `vector` is narrowed (see `named_vectors`)."""

    id: PointId
    vector: Raw | UnsetType = UNSET
    vectors: Raw | UnsetType = UNSET
    payload: Raw = NULL

    def __post_init__(self) -> None:
        force_setattr(self, "id", point_id(self.id))
        given = given_vectors(self.vector, self.vectors)
        if isinstance(given, Raw):
            force_setattr(self, "vector", narrow_struct(given))
        check_payload(self.payload)

    def named_vectors(self) -> dict[str, WireVector]:
        """The point's vectors by name; the unnamed one is called ""."""
        return cast("dict[str, WireVector]", self.vector)

    def problems(self) -> Iterator[Problem]:
        return point_problems(self.named_vectors())


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
        for column in self.columns().values():
            if not isinstance(column, np.ndarray) and VectorObject in map(type, column):
                return True
        return False

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
                raise InferenceError(
                    f"Direct {item.inference_name} processing is not supported in top-level batch vectors. "
                    "Use named vectors."
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
    batch: Batch | None = cast(None, UNSET)  # so that null, which is refused, is known from none, which is None later
    shard_key: ShardKeys | None = None
    update_filter: Filter | None = None
    update_mode: Literal["upsert", "insert_only", "update_only"] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.batch, UnsetType):
            force_setattr(self, "batch", None)
            if self.points is None:
                raise ValueError("Invalid PointInsertOperations format")
        elif self.batch is None:
            raise ValueError("invalid type: null, expected struct Batch")

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
