"""Strict mode refuses filters, formulas and groups without a fitting index, and filters that are too large.

Texts and rules: `operations/verification/` and `problems/unindexed_field.rs` below `lib/collection/src` in Qdrant.
"""

from __future__ import annotations

from typing import Any

import pytest

from qdlite.errors import QdliteError
from tests.collection.strict import (
    MATCH_INDEX,
    OTHER_FORMULA,
    POINTS,
    QUERY,
    Make,
    matching,
    no_index,
    point,
)

ALL_TYPES = (
    "bool, datetime, float, geo, integer, keyword, keyword (with prefix: true), text, "
    "text (with phrase_matching: true), uuid"
)
UUID = "550e8400-e29b-41d4-a716-446655440000"
CIRCLE = {"geo_radius": {"center": {"lon": 1, "lat": 1}, "radius": 5}}
CONDITIONS: list[tuple[dict[str, Any], str, list[Any], list[Any]]] = [
    ({"match": {"value": "a"}}, "keyword", ["keyword"], ["integer", "text", "uuid"]),
    ({"match": {"value": UUID}}, "keyword, uuid", ["keyword", "uuid"], ["text"]),
    ({"match": {"value": 5}}, "integer", ["integer"], ["float", {"type": "integer", "lookup": False, "range": True}]),
    ({"match": {"value": True}}, "bool", ["bool"], ["keyword", "integer"]),
    ({"match": {"any": ["a", UUID]}}, "keyword", ["keyword"], ["uuid"]),
    ({"match": {"any": [UUID]}}, "keyword, uuid", ["uuid"], ["bool"]),
    ({"match": {"except": [1, 2]}}, "integer", ["integer"], ["keyword"]),
    ({"match": {"text": "a"}}, "text", ["text", {"type": "text", "phrase_matching": True}], ["keyword"]),
    ({"match": {"text_any": "a b"}}, "text", ["text"], ["keyword"]),
    (
        {"match": {"phrase": "a b"}},
        "text (with phrase_matching: true)",
        [{"type": "text", "phrase_matching": True}],
        ["text"],
    ),
    ({"match": {"prefix": "a"}}, "keyword (with prefix: true)", [{"type": "keyword", "prefix": True}], ["keyword"]),
    (
        {"range": {"gt": 1}},
        "float, integer",
        ["float", "integer"],
        ["datetime", {"type": "integer", "lookup": True, "range": False}],
    ),
    ({"range": {"gt": "2020-01-01"}}, "datetime", ["datetime"], ["float", "keyword"]),
    (CIRCLE, "geo", ["geo"], ["float"]),
    ({"values_count": {"gt": 1}}, ALL_TYPES, ["keyword", "geo"], []),
    ({"is_empty": True}, ALL_TYPES, ["bool"], []),
    ({"is_null": True}, ALL_TYPES, ["datetime"], []),
    ({"match": {"value": "a"}, "range": {"gt": 1}}, "float, integer, keyword", ["keyword", "float"], ["geo"]),
]


@pytest.mark.parametrize(("condition", "types", "serve", "fail"), CONDITIONS)
def test_index_kinds(make: Make, condition: dict[str, Any], types: str, serve: list[Any], fail: list[Any]) -> None:
    strict = make(unindexed_filtering_retrieve=False, unindexed_filtering_update=False)
    request = {"filter": {"must": [{"key": "field", **condition}]}}
    text = no_index("field", types)
    assert strict.refusal("scroll", **request) == text
    for schema in fail:
        strict.call("create_field_index", field_name="field", field_schema=schema)
        assert strict.refusal("scroll", **request) == text
    for schema in serve:
        strict.call("create_field_index", field_name="field", field_schema=schema)
        strict.call("scroll", **request)


@pytest.mark.parametrize(
    ("condition", "key"),
    [
        ({"is_empty": {"key": "a.b"}}, "a.b"),
        ({"is_null": {"key": '"a".b[]'}}, "a.b[]"),
        ({"nested": {"key": "list", "filter": {"must": {"is_empty": {"key": "x"}}}}}, "list[].x"),
        (
            {"nested": {"key": "l[]", "filter": {"must": {"nested": {"key": "m", "filter": matching("x", 1)}}}}},
            "l[].m[].x",
        ),
        ({"must_not": [{"has_id": [1]}, {"should": {"key": "deep", "match": {"value": 1}}}]}, "deep"),
    ],
)
def test_keys_of_conditions(make: Make, condition: dict[str, Any], key: str) -> None:
    strict = make(unindexed_filtering_retrieve=False)
    types = ALL_TYPES if "is_" in str(condition) else "integer"
    assert strict.refusal("count", filter={"must": condition}) == no_index(key, types)
    strict.call("create_field_index", field_name=key, field_schema="integer")
    strict.call("count", filter={"must": condition})


