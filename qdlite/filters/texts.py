"""Which rows contain the tokens of a text, as a full-text index sees them?"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np

from qdlite.models.filters import Match
from qdlite.payload.column import Column
from qdlite.payload.fulltext import TextIndex
from qdlite.payload.indexes import FieldIndex
from qdlite.types import BoolArray


def text_mask(index: FieldIndex, column: Column, match: Match, size: int) -> BoolArray:
    """Rows that match; the strings of a row are one text, but a phrase must stand in one of them."""
    return TESTS[match.kind](_Rows(index, column, size), getattr(match, match.kind))


def single_text_mask(index: FieldIndex, column: Column, match: Match, size: int) -> BoolArray:
    """Rows with one string that matches by itself."""
    strings = _Strings(index, column, size)
    return column.string_mask(TESTS[match.kind](strings, getattr(match, match.kind)), size)


class _Strings:
    """Masks of the strings of a column, by code."""

    def __init__(self, index: FieldIndex, column: Column, size: int) -> None:
        assert index.text_options is not None
        self.tokens: TextIndex = column.text_index(index.text_options)
        self.has_positions = index.enabled("phrase_matching", False)
        self._column = column
        self._size = size

    def containing(self, token: str) -> BoolArray:
        return self.tokens.containing(token)

    def phrase(self, text: str) -> BoolArray:
        return self.tokens.phrase(text)

    @property
    def none(self) -> BoolArray:
        return np.zeros(len(self.tokens), np.bool_)


class _Rows(_Strings):
    """Masks of the rows of a column."""

    def containing(self, token: str) -> BoolArray:
        return self._column.string_mask(super().containing(token), self._size)

    def phrase(self, text: str) -> BoolArray:
        return self._column.string_mask(super().phrase(text), self._size)

    @property
    def none(self) -> BoolArray:
        return np.zeros(self._size, np.bool_)


def _all_tokens(texts: _Strings, query: str) -> BoolArray:
    masks = [texts.containing(token) for token in texts.tokens.query_tokens(query)]
    return reduce(np.logical_and, masks) if masks else texts.none


def _any_token(texts: _Strings, query: str) -> BoolArray:
    return reduce(np.logical_or, map(texts.containing, texts.tokens.query_tokens(query)), texts.none)


def _phrase(texts: _Strings, query: str) -> BoolArray:
    return texts.phrase(query) if texts.has_positions else texts.none


TESTS: dict[str, Callable[[_Strings, str], BoolArray]] = {
    "text": _all_tokens,
    "text_any": _any_token,
    "phrase": _phrase,
}
