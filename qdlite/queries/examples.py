"""Which vectors do the inputs of a query stand for? Given ones, embedded ones, and those of stored points."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from msgspec import Struct

from qdlite.errors import NotFound, UnknownVector, WrongInput, model_misfit, point_not_found
from qdlite.models.arrays import to_array
from qdlite.models.examples import VectorInput
from qdlite.models.vectors import VectorObject
from qdlite.queries.collect import Request
from qdlite.queries.view import PointView
from qdlite.types import PointId, SparseArray, VectorArray

Resolve = Callable[[VectorObject], VectorArray]
"""Gives the embedding of an inference object."""

Lookup = Callable[[str], PointView]
"""Shows another collection, held still. Raises `errors.lookup_collection_not_found`."""


class Examples(Struct, frozen=True):
    """Turns the vector inputs of one request into vectors fit to search `using`."""

    view: PointView
    using: str
    resolve: Resolve
    source: PointView
    source_vector: str

    @staticmethod
    def of(request: Request, view: PointView, resolve: Resolve, lookup: Lookup) -> Examples:
        """Raises NotFound if `lookup_from` names a collection that does not exist, even if no id is used."""
        using = request.using or ""
        if request.lookup_from is None:
            return Examples(view, using, resolve, view, using)
        location = request.lookup_from
        source = view if location.collection == view.name else lookup(location.collection)
        return Examples(view, using, resolve, source, using if location.vector is None else location.vector)

    def raw(self, given: VectorInput) -> VectorArray:
        """The vector as given or as stored."""
        if isinstance(given, (list, np.ndarray, SparseArray)):
            return to_array(given)
        if isinstance(given, VectorObject):
            return self.resolve(given) if given.is_inference else to_array(given)
        return self._stored(given)

    def prepared(self, given: VectorInput) -> VectorArray:
        """The vector as a query. Raises WrongInput if its kind or dimension does not fit."""
        vector = self.raw(given)
        try:
            return self.prepare(vector)
        except WrongInput as problem:
            if isinstance(given, VectorObject) and given.is_inference and not isinstance(problem, UnknownVector):
                shape = None if isinstance(vector, tuple) else vector.shape
                raise model_misfit(problem, given.model or "", shape) from None
            raise

    def prepare(self, vector: VectorArray) -> VectorArray:
        return self.view.vector(self.using).prepare_query(vector)

    def all_prepared(self, given: Iterable[VectorInput]) -> tuple[VectorArray, ...]:
        return tuple([self.prepared(one) for one in given])

    def exist(self, given: VectorInput) -> bool:
        """Whether an example is a vector, or a point that has one. Raises NotFound for a point that does not exist."""
        return not isinstance(given, (int, str)) or self._found(given) is not None

    def _stored(self, point_id: PointId) -> VectorArray:
        vector = self._found(point_id)
        if vector is None:
            raise NotFound(f'Vector with name "{self.source_vector}" for point not found')
        return vector

    def _found(self, point_id: PointId) -> VectorArray | None:
        offset = self.source.offset_of(point_id)
        if offset is None:
            raise point_not_found(point_id)
        return self.source.vector(self.source_vector).get(offset)
