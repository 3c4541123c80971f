"""May a read go on? Strict mode's limits, what the read takes from the rate of reads, and the caller's patience."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from qdlite.collection import limits
from qdlite.collection.shard_keys import check_read
from qdlite.collection.view import CollectionView
from qdlite.database.embeddings import RequestContext
from qdlite.models.query import QueryRequest
from qdlite.models.reads import CountRequest, FacetRequest, PointRequest, ScrollRequest
from qdlite.queries import collect

if TYPE_CHECKING:
    from qdlite.models.groups import QueryGroupsRequest
    from qdlite.models.matrix import SearchMatrixRequest

Views = Mapping[str, CollectionView]
Read: TypeAlias = "PointRequest | ScrollRequest | CountRequest | FacetRequest | SearchMatrixRequest"


def admit(
    view: CollectionView, request: Read, cost: Callable[[], int], operation: str, context: RequestContext
) -> None:
    """To be called when the read lock is held. `operation` is Qdrant's word for the read in messages.

    Raises BadRequest, NotFound, RateLimited or Timeout.
    """
    if view.state.guard is not None:
        view.verify(request, context.timeout)
        view.charge(cost)
    check_read(request.shard_key)
    context.check(operation)


def admit_queries(
    views: Views,
    name: str,
    request: limits.Request,
    queries: Sequence[QueryRequest | QueryGroupsRequest],
    context: RequestContext,
) -> None:
    """The same for a request that consists of queries, but for what the queries cost: that is known when they are
    planned. Points used as examples cost what their retrieval would, in the collection they come from."""
    if views[name].state.guard is not None:
        views[name].verify(request, context.timeout)
    if any(view.state.guard is not None for view in views.values()):
        for source, ids in limits.example_ids(queries, name).items():
            views[source].charge(ids.__len__)
    for query in queries:
        check_read(query.shard_key)
        _check_lookups(query)
    context.check("Search")


def _check_lookups(query: collect.Request) -> None:
    if query.lookup_from is not None:
        check_read(query.lookup_from.shard_key)
    for prefetch in query.prefetches():
        _check_lookups(prefetch)
