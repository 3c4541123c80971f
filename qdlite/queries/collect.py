"""Which vector inputs does a request contain? Every example place, in the root query and in all prefetches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import UNSET

from qdlite.models.examples import VectorInput, pairs
from qdlite.models.query import LookupLocation, Prefetch, Query, QueryRequest
from qdlite.models.vectors import VectorObject
from qdlite.types import PointId

if TYPE_CHECKING:
    from qdlite.models.groups import QueryGroupsRequest

Request: TypeAlias = "QueryRequest | QueryGroupsRequest | Prefetch"
"""Anything that has a query and prefetches."""


def kind_of(request: Request) -> str:
    """The kind of a request's query; a bare vector or id is `nearest`, no query at all `by_id`."""
    query = request.query
    if query is None:
        return "by_id"
    return query.kind if isinstance(query, Query) else "nearest"


def inputs(request: Request) -> Iterable[VectorInput]:
    """All vector inputs of a request's own query, in the order of the wire."""
    query = request.query
    if query is None:
        return ()
    if not isinstance(query, Query):
        return (query,)
    return _INPUTS.get(query.kind, _none)(query)


def requests(request: Request) -> Sequence[Request]:
    """The request and all its prefetches, depth first."""
    if request.prefetch is None:
        return (request,)
    return [request, *(part for prefetch in request.prefetches() for part in requests(prefetch))]


def inference_objects(request: Request) -> list[VectorObject]:
    """Every object that has to be embedded before the request can be planned."""
    return [
        given
        for part in requests(request)
        for given in inputs(part)
        if isinstance(given, VectorObject) and given.is_inference
    ]


def referenced_ids(request: Request, collection: str) -> frozenset[PointId]:
    """Ids used as examples anywhere in the request: they are no results. Ids that are looked up in another
    collection than `collection` are not meant."""
    return frozenset(
        [
            given
            for part in requests(request)
            if not _elsewhere(part.lookup_from, collection)
            for given in inputs(part)
            if isinstance(given, (int, str))
        ]
    )


def lookups(request: Request) -> list[str]:
    """Names of the collections that `lookup_from` mentions anywhere in the request."""
    return list(dict.fromkeys([part.lookup_from.collection for part in requests(request) if part.lookup_from]))


def _elsewhere(lookup: LookupLocation | None, collection: str) -> bool:
    return lookup is not None and lookup.collection != collection


def _none(query: Query) -> Iterable[VectorInput]:
    return ()


def _nearest(query: Query) -> Iterable[VectorInput]:
    return () if query.nearest is None else (query.nearest,)


def _recommend(query: Query) -> Iterable[VectorInput]:
    given = query.recommend
    return () if given is None else (*(given.positive or ()), *(given.negative or ()))


def _of_pairs(context: Any) -> Iterable[VectorInput]:
    return [side for pair in pairs(None if context is UNSET else context) for side in (pair.positive, pair.negative)]


def _discover(query: Query) -> Iterable[VectorInput]:
    given = query.discover
    return () if given is None else (given.target, *_of_pairs(given.context))


def _feedback(query: Query) -> Iterable[VectorInput]:
    given = query.relevance_feedback
    return () if given is None else (given.target, *(item.example for item in given.feedback))


_INPUTS: dict[str, Callable[[Query], Iterable[VectorInput]]] = {
    "nearest": _nearest,
    "recommend": _recommend,
    "discover": _discover,
    "context": lambda query: _of_pairs(query.context),
    "relevance_feedback": _feedback,
}
