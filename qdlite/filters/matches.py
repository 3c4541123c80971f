"""Which rows have a value that matches? The semantics without a payload index."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from qdlite.models.filters import Match
from qdlite.payload.column import Column, Fact
from qdlite.payload.entries import Array
from qdlite.types import MAX_INT64, MIN_INT64, BoolArray


def match_mask(column: Column, match: Match, size: int) -> BoolArray:
    """The rows with an element that matches."""
    kind = match.kind
    return _MATCHES[kind](column, getattr(match, kind), size)


def value_mask(column: Column, value: bool | int | str, size: int) -> BoolArray:
    """Rows with exactly this value. An integer is no float, and no boolean."""
    return _VALUES[type(value)](column, value, size)


def any_mask(column: Column, values: list[int] | list[str], size: int) -> BoolArray:
    """Rows with one of these values."""
    if not values:
        return np.zeros(size, np.bool_)
    if isinstance(values[0], str):
        return column.string_mask(codes_mask(column, values), size)
    return column.integers.mask(np.isin(column.integers.values(), int64s(values)), size)


def except_mask(column: Column, values: list[int] | list[str], size: int) -> BoolArray:
    """Rows with an element that is neither null nor one of these values, whatever its type."""
    strings = codes_mask(column, [value for value in values if isinstance(value, str)])
    integers = np.isin(column.integers.values(), int64s(value for value in values if isinstance(value, int)))
    found = column.facts(Fact.OTHER, size)
    return found | column.string_mask(~strings, size) | column.integers.mask(~integers, size)


def prefix_mask(column: Column, prefix: str, size: int) -> BoolArray:
    """Rows with a string that starts so."""
    return column.string_mask(column.texts_where(lambda text: text.startswith(prefix)), size)


def substring_mask(column: Column, part: str, size: int) -> BoolArray:
    """Rows with a string that contains a text, case sensitive."""
    return column.string_mask(column.texts_where(lambda text: part in text), size)


def _words_mask(column: Column, words: str, size: int) -> BoolArray:
    """Rows with a string that contains one of the words, which are separated by white space."""
    parts = words.split()
    return column.string_mask(column.texts_where(lambda text: any(part in text for part in parts)), size)


def codes_mask(column: Column, values: Iterable[Any]) -> BoolArray:
    """Which codes belong to the given strings."""
    codes = [column.code(value) for value in values]
    wanted = np.zeros(len(column.texts), np.bool_)
    wanted[[code for code in codes if code is not None]] = True
    return wanted


def int64s(values: Iterable[Any]) -> Array:
    """Those integers that a column of integers can hold."""
    return np.array([value for value in values if MIN_INT64 <= value <= MAX_INT64], np.int64)


def _string_mask(column: Column, value: str, size: int) -> BoolArray:
    code = column.code(value)
    if code is None:
        return np.zeros(size, np.bool_)
    return column.strings.mask(column.strings.values() == code, size)


def _integer_mask(column: Column, value: int, size: int) -> BoolArray:
    return column.integers.mask(np.isin(column.integers.values(), int64s([value])), size)


def _boolean_mask(column: Column, value: bool, size: int) -> BoolArray:
    return column.facts(Fact.TRUE if value else Fact.FALSE, size)


_VALUES: dict[type, Callable[[Column, Any, int], BoolArray]] = {
    str: _string_mask,
    int: _integer_mask,
    bool: _boolean_mask,
}

# Text without a full-text index is searched as in Qdrant 1.19; 1.20 splits it into words.
_MATCHES: dict[str, Callable[[Column, Any, int], BoolArray]] = {
    "value": value_mask,
    "any": any_mask,
    "except_": except_mask,
    "text": substring_mask,
    "phrase": substring_mask,
    "text_any": _words_mask,
    "prefix": prefix_mask,
    "substring": substring_mask,
}
