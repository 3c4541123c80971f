"""Which payloads and filters are worth comparing? Small alphabets, so that conditions hit often."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

WORDS = ["red", "green", "Red rose", "the rose is red", "", "été", "re"]
DATES = ["2024-01-01", "2024-01-01T00:00:00Z", "2023-12-31 23:00:00-01:00", "2024-02-30", "1969-12-31T23:59:59.5Z"]
UUIDS = [
    "550e8400-e29b-41d4-a716-446655440000",
    "550E8400E29B41D4A716446655440000",
    "urn:uuid:550e8400-e29b-41d4-a716-446655440001",
]
TEXTS = WORDS + DATES + UUIDS
INTEGERS = [-1, 0, 1, 2, 3, 2**53 + 1, -(2**63), 2**63 - 1, 2**63, 2**64 - 1, 1704067200000000]
FLOATS = [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.0**63, 1e300]
PLACES = [
    {"lon": 0, "lat": 0},
    {"lon": 1.5, "lat": 1},
    {"lon": 179.5, "lat": 0.5},
    {"lon": -179.5, "lat": -0.5},
    {"lon": 190, "lat": 0},
    {"lon": 2, "lat": 2.0},
    {"lon": 1, "lat": 1},
    {"lon": "1", "lat": 1},
    {"lat": 1},
]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(INTEGERS),
    st.sampled_from(FLOATS),
    st.sampled_from(TEXTS),
    st.sampled_from(PLACES),
)
leaves = st.one_of(scalars, scalars, st.lists(scalars, max_size=3), st.lists(st.lists(scalars, max_size=2), max_size=2))
inner_objects = st.dictionaries(st.sampled_from(["x", "y"]), leaves, max_size=2)
elements = st.one_of(
    inner_objects,
    st.fixed_dictionaries({}, optional={"x": leaves, "m": st.lists(inner_objects, max_size=2)}),
    scalars,
)
payloads: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "a": leaves,
        "b": leaves,
        "o": st.one_of(inner_objects, scalars),
        "n": st.one_of(st.lists(elements, max_size=3), inner_objects, scalars),
    },
)

PATHS = ["a", "b", "a[]", "o.x", "n", "n[]", "n[].x", "n[0].x", "n[].m[].x", "n[].m"]
INNER_PATHS = ["x", "y", "x[]", "m", "m[].x"]


def _bounds(values: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(["lt", "gt", "lte", "gte"]), st.sampled_from(values), max_size=2)


_numbers = [*FLOATS, 1704067200000000.0, -0.25, 1.75, 9.3e18]
_dates = [date for date in DATES if date != "2024-02-30"]
_box = {"top_left": {"lon": -1.0, "lat": 2.0}, "bottom_right": {"lon": 2.0, "lat": -1.0}}
_crossing_box = {"top_left": {"lon": 170.0, "lat": 2.0}, "bottom_right": {"lon": -170.0, "lat": -1.0}}
_square = {"points": [{"lon": x, "lat": y} for x, y in [(0, 0), (0, 2), (2, 2), (2, 0), (0, 0)]]}
_hole = {"points": [{"lon": x, "lat": y} for x, y in [(0.5, 0.5), (0.5, 1.5), (1.5, 1.5), (1.5, 0.5), (0.5, 0.5)]]}
_wide = {"points": [{"lon": x, "lat": y} for x, y in [(-3, -3), (-3, 3), (3, 3), (3, -3), (-3, -3)]]}

matches: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda value: {"value": value}, st.sampled_from([*TEXTS, *INTEGERS[:8], True, False])),
    st.builds(
        lambda kind, text: {kind: text},
        st.sampled_from(["prefix", "substring"]),
        st.sampled_from([*TEXTS, "rose is", "RED", "os", " "]),
    ),
    st.builds(
        lambda kind, values: {kind: values},
        st.sampled_from(["any", "except"]),
        st.one_of(
            st.lists(st.sampled_from(TEXTS), max_size=3),
            st.lists(st.sampled_from(UUIDS), min_size=1, max_size=2),
            st.lists(st.sampled_from(INTEGERS[:8]), max_size=3),
        ),
    ),
)

tests: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda test: {"match": test}, matches),
    st.builds(lambda test: {"match": test}, matches),
    st.builds(lambda test: {"range": test}, st.one_of(_bounds(_numbers), _bounds(_dates))),
    st.builds(lambda test: {"values_count": test}, _bounds([0, 1, 2, 3])),
    st.builds(lambda kind, flag: {kind: flag}, st.sampled_from(["is_empty", "is_null"]), st.booleans()),
    st.sampled_from(
        [
            {"geo_bounding_box": _box},
            {"geo_bounding_box": _crossing_box},
            {"geo_radius": {"center": {"lon": 0.0, "lat": 0.0}, "radius": 170_000.0}},
            {"geo_radius": {"center": {"lon": 180.0, "lat": 0.0}, "radius": 120_000.0}},
            {"geo_polygon": {"exterior": _square}},
            {"geo_polygon": {"exterior": _wide, "interiors": [_hole]}},
        ]
    ),
)


simple_conditions: dict[bool, st.SearchStrategy[dict[str, Any]]] = {
    inner: st.one_of(
        st.builds(lambda key, test: {"key": key, **test}, st.sampled_from(paths), tests),
        st.builds(lambda key, test: {"key": key, **test}, st.sampled_from(paths), tests),
        st.builds(
            lambda kind, key: {kind: {"key": key}}, st.sampled_from(["is_empty", "is_null"]), st.sampled_from(paths)
        ),
        st.builds(lambda ids: {"has_id": ids}, st.lists(st.integers(1, 8), max_size=3)),
        st.sampled_from([{"has_vector": ""}, {"has_vector": "other"}]),
        st.builds(
            lambda total, index: {"slice": {"total": total, "index": index % total}},
            st.integers(1, 3),
            st.integers(0, 2),
        ),
    )
    for inner, paths in {False: PATHS, True: INNER_PATHS}.items()
}


@st.composite
def conditions(draw: st.DrawFn, inner: bool, depth: int) -> dict[str, Any]:
    kind = draw(st.integers(0, 5)) if depth > 0 else 0
    if kind == 5:
        key = draw(st.sampled_from(["m", "x"] if inner else ["n", "n[]", "a", "n[].m"]))
        return {"nested": {"key": key, "filter": draw(filters(True, depth - 1))}}
    if kind == 4:
        return draw(filters(inner, depth - 1))
    return draw(simple_conditions[inner])


@st.composite
def filters(draw: st.DrawFn, inner: bool, depth: int) -> dict[str, Any]:
    """A filter in wire form, with at least one clause (an object without any is no condition).

    `min_should` has at least one condition: what the engine makes of none depends on its query plan.
    """
    names = draw(st.lists(st.sampled_from(["must", "should", "must_not", "min_should"]), min_size=1, max_size=2))
    filter: dict[str, Any] = {}
    for name in names:
        count = draw(st.integers(name == "min_should", 2))
        some = [draw(conditions(inner, depth)) for _ in range(count)]
        filter[name] = {"conditions": some, "min_count": draw(st.integers(1, 2))} if name == "min_should" else some
    return filter


text_matches = st.builds(
    lambda kind, text: {kind: text},
    st.sampled_from(["text", "text_any", "phrase"]),
    st.sampled_from([*WORDS, "rose is", "rose red", "is the", "RED", "unseen", "red unseen", "the", "os", "-", "é"]),
)
text_filters: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(
        lambda key, match: {"must": [{"key": key, "match": match}]}, st.sampled_from(["a", "n[].x"]), text_matches
    ),
    st.builds(
        lambda match: {"must": [{"nested": {"key": "n", "filter": {"must": [{"key": "x", "match": match}]}}}]},
        text_matches,
    ),
)
"""Text conditions on the fields `a` and `n[].x`."""

schemas: st.SearchStrategy[Any] = st.sampled_from(
    [
        "keyword",
        "integer",
        "float",
        "geo",
        "bool",
        "datetime",
        "uuid",
        "text",
        {"type": "text", "phrase_matching": True},
        {"type": "integer", "lookup": True, "range": False},
        {"type": "integer", "lookup": False, "range": True},
    ]
)
indexes: st.SearchStrategy[dict[str, Any]] = st.dictionaries(st.sampled_from(PATHS), schemas, max_size=4)
