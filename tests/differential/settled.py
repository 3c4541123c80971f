"""Is the answer to a query settled, or does it depend on which of several equal points an engine takes first?

Ties at the end of a prefetch decide which points reach the query above; ties anywhere in it decide their ranks.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from qdlite.types import Json
from tests.differential.comparison import close
from tests.differential.engine import Engine, JsonMap, Refused
from tests.differential.engine_reads import DEFAULT_LIMIT, Resolver, ask, merged_filter


def is_settled(engine: Engine, body: JsonMap) -> bool:
    """Whether everything below the root, and the candidates of the root itself, are free of ties that matter."""
    resolver = Resolver(engine)
    try:
        resolver.shared(body)
    except Refused:
        return True
    excluded = resolver.excluding({}) or {}
    return _below(engine, body, excluded) and _candidates(engine, body, excluded)


def _below(engine: Engine, body: JsonMap, inherited: JsonMap) -> bool:
    inherited = merged_filter(inherited, body.get("filter", {}))
    ranked = is_rank_fusion(body.get("query"))
    return all(
        _below(engine, one, inherited)
        and _tieless(engine, one, inherited, ranked)
        and _candidates(engine, one, inherited)
        for one in body.get("prefetch", [])
    )


def is_rank_fusion(query: Json) -> bool:
    return isinstance(query, dict) and ("rrf" in query or query.get("fusion") == "rrf")


def _tieless(engine: Engine, body: JsonMap, inherited: JsonMap, everywhere: bool) -> bool:
    query = body.get("query")
    if query is None:
        return True
    part = "order_value" if isinstance(query, dict) and "order_by" in query else "score"
    limit = body.get("limit", DEFAULT_LIMIT)
    filter = merged_filter(inherited, body.get("filter", {}))
    try:
        found = ask(engine, "query", {**body, "limit": limit + 1, "filter": filter})
    except Refused:
        return True
    scores = [point[part] for point in found["points"]]
    neighbours = list(pairwise(scores))
    return not any(close(*pair, 1e-4) for pair in (neighbours if everywhere else neighbours[limit - 1 : limit]))


def _candidates(engine: Engine, body: JsonMap, inherited: JsonMap) -> bool:
    """MMR goes through its candidates in their order."""
    query: Any = body.get("query")
    if not isinstance(query, dict) or "mmr" not in query:
        return True
    limit = query["mmr"].get("candidates_limit", body.get("limit", DEFAULT_LIMIT))
    return _tieless(engine, {**body, "query": query["nearest"], "limit": limit}, inherited, True)
