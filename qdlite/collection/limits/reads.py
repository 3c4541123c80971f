"""Do the reads that are no queries keep strict mode's limits? Scrolls, counts, facets and distance matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.collection.limits.filters import verify_read_filter
from qdlite.collection.limits.refusals import verify_exact, verify_number
from qdlite.models.collections import StrictModeConfig
from qdlite.models.matrix import SearchMatrixRequest
from qdlite.models.reads import CountRequest, FacetRequest, PointRequest, ScrollRequest

if TYPE_CHECKING:
    from qdlite.collection.state import CollectionState


def verify_retrieve(state: CollectionState, limits: StrictModeConfig, request: PointRequest) -> None:
    """Nothing limits how many points may be asked for by id; the rate of reads does."""


def verify_scroll(state: CollectionState, limits: StrictModeConfig, request: ScrollRequest) -> None:
    """A limit that is not given is not compared, here and in `verify_facet`."""
    verify_number(request.limit, limits.max_query_limit, "limit")
    verify_read_filter(request.filter, limits, state.fields.indexes)


def verify_count(state: CollectionState, limits: StrictModeConfig, request: CountRequest) -> None:
    """Counts are exact unless the request says otherwise."""
    verify_read_filter(request.filter, limits, state.fields.indexes)
    verify_exact(request.exact, limits)


def verify_facet(state: CollectionState, limits: StrictModeConfig, request: FacetRequest) -> None:
    verify_number(request.limit, limits.max_query_limit, "limit")
    verify_read_filter(request.filter, limits, state.fields.indexes)
    verify_exact(request.exact, limits)


def verify_matrix(state: CollectionState, limits: StrictModeConfig, request: SearchMatrixRequest) -> None:
    """The limit is that of all rows together: `limit` times `sample`, as far as they are given."""
    given = [number for number in (request.limit, request.sample) if number is not None]
    total = given[0] * given[-1] if len(given) == 2 else next(iter(given), None)
    verify_number(total, limits.max_query_limit, "limit")
    verify_read_filter(request.filter, limits, state.fields.indexes)
