"""How are the requests of old clients answered? Each is translated into a universal query, here and nowhere else."""

from __future__ import annotations

from typing import Any

from qdlite.database import Database
from qdlite.errors import BadRequest
from qdlite.models.examples import DiscoverInput, RecommendInput
from qdlite.models.groups import QueryGroupsRequest
from qdlite.models.query import Query, QueryRequest, QueryRequestBatch
from qdlite.models.search import (
    DiscoverRequest,
    DiscoverRequestBatch,
    NamedVector,
    RecommendGroupsRequest,
    RecommendRequest,
    RecommendRequestBatch,
    SearchGroupsRequest,
    SearchRequest,
    SearchRequestBatch,
)
from qdlite_server.endpoint import Call, Endpoint
from qdlite_server.parameters import READ

PATH = "/collections/{collection_name}/points"


def _search(body: SearchRequest) -> dict[str, Any]:
    vector, using = body.vector, None
    if isinstance(vector, NamedVector):
        vector, using = vector.vector, vector.name  # type: ignore[assignment]
    return {"query": vector, "using": using, "score_threshold": body.score_threshold, **body.common()}


def _recommend(body: RecommendRequest) -> dict[str, Any]:
    if not body.positive and (body.strategy in (None, "average_vector") or not body.negative):
        which = "positive" if body.strategy in (None, "average_vector") else "positive or negative"
        raise BadRequest(f"At least one {which} vector ID required with this strategy")
    examples = RecommendInput(positive=body.positive, negative=body.negative, strategy=body.strategy)  # type: ignore[arg-type]
    return {
        "query": Query(recommend=examples),
        "using": body.using,
        "lookup_from": body.lookup_from,
        "score_threshold": body.score_threshold,
        **body.common(),
    }


def _discover(body: DiscoverRequest) -> dict[str, Any]:
    pairs = body.context or []
    target = body.target
    if target is None and not pairs:
        raise BadRequest("target and/or context_pairs must be specified")
    query = Query(context=pairs) if target is None else Query(discover=DiscoverInput(target=target, context=pairs))
    return {"query": query, "using": body.using, "lookup_from": body.lookup_from, **body.common()}


def search(database: Database, call: Call) -> object:
    return database.query(call.collection, QueryRequest(**_search(call.body)), call.context).points


def recommend(database: Database, call: Call) -> object:
    return database.query(call.collection, QueryRequest(**_recommend(call.body)), call.context).points


def discover(database: Database, call: Call) -> object:
    return database.query(call.collection, QueryRequest(**_discover(call.body)), call.context).points


def search_batch(database: Database, call: Call) -> object:
    return _batch(database, call, [_search(body) for body in call.body.searches])


def recommend_batch(database: Database, call: Call) -> object:
    return _batch(database, call, [_recommend(body) for body in call.body.searches])


def discover_batch(database: Database, call: Call) -> object:
    return _batch(database, call, [_discover(body) for body in call.body.searches])


def _batch(database: Database, call: Call, queries: list[dict[str, Any]]) -> object:
    body = QueryRequestBatch(searches=[QueryRequest(**query) for query in queries])
    return [response.points for response in database.query_batch(call.collection, body, call.context)]


def search_groups(database: Database, call: Call) -> object:
    return _groups(database, call, _search(call.body))


def recommend_groups(database: Database, call: Call) -> object:
    return _groups(database, call, _recommend(call.body))


def _groups(database: Database, call: Call, query: dict[str, Any]) -> object:
    del query["offset"]
    grouping = {name: getattr(call.body, name) for name in ("group_by", "group_size", "with_lookup")}
    body = QueryGroupsRequest(**query, **grouping)
    return database.query_groups(call.collection, body, call.context)


def _old(path: str, handler: Any, body: Any) -> Endpoint:
    return Endpoint("POST", f"{PATH}/{path}", handler, body, READ, documented=False)


ENDPOINTS = [
    _old("search", search, SearchRequest),
    _old("search/batch", search_batch, SearchRequestBatch),
    _old("search/groups", search_groups, SearchGroupsRequest),
    _old("recommend", recommend, RecommendRequest),
    _old("recommend/batch", recommend_batch, RecommendRequestBatch),
    _old("recommend/groups", recommend_groups, RecommendGroupsRequest),
    _old("discover", discover, DiscoverRequest),
    _old("discover/batch", discover_batch, DiscoverRequestBatch),
]
