"""What can a query ask of a collection? The only door between queries and stored points."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from qdlite.models.filters import Filter
from qdlite.types import BoolArray, Distance, FloatArray, Json, Offset, OffsetArray, PointId
from qdlite.vectors.index import VectorIndex


class VectorTraits(Struct, frozen=True):
    """What the configuration says about a named vector. The distance of a sparse one is Dot."""

    kind: Literal["dense", "multi", "sparse"]
    distance: Distance
    idf: bool = False


class PayloadFields(Protocol):
    """Payload values by path, as queries need them."""

    def order_values(self, key: str, /) -> tuple[NDArray[Any], NDArray[Any]]:
        """Every indexed value with its point (parallel arrays, a point may occur several times, any order); int64
        (dates: microseconds) or float64. Raises WrongInput if the field has no index that can order."""

    def values(self, path: str, offsets: OffsetArray, /) -> Sequence[Sequence[Json]]:
        """The values at a path of each point; an array at its end is entered one level."""

    def groups(self, path: str, /) -> tuple[OffsetArray, NDArray[np.int64], Sequence[str | int]]:
        """Which points share a string or integer at a path: offsets, for each the code of its group (a point may
        be in several), and the group ids by code."""

    def text_scores(
        self, field: str, query: str, k: float, b: float, corpus: BoolArray | None, /
    ) -> tuple[OffsetArray, FloatArray]:
        """BM25 score of every point that holds a term of the query; term statistics over `corpus` (None: all
        points). Raises WrongInput if the field has no text index that scores."""


class PointView(Protocol):
    """A collection that stands still: the caller holds its read lock while a query is planned and executed."""

    @property
    def name(self) -> str:
        """The collection's name."""

    @property
    def count(self) -> int:
        """Number of points."""

    @property
    def alive(self) -> BoolArray:
        """Which offsets hold a point. Its length is the capacity."""

    @property
    def fields(self) -> PayloadFields: ...

    @property
    def rng(self) -> np.random.Generator:
        """Chooses samples."""

    def vector(self, name: str) -> VectorIndex:
        """Raises `errors.unknown_vector`. Its vectors belong to points that are alive."""

    def traits(self, name: str) -> VectorTraits:
        """Raises `errors.unknown_vector`."""

    def vector_names(self) -> list[str]: ...

    def mask(self, filter: Filter | None, excluded: Collection[PointId], /) -> BoolArray | None:
        """Points alive that match and are not excluded; None: all that are alive. Not to be written to."""

    def offset_of(self, point_id: PointId) -> Offset | None: ...

    def ids(self, offsets: Iterable[Offset]) -> list[PointId]: ...

    def sorted_offsets(self) -> OffsetArray:
        """All points in the order of their ids: numbers, then UUIDs."""
