"""What do field indexes tell of points: groups, variables of formulas, errors?"""

from __future__ import annotations

from typing import Any

import pytest
import qdrant_edge as edge
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import MalformedBody, WrongInput
from qdlite.payload.column import Column
from qdlite.payload.path import parse
from qdlite.payload.variables import ABSENT
from qdlite.text.options import TextOptions
from tests.filters.oracle import Oracle, against_engine
from tests.filters.stage import Stage


def test_groups() -> None:
    points: list[dict[str, Any]] = [
        {"g": "a"},
        {"g": ["a", "b", "a"]},
        {"g": 7},
        {"g": [7, "7"]},
        {"g": 1.5},
        {"g": ["a", None]},
        {"g": ["a", True]},
        {"g": {"a": 1}},
        {},
        {"g": []},
    ]
    found = Stage(points).fields.groups("g")
    members = [(int(offset), found.ids[code]) for offset, code in zip(found.offsets, found.codes, strict=True)]
    assert members == [(0, "a"), (1, "a"), (1, "b"), (2, 7), (3, "7"), (3, 7)]


def test_groups_of_unsigned_integers() -> None:
    """They go to 2^64, further than what a filter can match."""
    large = 2**63
    points: list[dict[str, Any]] = [
        {"g": large},
        {"g": [large, large + 1, "a", 5]},
        {"g": [large, 1.5]},
        {"g": [large, None]},
        {"g": 2**64 - 1},
        {"g": 2**64},
        {"g": 1e19},
        {"g": "a"},
        {"g": -(2**63)},
    ]
    stage = Stage(points)
    found = stage.fields.groups("g")
    members = {(int(offset), found.ids[code]) for offset, code in zip(found.offsets, found.codes, strict=True)}
    both = {(1, large), (1, large + 1), (1, "a"), (1, 5)}
    assert members == {(0, large), *both, (4, 2**64 - 1), (7, "a"), (8, -(2**63))}
    stage.upsert({1: {"g": "a"}})
    found = stage.fields.groups("g")
    assert {found.ids[code] for offset, code in zip(found.offsets, found.codes, strict=True) if offset == 0} == {"a"}


def test_groups_follow_changes() -> None:
    stage = Stage([{"g": "a"}, {"g": 1}])
    stage.fields.groups("g")
    stage.upsert({1: {"g": 1}, 2: {"g": "b"}})
    found = stage.fields.groups("g")
    assert [found.ids[code] for code in found.codes] == [1, "b"]


VALUES: list[dict[str, Any]] = [
    {"v": 1},
    {"v": [2.5]},
    {"v": [1, 2]},
    {"v": []},
    {},
    {"v": None},
    {"v": ["x", 3.0]},
    {"v": {"lon": 1, "lat": 2}},
    {"v": "2024-01-01"},
]


def test_variables_of_the_payload() -> None:
    found = Stage(VALUES).fields.variables("v", range(9))
    place = {"lon": 1, "lat": 2}
    assert found == [1, 2.5, [1, 2], ABSENT, ABSENT, None, ["x", 3.0], place, "2024-01-01"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("integer", [1, ABSENT, [1, 2], ABSENT, ABSENT, ABSENT, 3, ABSENT, ABSENT]),
        ("float", [1.0, 2.5, [1.0, 2.0], ABSENT, ABSENT, ABSENT, 3.0, ABSENT, ABSENT]),
        ("geo", [ABSENT] * 7 + [{"lon": 1.0, "lat": 2.0}, ABSENT]),
        ("datetime", [ABSENT] * 8 + ["2024-01-01"]),
        ("keyword", [ABSENT] * 6 + ["x", ABSENT, "2024-01-01"]),
    ],
)
def test_an_index_shows_variables_of_its_type_only(schema: str, expected: list[Any]) -> None:
    assert Stage(VALUES, {"v": schema}).fields.variables("v", range(9)) == expected


def test_elements_are_not_entered_twice() -> None:
    fields = Stage([{"v": [[1]]}, {"v": [[1], [2]]}]).fields
    assert fields.variables("v", [0, 1]) == [[1], [[1], [2]]]
    assert fields.variables("v[]", [0, 1]) == [[1], [[1], [2]]]


def test_refusals() -> None:
    fields = Stage([{"a": 1}], {"a": "keyword", "t": "text", "r": {"type": "integer", "range": False}}).fields
    for path in ("a", "b", "t", "r"):
        with pytest.raises(WrongInput, match=f"No range index for `order_by` key: `{path}`"):
            fields.order_values(path)
    for path in ("b", "t"):
        with pytest.raises(WrongInput, match=f"No appropriate index for faceting: `{path}`"):
            fields.facet(path, fields.masks.get("none") or Stage([{}]).alive)
    with pytest.raises(WrongInput, match="BM25 requires a text index on field b, which has none"):
        fields.text_scores("b", "x", 1.2, 0.75)
    with pytest.raises(WrongInput, match="BM25 requires a text index on field a, which is indexed as Keyword"):
        fields.text_scores("a", "x", 1.2, 0.75)
    with pytest.raises(WrongInput, match="The text index on `t` does not score"):
        fields.text_scores("t", "x", 1.2, 0.75)


