"""How are points found and read?"""

from __future__ import annotations

from collections.abc import Iterable

from qdlite.collection import reads
from qdlite.collection.matrix import matrix_offsets, matrix_pairs
from qdlite.collection.scroll import scroll
from qdlite.collection.view import CollectionView
from qdlite.database.core import DatabaseCore
from qdlite.database.embeddings import Embeddings, RequestContext, embed
from qdlite.models.common import point_id
from qdlite.models.points import (
    CountRequest,
    FacetHit,
    FacetRequest,
    MatrixOffsets,
    MatrixPairs,
    PointRequest,
    Record,
    ScrollRequest,
    ScrollResult,
    SearchMatrixRequest,
)
from qdlite.models.query import (
    GroupsResult,
    PointGroup,
    QueryGroupsRequest,
    QueryRequest,
    QueryRequestBatch,
    QueryResponse,
    WithLookup,
)
from qdlite.queries import collect
from qdlite.queries.execute import execute
from qdlite.queries.groups import Group, query_groups
from qdlite.queries.matrix import distance_matrix
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

    def get_point(self, name: str, wanted: PointId) -> Record:
        """One record with payload and vectors. Raises NotFound."""
        return self.collection(name).point(wanted)

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
        return [FacetHit(value=value, count=count) for value, count in hits]

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

    def query_groups(self, name: str, body: QueryGroupsRequest, context: RequestContext | None = None) -> GroupsResult:
        """A query whose results are grouped by a payload field, with records of another collection if asked for."""
        embeddings = self._embedded_query([body], context)
        with self._views(name, collect.lookups(body)) as views:
            view = views[name]
            found = query_groups(body, view, embeddings, views.__getitem__)
            groups = [_group(view, group, body) for group in found]
        return GroupsResult(groups=groups if body.with_lookup is None else self._looked_up(groups, body.with_lookup))

    def matrix_pairs(self, name: str, body: SearchMatrixRequest) -> MatrixPairs:
        """Scores between points of a random sample, a pair each."""
        return self.collection(name).read(lambda view: matrix_pairs(view, distance_matrix(body, view)))

    def matrix_offsets(self, name: str, body: SearchMatrixRequest) -> MatrixOffsets:
        """The same in coordinate form."""
        return self.collection(name).read(lambda view: matrix_offsets(view, distance_matrix(body, view)))

    def _looked_up(self, groups: list[PointGroup], wanted: str | WithLookup) -> list[PointGroup]:
        """The groups with the records that their ids name in another collection, where there are such."""
        lookup = wanted if isinstance(wanted, WithLookup) else WithLookup(collection=wanted)
        ids = {group.id: point_id for group in groups if (point_id := _as_point_id(group.id)) is not None}
        with_vector = lookup.with_vectors if lookup.with_vectors is not None else lookup.with_vector
        request = PointRequest(
            ids=list(ids.values()), with_payload=lookup.with_payload or False, with_vector=with_vector
        )
        records = {record.id: record for record in self._lookup(lookup.collection).retrieve(request)}
        return [PointGroup(id=group.id, hits=group.hits, lookup=records.get(ids.get(group.id, -1))) for group in groups]

    def _embedded_query(self, bodies: Iterable[collect.Request], context: RequestContext | None) -> Embeddings:
        objects = [item for body in bodies for item in collect.inference_objects(body)]
        return embed(self.inference, objects, "search", context or RequestContext())


def _group(view: CollectionView, group: Group, body: QueryGroupsRequest) -> PointGroup:
    with_vector = body.with_vector if body.with_vector is not None else body.with_vectors
    versions = collect.kind_of(body) not in _UNVERSIONED
    return PointGroup(id=group.id, hits=reads.scored(view, group.hits, body.with_payload, with_vector, versions))


def _as_point_id(group_id: str | int) -> PointId | None:
    """A group id read as a point id: a number, or text that spells one or a UUID."""
    try:
        return point_id(int(group_id) if isinstance(group_id, str) and group_id.isdecimal() else group_id)
    except ValueError:
        return None


def _facet(view: CollectionView, body: FacetRequest, limit: int) -> list[tuple[str | int | bool, int]]:
    mask = view.mask(body.filter)
    return view.fields.facet(body.key, view.alive if mask is None else mask, limit)


def _answer(views: dict[str, CollectionView], name: str, body: QueryRequest, embeddings: Embeddings) -> QueryResponse:
    view = views[name]
    ranked = execute(plan(body, view, embeddings, views.__getitem__), view)
    with_vector = body.with_vector if body.with_vector is not None else body.with_vectors
    versions = collect.kind_of(body) not in _UNVERSIONED
    return QueryResponse(points=reads.scored(view, ranked, body.with_payload, with_vector, versions))
