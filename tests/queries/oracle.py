"""Qdrant's own engine (qdrant-edge-py), given the same points and the same wire requests as a `FakeView`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import qdrant_edge as edge

from qdlite.models.examples import pairs
from qdlite.models.formulas import ExpressionObject
from qdlite.models.query import Prefetch, Query, QueryRequest
from qdlite.models.vectors import VectorObject
from qdlite.queries.plan import DEFAULT_LIMIT
from qdlite.queries.view import VectorTraits
from qdlite.types import PointId
from tests.queries.fake_view import FakePoint

Answer = list[tuple[PointId, float]]


class Oracle:
    """One shard. Ids in queries are replaced by the stored vectors, and excluded, as the server does."""

    def __init__(
        self, folder: Path, points: Sequence[FakePoint], traits: Mapping[str, VectorTraits], ordered: Sequence[str] = ()
    ) -> None:
        self._points = {point.id: point for point in points}
        size = {name: len(points[0].vectors[name]) for name in traits if traits[name].kind == "dense"}
        config = edge.EdgeConfig(
            vectors={name: edge.EdgeVectorParams(size[name], _distance(traits[name])) for name in size},
            sparse_vectors={name: _sparse(traits[name]) for name in traits if name not in size},
        )
        self._shard = edge.EdgeShard.create(str(folder), config)
        stored = [_point(point) for point in points]
        self._shard.update(edge.UpdateOperation.upsert_points(stored))
        for field in ordered:
            index = edge.UpdateOperation.create_field_index(field, edge.PayloadSchemaType.Float)
            self._shard.update(index)

    def answer(self, fields: Mapping[str, Any]) -> Answer:
        """The results of a wire request. Raises what the engine raises."""
        request = msgspec.convert(fields, QueryRequest)
        given = self._shared(request)
        given["offset"] = request.offset or 0
        used = self.excluded(request)
        if used:
            given["filter"] = edge.Filter(must_not=[edge.HasIdCondition({*used})])
        found = self._shard.query(edge.QueryRequest(**given))
        return [(int(str(point.id)), point.score) for point in found]

    def excluded(self, request: QueryRequest | Prefetch) -> set[PointId]:
        """Ids used as examples; the tests write them nowhere but there."""
        found: set[PointId] = set()

        def walk(value: Any) -> None:
            if isinstance(value, dict):
                for key, part in value.items():
                    if key in ("query", "nearest", "target", "positive", "negative", "example"):
                        parts = part if isinstance(part, list) else [part]
                        found.update(one for one in parts if type(one) is int)
                    walk(part)
            elif isinstance(value, list):
                for part in value:
                    walk(part)

        walk(msgspec.to_builtins(request))
        return found

    def _shared(self, request: QueryRequest | Prefetch) -> dict[str, Any]:
        return {
            "limit": DEFAULT_LIMIT if request.limit is None else request.limit,
            "query": self._query(request),
            "prefetches": [edge.Prefetch(**self._shared(one)) for one in request.prefetches()],
            "score_threshold": request.score_threshold,
        }

    def _query(self, request: QueryRequest | Prefetch) -> Any:
        query = request.query
        if query is None:
            return None
        using = request.using or ""
        if not isinstance(query, Query):
            return edge.Query.Nearest(self._vector(query, using), using)
        return _QUERIES[query.kind](self, query, using, request)

    def _vector(self, given: Any, using: str) -> Any:
        if isinstance(given, int):
            given = self._points[given].vectors[using]
        if isinstance(given, VectorObject):
            return edge.SparseVector(given.indices or [], given.values or [])
        return _vector(given)

    def nearest(self, query: Query, using: str, request: QueryRequest | Prefetch) -> Any:
        vector = self._vector(query.nearest, using)
        if query.mmr is None:
            return edge.Query.Nearest(vector, using)
        limit = DEFAULT_LIMIT if request.limit is None else request.limit
        diversity = 0.5 if query.mmr.diversity is None else query.mmr.diversity
        candidates = limit if query.mmr.candidates_limit is None else query.mmr.candidates_limit
        return edge.Mmr(vector, 1 - diversity, candidates, using)

    def recommend(self, query: Query, using: str, request: QueryRequest | Prefetch) -> Any:
        given = query.recommend
        assert given is not None
        sides = [[self._vector(one, using) for one in side or []] for side in (given.positive, given.negative)]
        kind = edge.Query.RecommendBestScore if given.strategy == "best_score" else edge.Query.RecommendSumScores
        return kind(edge.RecommendQuery(*sides), using)

    def discover(self, query: Query, using: str, request: QueryRequest | Prefetch) -> Any:
        given = query.discover
        assert given is not None
        return edge.Query.Discover(
            edge.DiscoverQuery(self._vector(given.target, using), self._pairs(given.context, using)), using
        )

    def context(self, query: Query, using: str, request: QueryRequest | Prefetch) -> Any:
        return edge.Query.Context(edge.ContextQuery(self._pairs(query.context, using)), using)

    def _pairs(self, context: Any, using: str) -> list[Any]:
        return [
            edge.ContextPair(self._vector(pair.positive, using), self._vector(pair.negative, using))
            for pair in pairs(context)
        ]

    def feedback(self, query: Query, using: str, request: QueryRequest | Prefetch) -> Any:
        given = query.relevance_feedback
        assert given is not None
        naive = given.strategy.naive
        items = [edge.FeedbackItem(self._vector(item.example, using), item.score) for item in given.feedback]
        strategy = edge.NaiveFeedbackStrategy(naive.a, naive.b, naive.c)
        return edge.Query.FeedbackNaive(
            edge.FeedbackNaiveQuery(self._vector(given.target, using), items, strategy), using
        )

    def formula(self, query: Query, using: str, request: QueryRequest | Prefetch) -> Any:
        return edge.Formula(expression(query.formula), query.defaults or {})


def expression(given: Any) -> Any:
    """A wire expression as the engine's."""
    if isinstance(given, str):
        return edge.Expression.Variable(given)
    if not isinstance(given, ExpressionObject):
        return edge.Expression.Constant(float(given))
    if given.is_condition:
        assert given.key is not None and given.match is not None and given.match.value is not None
        condition = edge.FieldCondition(given.key, match=edge.MatchValue(given.match.value))
        return edge.Expression.Condition(condition)
    return _EXPRESSIONS[given.kind](getattr(given, given.kind))


