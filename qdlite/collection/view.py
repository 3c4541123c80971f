"""How do queries and filters see a collection? By a view of its state, used under the read lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Collection as Ids

import numpy as np
from numpy.typing import NDArray

from qdlite import filters
from qdlite.collection import limits
from qdlite.collection.fields import CollectionFields
from qdlite.collection.state import CollectionState
from qdlite.errors import unknown_vector
from qdlite.models.filters import Filter
from qdlite.queries.view import VectorTraits
from qdlite.types import BoolArray, Offset, OffsetArray, PointId
from qdlite.vectors.index import VectorIndex


class CollectionView:
    """A collection's state as queries and filters need it; to be used while the read (or write) lock is held."""

    def __init__(self, state: CollectionState, name: str = "") -> None:
        self.state = state
        self.name = name

    @property
    def rng(self) -> np.random.Generator:
        """Chooses samples, differently at every request."""
        return np.random.default_rng()

    @property
    def fields(self) -> CollectionFields:
        return self.state.fields

    def verify(self, request: limits.Request, timeout: float | None = None) -> None:
        """Raises BadRequest if strict mode forbids the request; `timeout` (seconds) is the caller's."""
        if self.state.guard is not None:
            self.state.guard.verify(self.state, request, timeout)

    def charge(self, cost: Callable[[], int]) -> None:
        """Takes what a read costs from the rate of reads. Raises RateLimited."""
        if self.state.guard is not None:
            self.state.guard.charge_read(cost)

    @property
    def alive(self) -> BoolArray:
        """Which offsets hold a point."""
        return self.state.ids.alive

    @property
    def capacity(self) -> int:
        """Length of masks: one more than the highest offset ever used."""
        return self.state.ids.extent

    @property
    def count(self) -> int:
        return len(self.state.ids)

    @property
    def version(self) -> int:
        return self.state.version

    @property
    def wishes(self) -> bool:
        """Whether searches showed that more could be indexed to their good."""
        return self.state.wishes

    def vector(self, name: str) -> VectorIndex:
        """The index of a named vector. Raises WrongInput for an unknown name."""
        try:
            return self.state.vectors[name]
        except KeyError:
            raise unknown_vector(name) from None

    def traits(self, name: str) -> VectorTraits:
        """Kind, distance and modifier of a named vector. Raises WrongInput for an unknown name."""
        try:
            return self.state.traits[name]
        except KeyError:
            raise unknown_vector(name) from None

    def vector_names(self) -> list[str]:
        return list(self.state.vectors)

    def vector_present(self, name: str) -> BoolArray | None:
        """Which offsets have the named vector; None if the collection does not know the name."""
        index = self.state.vectors.get(name)
        return None if index is None else index.present

    def offset_of(self, point_id: PointId) -> Offset | None:
        return self.state.ids.offset_of(point_id)

    def ids(self, offsets: Iterable[Offset]) -> list[PointId]:
        return self.state.ids.ids_of(offsets)

    def versions(self, offsets: OffsetArray) -> NDArray[np.int64]:
        """The operation that last changed each point."""
        return self.state.ids.versions[offsets]

    def sorted_offsets(self, start: PointId | None = None) -> OffsetArray:
        """Offsets in id order, from `start` (inclusive) on."""
        return self.state.ids.sorted_offsets(start)

    def mask(self, condition: Filter | None, excluded: Ids[PointId] = ()) -> BoolArray | None:
        """Which offsets match and are not among the excluded ids; None means every point that there is."""
        found = None if condition is None else filters.mask(condition, self)
        offsets = self.state.ids.offsets_of(excluded) if excluded else None
        if offsets is None or not len(offsets):
            return found
        admitted: BoolArray = (self.alive[: self.capacity] if found is None else found).copy()
        admitted[offsets] = False
        return admitted

    def matching(self, condition: Filter | None) -> OffsetArray:
        """Offsets of the points that match."""
        mask = self.mask(condition)
        return np.flatnonzero(self.alive[: self.capacity] if mask is None else mask)

    def count_matching(self, condition: Filter | None) -> int:
        mask = self.mask(condition)
        return self.count if mask is None else int(np.count_nonzero(mask))

    def all_ids(self) -> Sequence[PointId]:
        """The id at every offset, also of deleted points, for conditions on ids."""
        return self.state.ids.all_ids
