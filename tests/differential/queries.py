"""Which queries are worth comparing? Every kind that the engine knows, alone and over nested prefetches."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.differential.collections import Layout, layout_vectors
from tests.differential.filters import IDS, filters, maybe_filters
from tests.differential.formulas import DEFAULTS, formulas

Query = dict[str, Any]
ORDERED = ["rank", "rank", "count", "count", "made", "colour"]
"""Fields of one value to order by; what is not indexed for it is refused. Of a point with several values a server
leaves some out when it merges the results of its shards."""

some_ids = st.sampled_from(IDS)
limits = st.integers(1, 12)
by_id = limits.map(lambda limit: {"limit": limit})
payload_selectors: st.SearchStrategy[Any] = st.one_of(
    st.booleans(),
    st.lists(st.sampled_from(["a", "o.x", "n[].x", "items[].colour", "colour", '"k.k"', "n[0]"]), max_size=3),
    st.builds(
        lambda kind, keys: {kind: keys},
        st.sampled_from(["include", "exclude"]),
        st.lists(st.sampled_from(["a", "o", "n[].x", "items[].colour", "title", "n"]), min_size=1, max_size=3),
    ),
)


def selectors(layout: Layout) -> st.SearchStrategy[Query]:
    vectors = st.one_of(st.booleans(), st.lists(st.sampled_from(layout.names), max_size=2, unique=True))
    return st.fixed_dictionaries({}, optional={"with_payload": payload_selectors, "with_vector": vectors})


@st.composite
def vector_queries(draw: st.DrawFn, layout: Layout, name: str, mmr: bool) -> Any:
    vectors = layout_vectors(layout, name)
    # Seldom: an id may name a point without such a vector, and then all of the query is refused.
    given = st.one_of(vectors, some_ids) if draw(st.integers(0, 4)) == 4 else vectors
    some = st.lists(given, max_size=3)
    pair = st.fixed_dictionaries({"positive": given, "negative": given})
    slot = layout.slot(name)
    kinds = [kind for kind in _VECTOR_QUERIES if kind != "mmr" or (mmr and slot.diversifies)]
    kind = draw(st.sampled_from(kinds))
    return draw(_VECTOR_QUERIES[kind](given, some, pair))


_VECTOR_QUERIES: dict[str, Any] = {
    "bare": lambda given, some, pair: given,
    "nearest": lambda given, some, pair: given.map(lambda one: {"nearest": one}),
    "mmr": lambda given, some, pair: st.builds(
        lambda one, diversity, more: {"nearest": one, "mmr": {"diversity": diversity, "candidates_limit": more}},
        given, st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.integers(12, 20),
    ),
    "recommend": lambda given, some, pair: st.builds(
        lambda positive, negative, strategy: {
            "recommend": {"positive": positive, "negative": negative, "strategy": strategy}
        },
        some.filter(len), some, st.sampled_from(["average_vector", "best_score", "sum_scores"]),
    ),
    "discover": lambda given, some, pair: st.builds(
        lambda target, pairs: {"discover": {"target": target, "context": pairs}}, given, st.lists(pair, max_size=3)
    ),
    "context": lambda given, some, pair: st.one_of(pair, st.lists(pair, max_size=3)).map(
        lambda pairs: {"context": pairs}
    ),
    "feedback": lambda given, some, pair: st.builds(
        lambda target, items, a, b: {
            "relevance_feedback": {
                "target": target, "feedback": items, "strategy": {"naive": {"a": a, "b": b, "c": 0.25}}
            }
        },
        given,
        st.lists(
            st.fixed_dictionaries({"example": given, "score": st.sampled_from([0.0, 0.25, 0.5, 1.0])}),
            min_size=1, max_size=4,
        ),
        st.sampled_from([0.5, 1.0, -1.0]), st.sampled_from([0.0, 1.0, 1.5]),
    ),
}  # fmt: skip


@st.composite
def leaves(draw: st.DrawFn, layout: Layout, mmr: bool = True) -> Query:
    """A search by vectors."""
    slot = draw(st.sampled_from(layout.slots))
    body: Query = {"query": draw(vector_queries(layout, slot.name, mmr)), "limit": draw(limits)}
    if slot.name or draw(st.booleans()):
        body["using"] = slot.name
    if draw(st.integers(0, 4)) == 4:
        body["score_threshold"] = draw(st.sampled_from([-5.0, 0.0, 0.45, 2.5, 20.0]))
    if slot.idf and draw(st.booleans()):
        body["params"] = {"idf": draw(st.one_of(st.just("global"), filters.map(lambda filter: {"corpus": filter})))}
    return body


@st.composite
def ordered(draw: st.DrawFn) -> Query:
    """By a payload field."""
    order = draw(
        st.fixed_dictionaries(
            {"key": st.sampled_from(ORDERED)},
            optional={
                "direction": st.sampled_from(["asc", "desc"]),
                "start_from": st.sampled_from([0, 1.5, -2, "2024-01-01T00:00:00Z"]),
            },
        )
    )
    return {"query": {"order_by": draw(st.sampled_from([order, order["key"]]))}, "limit": draw(limits)}


def fusions(count: int) -> st.SearchStrategy[Query]:
    weights = st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=count, max_size=count)
    return st.one_of(
        st.sampled_from([{"fusion": "rrf"}, {"fusion": "dbsf"}]),
        st.fixed_dictionaries({}, optional={"k": st.integers(1, 60), "weights": weights}).map(lambda rrf: {"rrf": rrf}),
    )


@st.composite
def filtered(draw: st.DrawFn, bodies: st.SearchStrategy[Query]) -> Query:
    body = draw(bodies)
    filter = draw(st.one_of(st.none(), maybe_filters))
    return body if filter is None else {**body, "filter": filter}


@st.composite
def compound(draw: st.DrawFn, layout: Layout, depth: int) -> Query:
    """A query over prefetches: fusion, rescoring by vectors, or order."""
    below = prefetches(layout, depth - 1)
    some = [draw(below) for _ in range(draw(st.integers(1, 3)))]
    kind = draw(st.sampled_from(["fusion", "fusion", "rescore", "order"]))
    if kind == "fusion":
        return {"query": draw(fusions(len(some))), "prefetch": some, "limit": draw(limits)}
    return {**draw(leaves(layout) if kind == "rescore" else ordered()), "prefetch": some}


def prefetches(layout: Layout, depth: int) -> st.SearchStrategy[Query]:
    # Of MMR without prefetches of its own, a server and the engine return different numbers of candidates here.
    leaf = leaves(layout, mmr=False)
    kinds = [leaf, leaf, leaf, ordered(), by_id]
    return filtered(st.one_of(*kinds) if depth == 0 else st.one_of(*kinds, compound(layout, depth)))


@st.composite
def queries(draw: st.DrawFn, layout: Layout) -> Query:
    """A complete request."""
    body = draw(filtered(st.one_of(leaves(layout), leaves(layout), compound(layout, 2), ordered(), by_id)))
    query = body.get("query")
    diversified = isinstance(query, dict) and "mmr" in query
    # A server counts the offset of MMR within the limit, the engine behind it.
    if draw(st.booleans()) and not diversified:
        body = {**body, "offset": draw(st.integers(0, 3))}
    selected = draw(selectors(layout))
    # The engine adds the vector that MMR compares to those that were named; a server takes it out again.
    if diversified and isinstance(selected.get("with_vector"), list):
        del selected["with_vector"]
    return {**body, **selected}


@st.composite
def formula_queries(draw: st.DrawFn, layout: Layout) -> Query:
    """A formula over one to three searches."""
    some = draw(st.lists(filtered(leaves(layout, mmr=False)), min_size=1, max_size=3))
    body = {"query": {"formula": draw(formulas), "defaults": draw(DEFAULTS)}, "prefetch": some, "limit": draw(limits)}
    threshold = draw(st.sampled_from([None, None, 0.0, 1.25]))
    return body if threshold is None else {**body, "score_threshold": threshold}


samples: st.SearchStrategy[Query] = filtered(limits.map(lambda limit: {"query": {"sample": "random"}, "limit": limit}))
