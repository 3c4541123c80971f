"""Which tests of a field condition does a payload index answer, and how does it differ from the payload?

An index knows only values of its own type: an integer index knows integral floats as integers, a UUID index every
spelling of a UUID, and `except` is about known values only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from qdlite.filters import geometry, matches, ranges, texts
from qdlite.models.filters import Condition, Match, Range
from qdlite.models.indexes import SchemaType
from qdlite.payload.column import Column, Fact
from qdlite.payload.entries import rows_mask
from qdlite.payload.indexes import (
    FieldIndex,
    datetime_values,
    integer_values,
    number_values,
)
from qdlite.payload.uuids import canonical_uuid
from qdlite.types import BoolArray

IndexTest = Callable[[FieldIndex, Column, Any, int], "BoolArray | None"]


def served_mask(condition: Condition, column: Column, index: FieldIndex, size: int) -> BoolArray | None:
    """The rows that match as far as the index can tell; None if it cannot answer at all."""
    for name, answers in _ANSWERS.items():
        test = getattr(condition, name)
        answer = answers.get(index.schema)
        if test is not None and answer is not None:
            found = answer(index, column, test, size)
            if found is not None:
                return found
    return None


def _keyword_match(index: FieldIndex, column: Column, match: Match, size: int) -> BoolArray | None:
    value = getattr(match, match.kind)
    if match.kind == "except_" and _are(value, str):
        return column.string_mask(~matches.codes_mask(column, value), size)
    return None


def _integer_match(index: FieldIndex, column: Column, match: Match, size: int) -> BoolArray | None:
    if not index.enabled("lookup", True):
        return None
    value = getattr(match, match.kind)
    wanted = [value] if match.kind == "value" else value
    if match.kind not in ("value", "any", "except_") or not wanted or not _are(wanted, int):
        return None
    found = integer_values(column)
    hits = np.isin(found.values, matches.int64s(wanted), invert=match.kind == "except_")
    return rows_mask(found.rows[hits], size)


def _uuid_match(index: FieldIndex, column: Column, match: Match, size: int) -> BoolArray | None:
    value = getattr(match, match.kind)
    wanted = [value] if match.kind == "value" else value
    if match.kind not in ("value", "any", "except_") or not _are(wanted, str):
        return None
    spelled = [canonical_uuid(text) for text in wanted]
    if None in spelled:
        return None
    known = column.uuids()
    excluded = set(spelled)
    chosen = (set(known) - excluded) if match.kind == "except_" else (set(known) & excluded)
    codes = np.zeros(len(column.texts), np.bool_)
    codes[[code for uuid in chosen for code in known[uuid or ""]]] = True
    return column.string_mask(codes, size)


def _text_match(index: FieldIndex, column: Column, match: Match, size: int) -> BoolArray | None:
    return texts.text_mask(index, column, match, size) if match.kind in texts.TESTS else None


def _are(values: list[Any], kind: type) -> bool:
    """Whether all values are of a type; a boolean is no integer."""
    return all(type(value) is kind for value in values)


def _integer_range(index: FieldIndex, column: Column, test: Range, size: int) -> BoolArray | None:
    if not index.enabled("range", True):
        return None
    return ranges.integer_index_mask(integer_values(column), test, size)


def _float_range(index: FieldIndex, column: Column, test: Range, size: int) -> BoolArray | None:
    return ranges.float_index_mask(number_values(column), test, size)


def _datetime_range(index: FieldIndex, column: Column, test: Range, size: int) -> BoolArray | None:
    return ranges.integer_index_mask(datetime_values(column), test, size)


def _is_empty(index: FieldIndex, column: Column, wanted: bool, size: int) -> BoolArray:
    filled = column.facts(Fact.FILLED, size)
    return ~filled if wanted else filled


def _is_null(index: FieldIndex, column: Column, wanted: bool, size: int) -> BoolArray:
    null = column.facts(Fact.NULL | Fact.NULL_INSIDE, size)
    return null if wanted else ~null


def _shape(kind: str) -> IndexTest:
    return lambda index, column, shape, size: geometry.places_mask(kind, column, shape, size, indexed=True)


_ALL: tuple[SchemaType, ...] = ("keyword", "integer", "float", "geo", "text", "bool", "datetime", "uuid")

_ANSWERS: dict[str, dict[SchemaType, IndexTest]] = {
    "match": {
        "keyword": _keyword_match,
        "integer": _integer_match,
        "uuid": _uuid_match,
        "text": _text_match,
    },
    "range": {
        "integer": _integer_range,
        "float": _float_range,
        "datetime": _datetime_range,
    },
    **{kind: {"geo": _shape(kind)} for kind in geometry.SHAPES},
    "is_empty": dict.fromkeys(_ALL, _is_empty),
    "is_null": dict.fromkeys(_ALL, _is_null),
}
"""By test and type of index; tests in the order in which an index is asked."""