@pytest.mark.parametrize(
    "condition",
    [
        {"has_id": [1, 2]},
        {"has_vector": ""},
        {"slice": {"total": 2, "index": 0}},
        {"key": "free", "match": {"any": []}},
        {"key": "free", "match": {"except": []}},
    ],
)
def test_conditions_that_need_no_index(make: Make, condition: dict[str, Any]) -> None:
    strict = make(unindexed_filtering_retrieve=False, unindexed_filtering_update=False)
    strict.call("count", filter={"must": condition})
    strict.call("delete", filter={"must": condition})


def test_of_several_unindexed_fields_the_first_is_named(make: Make) -> None:
    strict = make(unindexed_filtering_retrieve=False)
    clauses = {name: [{"key": name, "match": {"value": 1}}] for name in ("should", "must_not", "must")}
    at_least = {"conditions": [{"key": "fewest", "match": {"value": 1}}], "min_count": 1}
    for first in ("must", "must_not", "should", "fewest"):
        assert strict.refusal("count", filter={**clauses, "min_should": at_least}) == no_index(first, "integer")
        clauses.pop(first, None)


SPARSE = {"indices": [1], "values": [1]}
FILTER = {"filter": matching("n", 1)}
READS: list[tuple[str, dict[str, Any]]] = [
    ("query", FILTER),
    ("query", {"prefetch": {"query": QUERY, **FILTER}, "query": QUERY}),
    ("query_batch", {"searches": [{}, FILTER]}),
    ("query_groups", {"group_by": "word", **FILTER}),
    ("scroll", FILTER),
    ("count", FILTER),
    ("facet", {"key": "word", **FILTER}),
    ("matrix_pairs", FILTER),
    ("query", {"query": SPARSE, "using": "sparse", "params": {"idf": {"corpus": FILTER["filter"]}}}),
]
UPDATES: list[tuple[str, dict[str, Any]]] = [
    ("delete", FILTER),
    ("clear_payload", FILTER),
    ("delete_vectors", {"vector": ["multi"], **FILTER}),
    ("set_payload", {"payload": {"a": 1}, **FILTER}),
    ("set_payload", {"payload": {"a": 1}, "points": [1], **FILTER}),
    ("overwrite_payload", {"payload": {"a": 1}, **FILTER}),
    ("delete_payload", {"keys": ["a"], **FILTER}),
    ("batch_update", {"operations": [{"delete": {"points": [1]}}, {"delete": FILTER}]}),
]


@pytest.mark.parametrize(("name", "content"), READS)
def test_filters_of_reads(make: Make, name: str, content: dict[str, Any]) -> None:
    strict = make()
    strict.call("create_field_index", field_name="word", field_schema="keyword")
    strict.limit(unindexed_filtering_update=False)
    strict.call(name, **content)
    strict.limit(unindexed_filtering_retrieve=False)
    assert strict.refusal(name, **content) == no_index("n", "integer")
    strict.call("create_field_index", field_name="n", field_schema="integer")
    strict.call(name, **content)


@pytest.mark.parametrize(("name", "content"), UPDATES)
def test_filters_of_updates(make: Make, name: str, content: dict[str, Any]) -> None:
    strict = make(unindexed_filtering_update=False)
    before = strict.call("scroll", with_vector=True)
    assert strict.refusal(name, **content) == no_index("n", "integer")
    assert strict.call("scroll", with_vector=True) == before
    strict.limit(unindexed_filtering_update=True, unindexed_filtering_retrieve=False)
    strict.call(name, **content)


def test_update_filters_are_not_checked(make: Make) -> None:
    strict = make(unindexed_filtering_update=False, filter_max_conditions=0)
    strict.call("upsert", points=[point(1)], update_filter=matching("n", 1))
    strict.call("update_vectors", points=[{"id": 1, "vector": [1, 2]}], update_filter=matching("n", 1))


def test_a_selector_with_ids_has_no_filter(make: Make) -> None:
    strict = make(unindexed_filtering_update=False)
    strict.call("delete", points=[1], filter=matching("n", 2))
    assert strict.count() == POINTS - 1


CONDITION_COUNTS: list[tuple[dict[str, Any], int]] = [
    (matching("n", 1), 1),
    ({"must": {"has_id": [1]}, "should": [{"has_id": [1]}], "must_not": {"key": "n", "is_null": True}}, 3),
    ({"min_should": {"conditions": [{"has_id": [1]}] * 3, "min_count": 2}}, 3),
    ({"must": [{"must": [{"has_id": [1]}] * 2}, {"nested": {"key": "a", "filter": matching("b", 1)}}]}, 3),
    ({"must": [{"must": []}]}, 0),
]


