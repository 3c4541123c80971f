"""Are results grouped as a server groups them? The engine is asked in rounds, qdlite once (see `engine_groups`)."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qdlite.errors import QdliteError
from qdlite.types import Json
from tests.differential.collections import Layout, layouts
from tests.differential.comparison import close
from tests.differential.engine import JsonMap, Refused
from tests.differential.engine_groups import groups_of, query_groups, rank
from tests.differential.engine_reads import ask
from tests.differential.operations import upserts
from tests.differential.pair import Pair, note, outcome
from tests.differential.payloads import USUAL, text_index
from tests.differential.queries import compound, filtered, leaves, ordered
from tests.differential.settled import is_settled
from tests.differential.test_differential import NIGHTLY

FIELDS = ["colour", "colour", "count", "title", "items[].colour", "uid", "a", "n[].x", "nowhere"]


@st.composite
def grouped(draw: st.DrawFn, layout: Layout) -> JsonMap:
    """A query with an order, to be grouped."""
    leaf = leaves(layout, mmr=False)
    body = draw(filtered(st.one_of(leaf, leaf, compound(layout, 1), ordered())))
    sizes = {"limit": draw(st.integers(1, 5)), "group_size": draw(st.integers(1, 3))}
    return {**body, **sizes, "group_by": draw(st.sampled_from(FIELDS))}


@settings(max_examples=600 if NIGHTLY else 40, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_groups(data: st.DataObject) -> None:
    layout: Layout = data.draw(layouts())
    with Pair(layout.body()) as pair:
        pair.update(data.draw(text_index))
        pair.update(data.draw(upserts(layout, 4, 14)))
        for operation in USUAL:
            pair.update(operation)
        for body in data.draw(st.lists(grouped(layout), min_size=1, max_size=5)):
            _compare(pair, layout, body)


def _compare(pair: Pair, layout: Layout, body: JsonMap) -> None:
    theirs = outcome(lambda: query_groups(pair.engine, layout, body)["groups"], Refused)
    ours = outcome(lambda: pair.product.ask("query_groups", body)["groups"], QdliteError)
    request = json.dumps(body)
    assert isinstance(ours, Exception) == isinstance(theirs, Exception), f"{request}\n ours   {ours}\n theirs {theirs}"
    query = {name: part for name, part in body.items() if name not in ("group_by", "group_size")}
    if isinstance(theirs, Exception):
        note("groups: refused")
    elif not is_settled(pair.engine, query) or _has_ties(pair, query) or _is_cut_within_a_point(theirs, body):
        note("groups: unsettled")
    else:
        note(f"groups: compared, {'with' if theirs else 'without'} results")
        assert _shown(ours) == _shown(theirs), f"{request}\n ours   {ours}\n theirs {theirs}"
        for one, other in zip(_ranks(ours), _ranks(theirs), strict=True):
            assert close(one, other, 1e-4), request


def _has_ties(pair: Pair, query: JsonMap) -> bool:
    """Which of two equal points is taken first is the engine's choice, and decides which group comes first."""
    if any(_has_ties(pair, one) for one in query.get("prefetch", []) if "query" in one):
        return True
    wide = {**query, "limit": 1000, "prefetch": [{**one, "limit": 1000} for one in query.get("prefetch", [])]}
    ranks = map(rank, ask(pair.engine, "query", wide)["points"])
    return any(close(*neighbours, 1e-4) for neighbours in pairwise(ranks))


def _is_cut_within_a_point(groups: Json, body: JsonMap) -> bool:
    """Which groups of the last point are shown is the engine's choice if not all of them can be."""
    return len(groups) == body["limit"] and len(groups_of(groups[-1]["hits"][0], body["group_by"])) > 1


def _shown(groups: Json) -> list[tuple[Any, list[Any]]]:
    """Groups with the ids of their hits. A point may be the best of several groups, which then stand in any order."""
    shown = [(group["id"], [hit["id"] for hit in group["hits"]]) for group in groups]
    return sorted(shown, key=lambda group: (str(group[1][0]), str(group[0])))


def _ranks(groups: Json) -> list[float]:
    return [rank(hit) for group in groups for hit in group["hits"]]
