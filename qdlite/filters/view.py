"""What must a collection show of itself so that filters can be evaluated on it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from qdlite.payload.fields import FieldIndexes
from qdlite.types import BoolArray, Offset, PointId


class FilterView(Protocol):
    """A collection that stands still: the caller holds its read or write lock while masks are computed."""

    @property
    def capacity(self) -> int:
        """Length of the masks; larger than every offset in use."""

    @property
    def alive(self) -> BoolArray:
        """Which offsets hold a point. May be longer or shorter than `capacity`; what is missing is False."""

    @property
    def version(self) -> int:
        """Changes with every change of points, vectors or payloads."""

    @property
    def fields(self) -> FieldIndexes: ...

    def offset_of(self, point_id: PointId) -> Offset | None:
        """None for an id that no point has."""

    def all_ids(self) -> Sequence[PointId]:
        """The id at every offset, also of those no longer in use."""

    def vector_present(self, name: str) -> BoolArray | None:
        """Which offsets have the named vector; None if the collection does not know the name."""
