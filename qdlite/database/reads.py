"""How are points found and read?"""

from __future__ import annotations

from collections.abc import Iterable

from qdlite.collection import reads
from qdlite.collection.scroll import scroll
from qdlite.collection.view import CollectionView
from qdlite.database.core import DatabaseCore
from qdlite.database.embeddings import Embeddings, RequestContext, embed
from qdlite.models.points import (
    CountRequest,
    FacetHit,
    FacetRequest,
    PointRequest,
    Record,
    ScrollRequest,
    ScrollResult,
)
from qdlite.models.query import QueryRequest, QueryRequestBatch, QueryResponse
from qdlite.queries import collect
from qdlite.queries.execute import execute
from qdlite.queries.plan import plan
from qdlite.types import PointId

DEFAULT_FACET_LIMIT = 10
_UNVERSIONED = ("by_id", "order_by", "sample")
"""Kinds of query that score nothing: Qdrant shows version 0 with their results."""


class Reads(DatabaseCore):
    """Reads see a collection between two writes, never in the middle of one."""

    def retrieve(self, name: str, body: PointRequest) -> list[Record]:
        """Records of the ids that exist, in the order asked for."""
        return self.collection(name).retrieve(body)

    def get_point(self, name: str, point_id: PointId) -> Record:
        """One record with payload and vectors. Raises NotFound."""
        return self.collection(name).point(point_id)

    def scroll(self, name: str, body: ScrollRequest) -> ScrollResult:
        """One page of points, by id or by a payload field."""
        return self.collection(name).read(lambda view: scroll(view, body))

    def count(self, name: str, body: CountRequest) -> int:
        """Number of points that match; always exact."""
        return self.collection(name).count(body)

    def facet(self, name: str, body: FacetRequest) -> list[FacetHit]:
        """The most frequent values of an indexed field, with the number of points that have them."""
        limit = DEFAULT_FACET_LIMIT if body.limit is None else body.limit
        hits = self.collection(name).read(lambda view: _facet(view, body, limit))
        return [FacetHit(value, count) for value, count in hits]

    def query(self, name: str, body: QueryRequest, context: RequestContext | None = None) -> QueryResponse:
        """The universal query: nearest, hybrid, recommend and all others, with nested prefetches."""
        embeddings = self._embedded_query([body], context)
        with self._views(name, collect.lookups(body)) as views:
            return _answer(views, name, body, embeddings)

    def query_batch(
        self, name: str, body: QueryRequestBatch, context: RequestContext | None = None
    ) -> list[QueryResponse]:
        """Several queries against one state of the collection."""
        embeddings = self._embedded_query(body.searches, context)
        lookups = [lookup for search in body.searches for lookup in collect.lookups(search)]
        with self._views(name, lookups) as views:
            return [_answer(views, name, search, embeddings) for search in body.searches]

    def _embedded_query(self, bodies: Iterable[collect.Request], context: RequestContext | None) -> Embeddings:
        objects = [item for body in bodies for item in collect.inference_objects(body)]
        return embed(self.inference, objects, "search", context or RequestContext())


def _facet(view: CollectionView, body: FacetRequest, limit: int) -> list[tuple[str | int | bool, int]]:
    mask = view.mask(body.filter)
    return view.fields.facet(body.key, view.alive if mask is None else mask, limit)


def _answer(views: dict[str, CollectionView], name: str, body: QueryRequest, embeddings: Embeddings) -> QueryResponse:
    view = views[name]
    ranked = execute(plan(body, view, embeddings, views.__getitem__), view)
    with_vector = body.with_vector if body.with_vector is not None else body.with_vectors
    versions = collect.kind_of(body) not in _UNVERSIONED
    return QueryResponse(points=reads.scored(view, ranked, body.with_payload, with_vector, versions))