def _decay(kind: Any) -> Callable[[Any], Any]:
    return lambda given: edge.Expression.Decay(
        kind,
        expression(given.x),
        None if given.target is None else expression(given.target),
        given.midpoint,
        given.scale,
    )


def _one(kind: Any) -> Callable[[Any], Any]:
    return lambda given: kind(expression(given))


def _several(kind: Any) -> Callable[[Any], Any]:
    return lambda given: kind([expression(one) for one in given])


_EXPRESSIONS: dict[str, Callable[[Any], Any]] = {
    "geo_distance": lambda given: edge.Expression.GeoDistance(
        edge.GeoPoint(given.origin.lon, given.origin.lat), given.to
    ),
    "datetime": edge.Expression.Datetime,
    "datetime_key": edge.Expression.DatetimeKey,
    "mult": _several(edge.Expression.Mult),
    "sum": _several(edge.Expression.Sum),
    "max": _several(edge.Expression.Max),
    "min": _several(edge.Expression.Min),
    "div": lambda given: edge.Expression.Div(expression(given.left), expression(given.right), given.by_zero_default),
    "pow": lambda given: edge.Expression.Pow(expression(given.base), expression(given.exponent)),
    "neg": _one(edge.Expression.Neg),
    "abs": _one(edge.Expression.Abs),
    "sqrt": _one(edge.Expression.Sqrt),
    "exp": _one(edge.Expression.Exp),
    "log10": _one(edge.Expression.Log10),
    "ln": _one(edge.Expression.Ln),
    "acosh": _one(edge.Expression.Acosh),
    "lin_decay": _decay(edge.DecayKind.Lin),
    "exp_decay": _decay(edge.DecayKind.Exp),
    "gauss_decay": _decay(edge.DecayKind.Gauss),
}

_QUERIES: dict[str, Callable[[Oracle, Query, str, Any], Any]] = {
    "nearest": Oracle.nearest,
    "recommend": Oracle.recommend,
    "discover": Oracle.discover,
    "context": Oracle.context,
    "relevance_feedback": Oracle.feedback,
    "formula": Oracle.formula,
    "order_by": lambda oracle, query, using, request: _order_by(query.order_by),
    "fusion": lambda oracle, query, using, request: (
        edge.Fusion.Dbsf() if query.fusion == "dbsf" else edge.Fusion.Rrf(2)
    ),
    "rrf": lambda oracle, query, using, request: _rrf(query.rrf),
}


def _order_by(given: Any) -> Any:
    if isinstance(given, str):
        return edge.OrderBy(given)
    direction = edge.Direction.Desc if given.direction == "desc" else edge.Direction.Asc
    return edge.OrderBy(given.key, direction, given.start_from)


def _fusion(name: str | None) -> Any:
    return edge.Fusion.Dbsf() if name == "dbsf" else edge.Fusion.Rrf(2)


def _rrf(given: Any) -> Any:
    return edge.Fusion.Rrf(2 if given.k is None else given.k, given.weights)


def _point(point: FakePoint) -> Any:
    vectors = {name: _vector(vector) for name, vector in point.vectors.items()}
    return edge.Point(point.id, vectors, dict(point.payload))


def _vector(given: Any) -> Any:
    return edge.SparseVector(list(given), list(given.values())) if isinstance(given, dict) else given


def _distance(traits: VectorTraits) -> Any:
    return getattr(edge.Distance, traits.distance)


def _sparse(traits: VectorTraits) -> Any:
    return edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf if traits.idf else None)
