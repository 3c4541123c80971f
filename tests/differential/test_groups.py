"""Are results grouped as a server groups them? By rounds of questions to the engine (see `engine_groups`)."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qdlite.errors import QdliteError
from qdlite.types import Json
from tests.differential.collections import EXACT, Layout, layouts
from tests.differential.comparison import close
from tests.differential.engine import JsonMap, Refused
from tests.differential.engine_groups import groups_of, has_ties, query_groups, rank
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


@pytest.mark.parametrize("seed", range(200 if NIGHTLY else 8))
def test_prefetches_of_few_points(seed: int) -> None:
    """Each round finds other points then, and only rounds equal to a server's find the same groups."""
    random = Random(seed)
    slots = {slot.name: slot.size for slot in EXACT.slots}

    def vector(name: str) -> list[float]:
        return [round(random.uniform(-3, 3), 3) for _ in range(slots[name])]

    def search(name: str) -> JsonMap:
        return {"query": vector(name), "using": name}

    ranks = random.sample(range(-500, 500), 60)
    points = [
        {
            "id": id,
            "vector": {name: vector(name) for name in slots},
            "payload": {"of": random.choice("abcdefgh"), "rank": rank},
        }
        for id, rank in enumerate(ranks)
    ]
    with Pair(EXACT.body()) as pair:
        pair.update({"create_index": {"field_name": "rank", "field_schema": "integer"}})
        pair.update({"upsert": {"points": points}})
        for query in [search(name) for name in slots] + [{"query": {"order_by": {"key": "rank"}}}]:
            prefetch = [{**search(random.choice(list(slots))), "limit": random.randint(1, 6)} for _ in range(2)]
            sizes = {"limit": random.randint(1, 4), "group_size": random.randint(1, 3)}
            _compare(pair, EXACT, {**query, **sizes, "prefetch": prefetch, "group_by": "of"})


def _compare(pair: Pair, layout: Layout, body: JsonMap) -> None:
    found = outcome(lambda: query_groups(pair.engine, layout, body), Refused)
    theirs, tied = (found, False) if isinstance(found, Exception) else found
    ours = outcome(lambda: pair.product.ask("query_groups", body)["groups"], QdliteError)
    request = json.dumps(body)
    assert isinstance(ours, Exception) == isinstance(theirs, Exception), f"{request}\n ours   {ours}\n theirs {theirs}"
    query = {name: part for name, part in body.items() if name not in ("group_by", "group_size")}
    if isinstance(theirs, Exception):
        note("groups: refused")
    elif tied or not is_settled(pair.engine, query) or _has_ties(pair, query) or _is_cut_within_a_point(theirs, body):
        note("groups: unsettled")
    else:
        note(f"groups: compared, {'with' if theirs else 'without'} results")
        shown = _shown(ours), _shown(theirs)
        for (key, hits), (their_key, their_hits) in zip(*shown, strict=True):
            assert key == their_key and _same_hits(hits, their_hits), f"{request}\n ours   {ours}\n theirs {theirs}"


def _has_ties(pair: Pair, query: JsonMap) -> bool:
    """Which of two equal points is taken first is the engine's choice, and decides which group comes first."""
    if any(_has_ties(pair, one) for one in query.get("prefetch", []) if "query" in one):
        return True
    wide = {**query, "limit": 1000, "prefetch": [{**one, "limit": 1000} for one in query.get("prefetch", [])]}
    return has_ties(ask(pair.engine, "query", wide)["points"], query["query"])


def _is_cut_within_a_point(groups: Json, body: JsonMap) -> bool:
    """Which groups of the last point are shown is the engine's choice if not all of them can be."""
    return len(groups) == body["limit"] and len(groups_of(groups[-1]["hits"][0], body["group_by"])) > 1


def _shown(groups: Json) -> list[tuple[Json, list[JsonMap]]]:
    """Groups with their hits. A point may be the best of several groups, which then stand in any order."""
    shown = [(group["id"], group["hits"]) for group in groups]
    return sorted(shown, key=lambda group: (str(group[1][0]["id"]), str(group[0])))


def _same_hits(ours: list[JsonMap], theirs: list[JsonMap]) -> bool:
    return [hit["id"] for hit in ours] == [hit["id"] for hit in theirs] and all(
        close(rank(one)[1], rank(other)[1], 1e-4) for one, other in zip(ours, theirs, strict=True)
    )
