"""How does Qdrant's own engine answer requests of the wire? Scroll, count, facet, retrieve and the universal query.

A server resolves ids in queries before its engine sees them, and excludes those points from the results; here that
is done beforehand. The engine also has no average strategy of recommend: a server makes it a search for the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import qdrant_edge as edge

from qdlite.types import Json, PointId
from tests.differential.engine import Engine, JsonMap, Refused, attempt, maybe_filter, named, shown_id, to_vector
from tests.differential.engine_formulas import expression
from tests.filters.oracle import to_filter

DEFAULT_LIMIT = 10


def ask(engine: Engine, kind: str, body: JsonMap) -> Json:
    """The answer to one request, as JSON of the wire. Raises Refused."""
    return attempt(lambda: _READS[kind](engine, body))


def scroll(engine: Engine, body: JsonMap) -> Json:
    order = body.get("order_by")
    request = edge.ScrollRequest(
        offset=body.get("offset"),
        limit=body.get("limit", DEFAULT_LIMIT),
        filter=maybe_filter(body.get("filter")),
        with_payload=payload_selector(body.get("with_payload", True)),
        with_vector=body.get("with_vector", False),
        order_by=None if order is None else order_by(order),
    )
    records, following = engine.shard.scroll(request)
    shown = None if following is None else shown_id(following)
    return {"points": [record(one, body, True) for one in records], "next_page_offset": shown}


def count(engine: Engine, body: JsonMap) -> Json:
    return engine.shard.count(edge.CountRequest(True, maybe_filter(body.get("filter"))))


def facet(engine: Engine, body: JsonMap) -> Json:
    limit = body.get("limit", DEFAULT_LIMIT)
    found = engine.shard.facet(edge.FacetRequest(body["key"], limit, True, maybe_filter(body.get("filter"))))
    return [{"value": hit.value, "count": hit.count} for hit in found]


def retrieve(engine: Engine, body: JsonMap) -> Json:
    wanted = payload_selector(body.get("with_payload", True))
    records = engine.shard.retrieve(list(dict.fromkeys(body["ids"])), wanted, body.get("with_vector", False))
    return [record(one, body, True) for one in records]


def query(engine: Engine, body: JsonMap) -> Json:
    resolver = Resolver(engine)
    fields = resolver.shared(body)
    fields["filter"] = maybe_filter(resolver.excluding(body.get("filter")))
    fields["offset"] = body.get("offset", 0)
    fields["with_payload"] = payload_selector(body.get("with_payload", False))
    fields["with_vector"] = body.get("with_vector", False)
    found = engine.shard.query(edge.QueryRequest(**fields))
    return {"points": [{**record(one, body, False), "score": one.score} for one in found]}


_READS: dict[str, Callable[[Engine, JsonMap], Json]] = {
    "scroll": scroll,
    "count": count,
    "facet": facet,
    "retrieve": retrieve,
    "query": query,
}


def record(found: Any, body: JsonMap, payload: bool) -> dict[str, Json]:
    """A record with what was asked for; `payload`: whether that is the default."""
    shown: dict[str, Json] = {"id": shown_id(found.id)}
    if body.get("with_payload", payload) is not False:
        shown["payload"] = found.payload
    if body.get("with_vector", False) is not False:
        shown["vector"] = named(found.vector)
    if found.order_value is not None:
        shown["order_value"] = found.order_value
    return shown


def payload_selector(wanted: Json) -> Any:
    if isinstance(wanted, dict):
        ((kind, keys),) = wanted.items()
        return (edge.PayloadSelector.Include if kind == "include" else edge.PayloadSelector.Exclude)(keys)
    return wanted


def order_by(given: Json) -> Any:
    if isinstance(given, str):
        return edge.OrderBy(given)
    direction = edge.Direction.Desc if given.get("direction") == "desc" else edge.Direction.Asc
    return edge.OrderBy(given["key"], direction, given.get("start_from"))


def search_params(given: Json) -> Any:
    """Only `idf` and `exact`: nothing else changes the answers of an exact search."""
    idf = (given or {}).get("idf")
    if idf is None:
        return edge.SearchParams(exact=True)
    return edge.SearchParams(exact=True, idf=edge.IdfParams(None if idf == "global" else to_filter(idf["corpus"])))


class Resolver:
    """Turns one request into the engine's, with vectors in place of ids; `used` are those ids."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.used: set[PointId] = set()

    def shared(self, body: JsonMap) -> dict[str, Any]:
        """What a query and its prefetches have in common."""
        return {
            "limit": body.get("limit", DEFAULT_LIMIT),
            "query": self._query(body),
            "prefetches": [edge.Prefetch(**self.shared(one)) for one in body.get("prefetch", [])],
            "score_threshold": body.get("score_threshold"),
            "filter": maybe_filter(body.get("filter")),
            "params": search_params(body.get("params")),
        }

    def excluding(self, filter: JsonMap | None) -> JsonMap | None:
        """The root's filter, without the points that are used as examples."""
        if not self.used:
            return filter
        return merged_filter(filter or {}, {"must_not": [{"has_id": sorted(self.used, key=str)}]})

    def _query(self, body: JsonMap) -> Any:
        given, using = body.get("query"), body.get("using", "")
        if given is None:
            return None
        if not isinstance(given, dict) or "indices" in given:
            return edge.Query.Nearest(to_vector(self.vector(given, using)), using)
        kind = next(name for name in _QUERIES if name in given)
        return _QUERIES[kind](self, given, using, body)

    def vector(self, given: Json, using: str) -> Json:
        """A vector in wire form, that of a stored point if an id is given. Raises Refused if there is none."""
        if not isinstance(given, (int, str)):
            return given
        self.used.add(given)
        found = self._engine.vector(given, using)
        if found is None:
            raise Refused(f"no vector {using!r} of a point {given}")
        return found

    def vectors(self, given: Json, using: str) -> list[Any]:
        return [to_vector(self.vector(one, using)) for one in given or []]

    def nearest(self, given: JsonMap, using: str, body: JsonMap) -> Any:
        vector = to_vector(self.vector(given["nearest"], using))
        mmr = given.get("mmr")
        if mmr is None:
            return edge.Query.Nearest(vector, using)
        limit = mmr.get("candidates_limit", body.get("limit", DEFAULT_LIMIT))
        return edge.Mmr(vector, 1 - mmr.get("diversity", 0.5), limit, using)

    def recommend(self, given: JsonMap, using: str, _: JsonMap) -> Any:
        examples = given["recommend"]
        strategy = examples.get("strategy", "average_vector")
        if strategy == "average_vector":
            sides = [[self.vector(one, using) for one in examples.get(side) or []] for side in ("positive", "negative")]
            return edge.Query.Nearest(to_vector(average(*sides)), using)
        kind = edge.Query.RecommendBestScore if strategy == "best_score" else edge.Query.RecommendSumScores
        positive, negative = (self.vectors(examples.get(side), using) for side in ("positive", "negative"))
        return kind(edge.RecommendQuery(positive, negative), using)

    def discover(self, given: JsonMap, using: str, _: JsonMap) -> Any:
        wanted = given["discover"]
        target = to_vector(self.vector(wanted["target"], using))
        return edge.Query.Discover(edge.DiscoverQuery(target, self._pairs(wanted["context"], using)), using)

    def context(self, given: JsonMap, using: str, _: JsonMap) -> Any:
        return edge.Query.Context(edge.ContextQuery(self._pairs(given["context"], using)), using)

    def _pairs(self, context: Json, using: str) -> list[Any]:
        pairs = [context] if isinstance(context, dict) else context or []
        return [edge.ContextPair(*self.vectors([pair["positive"], pair["negative"]], using)) for pair in pairs]

    def feedback(self, given: JsonMap, using: str, _: JsonMap) -> Any:
        wanted = given["relevance_feedback"]
        naive = wanted["strategy"]["naive"]
        target = to_vector(self.vector(wanted["target"], using))
        examples = self.vectors([item["example"] for item in wanted["feedback"]], using)
        items = [edge.FeedbackItem(one, item["score"]) for one, item in zip(examples, wanted["feedback"], strict=True)]
        strategy = edge.NaiveFeedbackStrategy(naive["a"], naive["b"], naive["c"])
        return edge.Query.FeedbackNaive(edge.FeedbackNaiveQuery(target, items, strategy), using)


