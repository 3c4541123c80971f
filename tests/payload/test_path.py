"""Which values does a path name, and what do merging, deleting and selecting leave behind?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import MalformedBody
from qdlite.models.common import PayloadSelector
from qdlite.models.decoding import encode
from qdlite.models.payloads import payload_object
from qdlite.payload.path import JsonPath, delete, merge_at, parse, select, selection


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("foo[1][50].bar-baz[].\"qux[.]quux\"", ("foo", 1, 50, "bar-baz", None, "qux[.]quux")),
        ('"a.b".c', ("a.b", "c")),
        ('""', ("",)),
        ("Müsli_2-3", ("Müsli_2-3",)),
        ("名前", ("名前",)),
        ("a[007]", ("a", 7)),
    ],
)  # fmt: skip
def test_parse(text: str, steps: tuple[Any, ...]) -> None:
    path = parse(text)
    assert path.steps == steps
    assert parse(str(path)) == path


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "[]", "a b", "a..b", "a[-1]", "a[x]", 'a"b"', '"a', "a[1", "$x", "a]"]
)
def test_bad_paths(text: str) -> None:
    with pytest.raises(MalformedBody) as raised:
        parse(text)
    assert f"Invalid json path: '{text}'" in str(raised.value)


@given(st.lists(st.one_of(st.text(st.characters(exclude_characters='"\\'), max_size=3), st.integers(0, 99), st.none())))
def test_paths_survive_being_written(rest: list[str | int | None]) -> None:
    path = JsonPath(("a", *rest))
    assert parse(str(path)) == path


PAYLOAD: dict[str, Any] = {
    "a": {"b": [{"c": 1}, {"c": 2}, {"d": {"e": 3}}], "x": None},
    "f": 3,
    "g": ["g0", ["g1"], None],
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("f", [3]),
        ("g", [["g0", ["g1"], None]]),
        ("g[]", ["g0", ["g1"], None]),
        ("g[1]", [["g1"]]),
        ("g[1][]", ["g1"]),
        ("g[][]", ["g1"]),
        ("g[7]", []),
        ("a.b[].c", [1, 2]),
        ("a.b.c", []),
        ("a.b[1].c", [2]),
        ("a.x", [None]),
        ("a.y", []),
        ("f.x", []),
        ("f[]", []),
    ],
)
def test_values(path: str, values: list[Any]) -> None:
    assert parse(path).values(PAYLOAD) == values


@pytest.mark.parametrize(
    ("path", "payload", "expected"),
    [
        (None, {"a": 1, "b": 2}, {"a": 1, "x": 5}),
        ("a", {"a": {"b": 1}}, {"a": {"b": None, "x": 5}}),
        ("a.b[1]", {"a": {"b": [{"c": 1}, {"c": 2}]}}, {"a": {"b": [{"c": 1}, {"c": 2, "x": 5}]}}),
        ("a.b[]", {"a": {"b": [{"c": 1}, 7]}}, {"a": {"b": [{"c": 1, "x": 5}, {"x": 5}]}}),
        ("k.l", {}, {"k": {"l": {"x": 5}}}),
        ("k.l[3]", {}, {"k": {"l": []}}),
        ("k.l[0]", {"k": {"l": 4}}, {"k": {"l": []}}),
        ("k.l[].m", {}, {"k": {"l": []}}),
        ("a.b.c", {"a": 10}, {"a": {"b": {"c": {"x": 5}}}}),
    ],
)
def test_merge(path: str | None, payload: dict[str, Any], expected: dict[str, Any]) -> None:
    found = merge_at(payload, parse(path) if path else None, {"x": 5, "b": None})
    if path == "a":
        expected = {"a": {"x": 5}}
    assert found == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b[0]", {"a": {"b": [1, {"c": 2, "d": 3}]}}),
        ("a.b[]", {"a": {"b": []}}),
        ("a.b[].c", {"a": {"b": [1, {"d": 3}]}}),
        ("a.b[1].c", {"a": {"b": [1, {"d": 3}]}}),
        ("a.b", {"a": {}}),
        ("a", {}),
        ("a.c", {"a": {"b": [1, {"c": 2, "d": 3}]}}),
        ("x.y", {"a": {"b": [1, {"c": 2, "d": 3}]}}),
    ],
)
def test_delete(path: str, expected: dict[str, Any]) -> None:
    assert delete({"a": {"b": [1, {"c": 2, "d": 3}]}}, parse(path)) == expected


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (PayloadSelector(include=["f"]), {"f": 3}),
        (PayloadSelector(include=["nothing"]), {}),
        (PayloadSelector(include=[]), {}),
        (PayloadSelector(include=["a.b[].c", "f"]), {"a": {"b": [{"c": 1}, {"c": 2}, {}]}, "f": 3}),
        (PayloadSelector(include=["a.b.c"]), {"a": {"b": []}}),
        (PayloadSelector(include=["a.b[0].c"]), {"a": {"b": []}}),
        (PayloadSelector(include=["f.deeper"]), {"f": 3}),
        (PayloadSelector(exclude=["a", "g"]), {"f": 3}),
        (PayloadSelector(exclude=[]), PAYLOAD),
        (PayloadSelector(exclude=["a.b", "g[]"]), {"a": {"x": None}, "f": 3, "g": []}),
        (PayloadSelector(exclude=["a.b[].c", "a.x", "g"]), {"a": {"b": [{}, {}, {"d": {"e": 3}}]}, "f": 3}),
        (PayloadSelector(exclude=["a.b[0].c", "g"]), {"a": PAYLOAD["a"], "f": 3}),
    ],
)
def test_select(selector: PayloadSelector, expected: dict[str, Any]) -> None:
    assert select(PAYLOAD, selector) == expected
    assert payload_object(selection(selector)(encode(PAYLOAD))) == expected


def test_selecting_top_level_keys_keeps_bytes() -> None:
    raw = b'{"big": 123456789012345678901234567890, "x": 1.50, "gone": 1}'
    assert selection(PayloadSelector(include=["big", "x"]))(raw) == b'{"big":123456789012345678901234567890,"x":1.50}'
    assert selection(PayloadSelector(exclude=["gone", "x"]))(raw) == b'{"big":123456789012345678901234567890}'


def test_prefixes() -> None:
    path = parse("a.b[].c.d")
    assert path.strip_prefix(parse("a.b[]")) == parse("c.d")
    assert path.strip_prefix(parse("a.b")) is None
    assert path.strip_prefix(path) is None
    assert path.strip_prefix(parse("a.x")) is None
    assert parse("a.b").array_key() == parse("a.b[]") == parse("a.b[]").array_key()
    assert parse("a[]").extend(parse("b.c")) == parse("a[].b.c")
