"""How are plain searches answered? Most queries are one vector, perhaps with a filter: they need no plan."""

from __future__ import annotations

import numpy as np

from qdlite.models.arrays import floats
from qdlite.models.query import Query, QueryRequest
from qdlite.queries.execute import Ranked, ranked
from qdlite.queries.plan import limit_of
from qdlite.queries.view import PointView
from qdlite.types import FloatArray
from qdlite.vectors.index import SearchParams

_DEFAULT_PARAMS = SearchParams()


def plain_vector(request: QueryRequest) -> list[float] | FloatArray | None:
    """The vector of a query that asks for nothing but what is near it: no prefetches, no stored points as examples,
    nothing to be embedded, nothing to be weighed. None for any other query."""
    params = request.params
    weighed = params is not None and params.idf is not None
    if weighed or request.prefetch is not None or request.lookup_from is not None:
        return None
    given: object = request.query
    if isinstance(given, Query):
        given = None if given.mmr is not None else given.nearest
    return given if isinstance(given, (np.ndarray, list)) else None


def plain_search(request: QueryRequest, vector: list[float] | FloatArray, view: PointView) -> Ranked:
    """What `plan` and `execute` would find. Raises WrongInput, and MalformedBody for a filter that cannot be read."""
    using, params = request.using or "", request.params
    index = view.vector(using)
    query = index.prepare_query(floats(vector))
    wanted = _DEFAULT_PARAMS
    if params is not None:
        wanted = SearchParams(params.hnsw_ef, params.exact, params.indexed_only)
    mask = None if request.filter is None else view.mask(request.filter, ())
    end = limit_of(request) + (request.offset or 0)
    found = ranked(view, index.search(query, end, mask, wanted), using, request.score_threshold)
    return found.part(slice(request.offset, end)) if request.offset else found