def merged_filter(one: JsonMap, other: JsonMap) -> JsonMap:
    """What the engine makes of the filters of a query and of its prefetch: it joins them clause by clause."""
    merged = {name: [*one.get(name, []), *other.get(name, [])] for name in ("must", "should", "must_not")}
    least = [filter["min_should"] for filter in (one, other) if "min_should" in filter]
    if not least:
        return merged
    conditions = [condition for part in least for condition in part["conditions"]]
    return {**merged, "min_should": {"conditions": conditions, "min_count": max(part["min_count"] for part in least)}}


def average(positive: list[Json], negative: list[Json]) -> Json:
    """The query vector of the average strategy, by the formula of Qdrant's documentation. Raises Refused."""
    if not positive:
        raise Refused("no positive example")
    if isinstance(positive[0], dict):
        return _sparse_average(positive, negative)
    if isinstance(positive[0][0], list):
        return [row for one in positive for row in one] + [[-x for x in row] for one in negative for row in one]
    mean = np.mean(np.asarray(positive, np.float32), axis=0)
    if negative:
        mean = mean + mean - np.mean(np.asarray(negative, np.float32), axis=0)
    return [float(x) for x in mean]


def _sparse_average(positive: list[Json], negative: list[Json]) -> Json:
    indices = sorted({index for one in positive + negative for index in one["indices"]})
    full = [[_dense(one, indices) for one in side] for side in (positive, negative)]
    values: list[float] = average(*full) if indices else []
    return {"indices": indices, "values": values}


def _dense(vector: JsonMap, indices: list[int]) -> list[float]:
    held = dict(zip(vector["indices"], vector["values"], strict=True))
    return [held.get(index, 0.0) for index in indices]


def _rrf(given: JsonMap) -> Any:
    return edge.Fusion.Rrf(given.get("k", 2), given.get("weights"))


_QUERIES: dict[str, Callable[[Resolver, JsonMap, str, JsonMap], Any]] = {
    "nearest": Resolver.nearest,
    "recommend": Resolver.recommend,
    "discover": Resolver.discover,
    "context": Resolver.context,
    "relevance_feedback": Resolver.feedback,
    "order_by": lambda resolver, given, using, body: order_by(given["order_by"]),
    "fusion": lambda resolver, given, using, body: edge.Fusion.Dbsf() if given["fusion"] == "dbsf" else _rrf({}),
    "rrf": lambda resolver, given, using, body: _rrf(given["rrf"]),
    "formula": lambda resolver, given, using, body: edge.Formula(
        expression(given["formula"]), given.get("defaults", {})
    ),
    "sample": lambda resolver, given, using, body: edge.Sample.Random,
}