def test_bad_index_parameters() -> None:
    stage = Stage([{}])
    with pytest.raises(MalformedBody, match="StopwordsInterface"):
        stage.create_index("t", {"type": "text", "stopwords": "klingon"})
    with pytest.raises(WrongInput, match=r"must be inside the elements of nested `n\[\]`, like `n\[\].price`"):
        stage.create_index("n.x", {"type": "keyword", "nested": "n"})
    with pytest.raises(WrongInput, match="must point to a single array level"):
        stage.create_index("n[].m[].x", {"type": "keyword", "nested": "n[].m"})
    assert stage.fields.schema() == {}


def test_schema_shows_parameters_as_given() -> None:
    stage = Stage([{"a": "x"}], {"a": {"type": "keyword", "is_tenant": True}, "b.c": "float"})
    info = stage.fields.schema()
    assert info["a"].params == {"type": "keyword", "is_tenant": True}
    assert info["a"].points == 1
    assert info["b.c"].data_type == "float"
    stage.create_index("a", "text")
    assert stage.fields.schema()["a"].data_type == "text"
    assert stage.fields.drop("a")
    assert not stage.fields.drop("a")


def test_a_text_is_split_once_however_many_points_have_it() -> None:
    column = Column(parse("t"))
    column.add(range(100), [{"t": "the same text"} for _ in range(100)])
    index = column.text_index(TextOptions())
    assert len(index) == 1
    column.add([100], [{"t": ["another", "the same text"]}])
    assert column.text_index(TextOptions()) is index
    assert len(index) == 2
    assert index.phrase("same text").tolist() == [True, False]
    assert index.phrase("text same").tolist() == [False, False]
    assert index.phrase("").tolist() == [False, False]


texts = st.lists(st.sampled_from(["red", "rose", "tree", "RED", "the"]), max_size=4).map(" ".join)
elements = st.fixed_dictionaries({}, optional={"x": st.one_of(texts, st.lists(texts, max_size=2), st.none())})
offers = st.lists(
    st.fixed_dictionaries({}, optional={"n": st.one_of(st.lists(elements, max_size=3), elements)}),
    min_size=1,
    max_size=8,
)
inner_tests = st.sampled_from(
    [
        {"is_empty": True},
        {"is_empty": False},
        {"is_null": True},
        {"is_null": False},
        {"values_count": {"lt": 1}},
        {"match": {"value": "red"}},
        {"match": {"except": ["red", ""]}},
        {"match": {"any": ["tree", "red"]}},
    ]
)
inner_text_tests = st.builds(
    lambda kind, text: {"match": {kind: text}}, st.sampled_from(["text", "text_any", "phrase"]), texts
)


@against_engine
@given(offers, st.lists(inner_tests, max_size=8), st.lists(inner_text_tests, max_size=8), texts)
def test_elements_as_entries_of_their_own(
    points: list[dict[str, Any]], tests: list[dict[str, Any]], text_tests: list[dict[str, Any]], query: str
) -> None:
    """Indexes with `nested` (Qdrant 1.20): conditions and text scores see each element by itself."""
    keyword = {"n[].x": {"type": "keyword", "nested": "n"}}
    text = {"n[].x": {"type": "text", "nested": "n[]", "phrase_matching": True, "scoring": True}}
    for fields, wanted in ((keyword, tests), (text, text_tests)):
        with Oracle(points, fields) as oracle:
            stage = Stage(points, fields)
            for test in wanted:
                outer = {"must": [{"key": "n[].x", **test}]}
                inner = {"must": [{"nested": {"key": "n", "filter": {"must": [{"key": "x", **test}]}}}]}
                assert stage.matching(outer) == oracle.matching(outer), outer
                assert stage.matching(inner) == oracle.matching(inner), inner
            if fields is text:
                hits = oracle.shard.query(edge.QueryRequest(limit=100, query=edge.TextQuery("n[].x", query)))
                offsets, scores = stage.fields.text_scores("n[].x", query, 1.2, 0.75)
                expected = sorted((hit.id, hit.score) for hit in hits)
                assert (offsets + 1).tolist() == [point_id for point_id, _ in expected]
                assert scores == pytest.approx([score for _, score in expected], rel=1e-5)
