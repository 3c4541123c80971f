"""How are points found and read?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from qdlite import collection, queries
from qdlite.collection import limits, reads
from qdlite.collection.collection import Collection
from qdlite.collection.shard_keys import check_read
from qdlite.collection.view import CollectionView
from qdlite.database.admission import Read, admit, admit_queries
from qdlite.database.core import DatabaseCore
from qdlite.database.embeddings import ANONYMOUS, Embeddings, RequestContext
from qdlite.models.common import wanted_vectors
from qdlite.models.query import QueryRequest, QueryRequestBatch, QueryResponse, ScoredPoint
from qdlite.models.reads import CountRequest, FacetHit, FacetRequest, PointRequest, Record, ScrollRequest, ScrollResult
from qdlite.queries import collect
from qdlite.queries.execute import Ranked, execute
from qdlite.queries.plain import plain_search, plain_vector
from qdlite.queries.plan import plan, plan_groups
from qdlite.queries.steps import Plan
from qdlite.types import FloatArray, PointId

if TYPE_CHECKING:
    from qdlite.models.groups import GroupsResult, QueryGroupsRequest
    from qdlite.models.matrix import MatrixOffsets, MatrixPairs, SearchMatrixRequest

_R = TypeVar("_R")
DEFAULT_FACET_LIMIT = 10
_UNVERSIONED = ("by_id", "order_by", "sample")
"""Kinds of query that score nothing: Qdrant shows version 0 with their results."""


class Reads(DatabaseCore):
    """Reads see a collection between two writes, never in the middle of one."""

    def retrieve(self, name: str, body: PointRequest, context: RequestContext | None = None) -> list[Record]:
        """Records of the ids that exist, in the order asked for."""
        return self._read(name, body, body.ids.__len__, "retrieve", context, lambda view: _retrieved(view, body))

    def get_point(self, name: str, wanted: PointId, context: RequestContext | None = None) -> Record:
        """One record with payload and vectors. Raises NotFound."""
        request = PointRequest(ids=[wanted])
        return self._read(name, request, lambda: 1, "retrieve", context, lambda view: reads.point(view.state, wanted))

    def scroll(self, name: str, body: ScrollRequest, context: RequestContext | None = None) -> ScrollResult:
        """One page of points, by id or by a payload field."""
        return self._read(name, body, _cost_of(body), "scroll_by_id", context, lambda view: collection.page(view, body))

    def count(self, name: str, body: CountRequest, context: RequestContext | None = None) -> int:
        """Number of points that match; always exact."""
        return self._read(name, body, _cost_of(body), "count", context, lambda view: view.count_matching(body.filter))

    def facet(self, name: str, body: FacetRequest, context: RequestContext | None = None) -> list[FacetHit]:
        """The most frequent values of an indexed field, with the number of points that have them."""
        limit = DEFAULT_FACET_LIMIT if body.limit is None else body.limit
        hits = self._read(name, body, _cost_of(body), "facet", context, lambda view: _facet(view, body, limit))
        return [FacetHit(value=value, count=count) for value, count in hits]

    def query(self, name: str, body: QueryRequest, context: RequestContext | None = None) -> QueryResponse:
        """The universal query: nearest, hybrid, recommend and all others, with nested prefetches."""
        vector = plain_vector(body)
        if vector is not None and not (collection := self._names.resolve(name)).is_strict:
            return self._plain_query(collection, body, vector, context or ANONYMOUS)
        return self._queries(name, body, [body], context or ANONYMOUS)[0]

    def query_batch(
        self, name: str, body: QueryRequestBatch, context: RequestContext | None = None
    ) -> list[QueryResponse]:
        """Several queries against one state of the collection."""
        return self._queries(name, body, body.searches, context or ANONYMOUS)

    def query_groups(self, name: str, body: QueryGroupsRequest, context: RequestContext | None = None) -> GroupsResult:
        """A query whose results are grouped by a payload field, with records of another collection if asked for."""
        from qdlite.database import groups  # few need it, and not for the first answer

        context = context or ANONYMOUS
        embeddings = self._embedded_query([body], context)
        with self._views(name, collect.lookups(body)) as views:
            view = views[name]
            admit_queries(views, name, body, [body], context)
            view.charge(lambda: limits.groups_cost(plan_groups(body, view, embeddings, views.__getitem__)))
            found = queries.query_groups(body, view, embeddings, views.__getitem__)
            shown = groups.shown(found, lambda hits: _scored(view, hits, body))
        return groups.result(shown, body.with_lookup, self._retrieved_elsewhere)

    def matrix_pairs(self, name: str, body: SearchMatrixRequest, context: RequestContext | None = None) -> MatrixPairs:
        """Scores between points of a random sample, a pair each."""
        return self._matrix(name, body, context, collection.matrix_pairs)

    def matrix_offsets(
        self, name: str, body: SearchMatrixRequest, context: RequestContext | None = None
    ) -> MatrixOffsets:
        """The same in coordinate form."""
        return self._matrix(name, body, context, collection.matrix_offsets)

    def _read(
        self,
        name: str,
        body: Read,
        cost: Callable[[], int],
        operation: str,
        context: RequestContext | None,
        work: Callable[[CollectionView], _R],
    ) -> _R:
        """What `work` reads, if the read is admitted (see `admission`)."""
        with self.collection(name).reading() as view:
            admit(view, body, cost, operation, context or ANONYMOUS)
            return work(view)

    def _plain_query(
        self, collection: Collection, body: QueryRequest, vector: list[float] | FloatArray, context: RequestContext
    ) -> QueryResponse:
        """A query that needs no plan, of a collection without strict mode."""
        view = collection.enter()
        try:
            check_read(body.shard_key)
            context.check("Search")
            found = plain_search(body, vector, view)
            points = reads.scored(view, found, body.with_payload, wanted_vectors(body), True)
            if view.wishes:
                self._builder.begin()
        finally:
            collection.leave()
        return QueryResponse(points=points)

    def _queries(
        self,
        name: str,
        body: QueryRequest | QueryRequestBatch,
        searches: Sequence[QueryRequest],
        context: RequestContext,
    ) -> list[QueryResponse]:
        embeddings = self._embedded_query(searches, context)
        lookups = [lookup for search in searches for lookup in collect.lookups(search)]
        with self._views(name, lookups) as views:
            view = views[name]
            admit_queries(views, name, body, searches, context)
            plans = [plan(search, view, embeddings, views.__getitem__) for search in searches]
            view.charge(lambda: limits.query_cost(plan.root for plan in plans))
            answers = [_answer(view, search, plan, context) for search, plan in zip(searches, plans, strict=True)]
            if view.wishes:
                self._builder.begin()
        return answers

    def _matrix(
        self,
        name: str,
        body: SearchMatrixRequest,
        context: RequestContext | None,
        render: Callable[[CollectionView, queries.Matrix], _R],
    ) -> _R:
        def cost(view: CollectionView) -> int:
            sample = queries.DEFAULT_SAMPLE if body.sample is None else body.sample
            return limits.matrix_cost(body.filter, min(sample, view.count))

        with self.collection(name).reading() as view:
            admit(view, body, lambda: cost(view), "Search", context or ANONYMOUS)
            return render(view, queries.distance_matrix(body, view))

    def _retrieved_elsewhere(self, name: str, request: PointRequest) -> list[Record]:
        """Records of another collection than the one that a request is about."""
        with self._lookup(name).reading() as view:
            view.charge(request.ids.__len__)
            return _retrieved(view, request)

    def _embedded_query(self, bodies: Iterable[collect.Request], context: RequestContext) -> Embeddings:
        objects = [item for body in bodies for item in collect.inference_objects(body)]
        return self._embed(objects, "search", context)


def _cost_of(body: ScrollRequest | CountRequest | FacetRequest) -> Callable[[], int]:
    return lambda: limits.read_cost(body.filter)


def _retrieved(view: CollectionView, body: PointRequest) -> list[Record]:
    with_payload = True if body.with_payload is None else body.with_payload
    return reads.retrieve(view.state, body.ids, with_payload, wanted_vectors(body))


def _facet(view: CollectionView, body: FacetRequest, limit: int) -> list[tuple[str | int | bool, int]]:
    mask = view.mask(body.filter)
    return view.fields.facet(body.key, view.alive if mask is None else mask, limit)


def _answer(view: CollectionView, body: QueryRequest, plan: Plan, context: RequestContext) -> QueryResponse:
    context.check("Search")
    return QueryResponse(points=_scored(view, execute(plan, view), body))


def _scored(view: CollectionView, ranked: Ranked, body: QueryRequest | QueryGroupsRequest) -> list[ScoredPoint]:
    """Results with what the request wants to see of them."""
    versions = collect.kind_of(body) not in _UNVERSIONED
    return reads.scored(view, ranked, body.with_payload, wanted_vectors(body), versions)
