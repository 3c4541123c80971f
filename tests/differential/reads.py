"""Which reads besides queries are worth comparing? Scroll by id and in order, count, facet, retrieve."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.differential.collections import Layout
from tests.differential.filters import IDS, maybe_filters
from tests.differential.payloads import INDEXABLE
from tests.differential.queries import ORDERED, limits, selectors

Question = tuple[str, dict[str, Any]]


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in body.items() if part is not None}


@st.composite
def scrolls(draw: st.DrawFn, layout: Layout) -> Question:
    body = {"limit": draw(limits), "filter": draw(maybe_filters), **draw(selectors(layout))}
    if draw(st.booleans()):
        body["offset"] = draw(st.one_of(st.none(), st.sampled_from(IDS), st.integers(0, 15)))
    else:
        order: dict[str, Any] = {"key": draw(st.sampled_from([*ORDERED, "ranks", "items[].price"]))}
        order["direction"] = draw(st.sampled_from(["asc", "desc", None]))
        order["start_from"] = draw(st.sampled_from([None, 0, 0.5, "2024-01-01"]))
        body["order_by"] = _without_nulls(order)
    return "scroll", _without_nulls(body)


@st.composite
def facets(draw: st.DrawFn) -> Question:
    others = [key for key in INDEXABLE if key not in ("rank", "ranks", "place")]
    key = draw(st.sampled_from(["colour", "colour", "count", "count", *others]))
    return "facet", _without_nulls({"key": key, "limit": draw(limits), "filter": draw(maybe_filters)})


@st.composite
def retrievals(draw: st.DrawFn, layout: Layout) -> Question:
    ids = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=5))
    return "retrieve", {"ids": ids, **draw(selectors(layout))}


counts: st.SearchStrategy[Question] = maybe_filters.map(lambda filter: ("count", _without_nulls({"filter": filter})))


def reads(layout: Layout) -> st.SearchStrategy[Question]:
    return st.one_of(scrolls(layout), counts, facets(), retrievals(layout))
