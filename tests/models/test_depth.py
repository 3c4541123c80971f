"""Is what is nested too deep found, wherever it is, and nothing else? serde_json reads 127 levels, not 128."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.models.depth import DEEPEST, first_beyond


def nested(levels: int) -> str:
    """Objects and lists in turn, around nothing."""
    opening = ("[" if level % 2 else '{"a":' for level in range(levels - 1))
    closing = ("]" if level % 2 else "}" for level in reversed(range(levels - 1)))
    return "".join(opening) + "[]" + "".join(closing)


@pytest.mark.parametrize("around", ["{}", '{{"text":"{{[\\"[", "many": [[[], []], {{}}, []], "deep": {}}}'])
@pytest.mark.parametrize("beside", ["", '"[[", "{{", "]", "\\"{", ', "[[]], [{}, []], " * 100])
def test_the_first_level_beyond(around: str, beside: str) -> None:
    levels = DEEPEST - (1 if beside else 0) - (0 if around == "{}" else 1)
    inner = nested(levels)
    text = around.format(f"[{beside}{inner}]" if beside else inner)
    assert json.loads(text) is not None
    assert first_beyond(text.encode()) is None
    deeper = text.replace("[]" + inner.partition("[]")[2], "[[]]" + inner.partition("[]")[2], 1)
    place = first_beyond(deeper.encode())
    assert place is not None
    assert deeper[place - 1 : place + 3] == "[[]]"


@given(st.recursive(st.text('[]{}"\\a'), lambda inner: st.lists(inner) | st.dictionaries(st.text("]}"), inner)))
def test_ordinary_texts_are_not_too_deep(value: Any) -> None:
    assert first_beyond(json.dumps([value] * 100).encode()) is None
