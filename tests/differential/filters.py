"""Which filters are worth comparing? Every condition on odd and on regular fields, nested to depth 3."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from qdlite.types import Json
from tests.differential.payloads import COLOURS, DATES, SENTENCES, UIDS
from tests.filters import strategies as odd

IDS = [
    1,
    2,
    3,
    5,
    8,
    13,
    2**63,
    2**64 - 1,
    "5c56c793-69f3-4fbf-87e6-c4bf54c28c26",
    "00000000-0000-0000-0000-000000000001",
]
VECTORS = ["", "a", "b", "long name", "s", "i", "absent"]

_bounds = st.sampled_from([-1, 0, 0.5, 2, 50])
_words = ["quick", "lazy dog", "QUICK fox", "dogs", "the", "дом", "ros"]


def _field(key: str, tests: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return tests.map(lambda test: {"key": key, **test})


def _match(kind: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return values.map(lambda value: {"match": {kind: value}})


_colours = st.one_of(
    _match("value", st.sampled_from(COLOURS)),
    _match("any", st.lists(st.sampled_from(COLOURS), max_size=2)),
    _match("except", st.lists(st.sampled_from(COLOURS), max_size=2)),
    _match("prefix", st.sampled_from(["r", "", "gre", "G"])),
)
_numbers = st.one_of(
    _match("value", st.sampled_from([0, 1, 2, -3, 2**63 - 1])),
    _match("any", st.lists(st.integers(-3, 3), max_size=3)),
    st.dictionaries(st.sampled_from(["lt", "gt", "lte", "gte"]), _bounds, max_size=2).map(lambda test: {"range": test}),
)
_dates = st.dictionaries(st.sampled_from(["lt", "gt", "lte", "gte"]), st.sampled_from(DATES), min_size=1, max_size=2)
_texts = st.one_of(*[_match(kind, st.sampled_from(_words + SENTENCES)) for kind in ("text", "text_any", "phrase")])
_matches_within = st.one_of(*[_match(kind, st.sampled_from(_words)) for kind in ("prefix", "substring")])
_counts = st.dictionaries(st.sampled_from(["lt", "gt", "lte", "gte"]), st.integers(0, 3), min_size=1, max_size=2)
_circles = st.builds(
    lambda lon, radius: {"geo_radius": {"center": {"lon": lon, "lat": 50.0}, "radius": radius}},
    st.sampled_from([10.0, 0.0, -179.0]),
    st.sampled_from([100_000.0, 1_000_000.0, 2e7]),
)


def _box(west: float, north: float, east: float, south: float) -> dict[str, Any]:
    corners = {"top_left": {"lon": west, "lat": north}, "bottom_right": {"lon": east, "lat": south}}
    return {"geo_bounding_box": corners}


def _ring(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"points": [{"lon": lon, "lat": lat} for lon, lat in (*corners, corners[0])]}


_AROUND_LONDON = _ring((-1, 51), (1, 51), (1, 52), (-1, 52))
AREAS = [
    _box(13, 53, 14, 52),
    _box(179, -15, -179, -17),
    _box(-0.1, 51.5, 13.4, 0),
    {"geo_polygon": {"exterior": _AROUND_LONDON}},
    {"geo_polygon": {"exterior": _AROUND_LONDON, "interiors": [_ring((-0.5, 51.2), (0.5, 51.2), (0, 51.9))]}},
    {"geo_polygon": {"exterior": _ring((179, -17), (180, -17), (180, -15), (179, -15)), "interiors": []}},
    {"geo_polygon": {"exterior": _ring((-1, -1), (14, 53), (-1, 53), (14, -1))}},
]
"""Boxes and polygons, across the antimeridian, with holes, with places on their edges, and crossing themselves."""
_areas = st.integers(0, len(AREAS) - 1).map(lambda number: AREAS[number])  # sampled, all would be in each report

regular: st.SearchStrategy[dict[str, Any]] = st.one_of(
    _field("colour", _colours),
    _field("items[].colour", _colours),
    _field("count", _numbers),
    _field("rank", _numbers),
    _field("items[].price", _numbers),
    _field("flag", _match("value", st.booleans())),
    _field("uid", _match("value", st.sampled_from(UIDS))),
    _field("made", _dates.map(lambda test: {"range": test})),
    _field("title", _matches_within),
    _field("body", _texts),
    _field("items", _counts.map(lambda test: {"values_count": test})),
    _field("place", st.one_of(_circles, _areas)),
    st.builds(lambda ids: {"has_id": ids}, st.lists(st.sampled_from(IDS), max_size=5, unique=True)),
    st.builds(lambda name: {"has_vector": name}, st.sampled_from(VECTORS)),
    st.builds(
        lambda total, index: {"slice": {"total": total, "index": index % total}}, st.integers(1, 4), st.integers(0, 3)
    ),
    st.builds(
        lambda kind, key: {kind: {"key": key}},
        st.sampled_from(["is_empty", "is_null"]),
        st.sampled_from(["colour", "items", "count"]),
    ),
)
_elements = st.one_of(_field("colour", _colours), _field("price", _numbers))


def _clauses(conditions: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(conditions, min_size=1, max_size=2)
    return st.one_of(
        several.map(lambda some: {"must": some}),
        several.map(lambda some: {"should": some}),
        several.map(lambda some: {"must_not": some}),
        st.builds(lambda some, others: {"must": some, "must_not": others}, several, several),
        st.builds(
            lambda some, least: {"min_should": {"conditions": some, "min_count": least}}, several, st.integers(1, 2)
        ),
    )


def bounded_once(test: Json) -> bool:
    """Whether no range has two lower or two upper bounds: whether both hold depends on the engine's plan."""
    if isinstance(test, list):
        return all(map(bounded_once, test))
    if not isinstance(test, dict):
        return True
    return not ({"gt", "gte"} <= test.keys() or {"lt", "lte"} <= test.keys()) and all(map(bounded_once, test.values()))


_nested = _clauses(_elements).map(lambda inner: {"nested": {"key": "items", "filter": inner}})
_conditions = st.one_of(regular, regular, _nested)
filters: st.SearchStrategy[dict[str, Any]] = st.one_of(
    _clauses(_conditions), _clauses(st.one_of(_conditions, _clauses(_conditions))), odd.filters(False, 3)
).filter(bounded_once)
maybe_filters: st.SearchStrategy[Any] = st.one_of(st.none(), filters)
