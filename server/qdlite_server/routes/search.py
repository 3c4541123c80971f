"""How are the requests of old clients answered? Each is translated into a universal query, here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from qdlite.database import Database
from qdlite.errors import BadRequest
from qdlite.models.examples import DiscoverInput, RecommendInput
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
    TranslatedGroups,
    TranslatedQuery,
)
from qdlite_server.endpoint import Call, Endpoint, Handler
from qdlite_server.parameters import READ

PATH = "/collections/{collection_name}/points"

_Translate: TypeAlias = Callable[[Any], dict[str, Any]]
"""Makes the fields of a universal query from a body."""


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


def _single(translate: _Translate) -> Handler:
    def answer(database: Database, call: Call) -> object:
        (query,) = _queries(database, call, translate, [call.body])
        return database.query(call.collection, query, call.context).points

    return answer


def _batch(translate: _Translate) -> Handler:
    def answer(database: Database, call: Call) -> object:
        queries = _queries(database, call, translate, call.body.searches)
        responses = database.query_batch(call.collection, QueryRequestBatch(searches=queries), call.context)
        return [response.points for response in responses]

    return answer


def _queries(database: Database, call: Call, translate: _Translate, bodies: Sequence[Any]) -> list[QueryRequest]:
    database.collection(call.collection)  # which Qdrant looks for before it looks at examples
    return [TranslatedQuery(**translate(body)) for body in bodies]


def _groups(translate: _Translate) -> Handler:
    def answer(database: Database, call: Call) -> object:
        database.collection(call.collection)
        query = translate(call.body)
        del query["offset"]
        grouping = {name: getattr(call.body, name) for name in ("group_by", "group_size", "with_lookup")}
        body = TranslatedGroups(**query, **grouping, is_search=translate is _search)
        return database.query_groups(call.collection, body, call.context)

    return answer


def _old(path: str, handler: Handler, body: Any) -> Endpoint:
    return Endpoint("POST", f"{PATH}/{path}", handler, body, READ, documented=False)


ENDPOINTS = [
    _old("search", _single(_search), SearchRequest),
    _old("search/batch", _batch(_search), SearchRequestBatch),
    _old("search/groups", _groups(_search), SearchGroupsRequest),
    _old("recommend", _single(_recommend), RecommendRequest),
    _old("recommend/batch", _batch(_recommend), RecommendRequestBatch),
    _old("recommend/groups", _groups(_recommend), RecommendGroupsRequest),
    _old("discover", _single(_discover), DiscoverRequest),
    _old("discover/batch", _batch(_discover), DiscoverRequestBatch),
]
