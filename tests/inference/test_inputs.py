"""Equality of inputs, which decides what is embedded once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import Timeout
from qdlite.inference.inputs import Call, InferenceInput

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=2), children, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=5))
def test_order_of_options_does_not_matter(options: dict[str, object]) -> None:
    backwards = dict(reversed(options.items()))
    assert InferenceInput("t", "text", "m", options) == InferenceInput("t", "text", "m", backwards)
    assert hash(InferenceInput("t", "text", "m", options)) == hash(InferenceInput("t", "text", "m", backwards))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (InferenceInput("t", "text", "m"), InferenceInput("t", "text", "m", {})),
        (InferenceInput("t", "text", "m"), InferenceInput("t", "image", "m")),
        (InferenceInput("t", "text", "m"), InferenceInput("t", "text", "M")),
        (InferenceInput("t", "text", "m"), InferenceInput("u", "text", "m")),
        (InferenceInput("t", "text", "m", {"a": 1}), InferenceInput("t", "text", "m", {"a": 1.0})),
        (InferenceInput("t", "text", "m", {"a": 1}), InferenceInput("t", "text", "m", {"a": True})),
        (InferenceInput(1, "object", "m"), InferenceInput(True, "object", "m")),
        (InferenceInput('"t"', "object", "m"), InferenceInput("t", "object", "m")),
    ],
)
def test_different_inputs(one: InferenceInput, other: InferenceInput) -> None:
    assert one != other
    assert one.key != other.key


def test_objects_compare_by_value() -> None:
    assert InferenceInput({"a": [1], "b": 2}, "object", "m") == InferenceInput({"b": 2, "a": [1]}, "object", "m")


def test_deadline() -> None:
    assert Call.start("search").remaining() is None
    assert Call.start("search").remaining(5) == 5
    left = Call.start("search", timeout=60).remaining()
    assert left is not None and 50 < left <= 60
    assert Call.start("search", timeout=60).remaining(1) == 1
    with pytest.raises(Timeout):
        Call("search", deadline=time.monotonic() - 1).remaining()


def test_header_names_are_lowered() -> None:
    assert Call.start("search", {"OpenAI-API-Key": "k"}).headers == {"openai-api-key": "k"}