@pytest.mark.parametrize(("condition", "count"), CONDITION_COUNTS)
def test_number_of_conditions(make: Make, condition: dict[str, Any], count: int) -> None:
    strict = make(filter_max_conditions=count)
    strict.call("count", filter=condition)
    strict.call("set_payload", payload={"a": 1}, filter=condition)
    if count:
        strict.limit(filter_max_conditions=count - 1)
        text = (
            f"Bad request: Filter condition limit reached ({count} > {count - 1}). "
            "Help: Reduce the amount of conditions of your filter."
        )
        assert strict.refusal("count", filter=condition) == text
        assert strict.refusal("set_payload", payload={"a": 1}, filter=condition) == text


@pytest.mark.parametrize(
    "condition",
    [
        {"has_id": [1, 2, 3]},
        {"key": "n", "match": {"any": [1, 2, 3]}},
        {"key": "n", "match": {"except": [1, 2, 3]}},
        {"key": "n", "match": {"any": [1, 2, 3, 3, 2]}},
        {"has_id": [1, 2, 3, 1]},
        {"nested": {"key": "a", "filter": {"must": {"key": "b", "match": {"any": ["x", "y", "z"]}}}}},
        {"should": [{"has_id": [1]}, {"has_id": [1, 2, 3]}]},
    ],
)
def test_size_of_conditions(make: Make, condition: dict[str, Any]) -> None:
    strict = make(condition_max_size=3)
    strict.call("scroll", filter={"must": condition})
    strict.limit(condition_max_size=2)
    text = "Bad request: Condition size limit reached (3 > 2). Help: Reduce the size of your condition."
    assert strict.refusal("scroll", filter={"must": condition}) == text
    assert strict.refusal("delete", filter={"must": condition}) == text
    strict.call("scroll", filter=matching("word", "a long text is no long list"))


# Formulas and groups


def formula(expression: Any) -> dict[str, Any]:
    return {"prefetch": {"query": QUERY}, "query": {"formula": expression}}


ORIGIN = {"lon": 1, "lat": 1}
EXPRESSIONS: list[tuple[Any, str, str, str]] = [
    ("x", "x", "float, integer", "float"),
    ({"sum": ["$score", {"mult": ["$score[0]", "x.y"]}]}, "x.y", "float, integer", "integer"),
    ({"div": {"left": 1, "right": {"neg": "x"}, "by_zero_default": 1}}, "x", "float, integer", "integer"),
    ({"pow": {"base": 2, "exponent": "x"}}, "x", "float, integer", "float"),
    ({"exp_decay": {"x": "x", "target": 3}}, "x", "float, integer", "float"),
    ({"gauss_decay": {"x": {"datetime_key": "x"}, "target": {"datetime": "2020-01-01"}}}, "x", "datetime", "datetime"),
    ({"geo_distance": {"origin": ORIGIN, "to": "x"}}, "x", "geo", "geo"),
    ({"key": "x", "match": {"value": "a"}}, "x", "keyword", "keyword"),
    ({"sum": [{"must": {"key": "x", "range": {"gt": 1}}}, 1]}, "x", "float, integer", "float"),
    ({"abs": {"sqrt": {"ln": {"log10": {"exp": "x"}}}}}, "x", "float, integer", "float"),
]


@pytest.mark.parametrize(("expression", "key", "types", "schema"), EXPRESSIONS)
def test_formulas(make: Make, expression: Any, key: str, types: str, schema: str) -> None:
    strict = make(unindexed_filtering_retrieve=False)
    text = no_index(key, types, OTHER_FORMULA)
    assert strict.refusal("query", **formula(expression)) == text
    assert strict.refusal("query", prefetch=formula(expression), query=QUERY) == text
    strict.call("create_field_index", field_name=key, field_schema=schema)
    try:
        strict.call("query", **formula({"mult": [0, expression]}))
    except QdliteError as error:  # The points have no such field, which is another matter.
        assert "Index required" not in str(error)


def test_formulas_over_scores_and_constants_need_no_index(make: Make) -> None:
    strict = make(unindexed_filtering_retrieve=False)
    assert strict.call("query", **formula({"sum": ["$score", 1, {"datetime": "2020-01-01"}, {"has_id": [1]}]})).points


def test_group_by(make: Make) -> None:
    strict = make(unindexed_filtering_retrieve=False)
    assert strict.refusal("query_groups", group_by="n") == (
        f'Bad request: Index required but not found for "n". Help: {MATCH_INDEX}'
    )
    for schema, shown in [
        ("geo", "Geo"),
        ("float", "Float"),
        ("datetime", "Datetime"),
        ({"type": "integer"}, "Integer"),
    ]:
        strict.call("create_field_index", field_name="n", field_schema=schema)
        assert strict.refusal("query_groups", group_by="n") == (
            f'Bad request: Index of type "{shown}" found for "n". Help: {MATCH_INDEX}'
        )
    for served in ("integer", {"type": "integer", "lookup": True, "range": False}):
        strict.call("create_field_index", field_name="n", field_schema=served)
        assert strict.call("query_groups", group_by="n").groups
