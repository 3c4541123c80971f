"""Which rows pass the tests of a field condition? From payload values, or as a payload index sees them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import numpy as np

from qdlite.filters import geometry, indexed, matches, ranges, texts
from qdlite.filters.scope import Scope
from qdlite.models.filters import Condition, PayloadField, ValuesCount
from qdlite.payload.column import Column, Fact
from qdlite.payload.indexes import FieldIndex
from qdlite.payload.path import JsonPath, parse
from qdlite.types import BoolArray


def field_mask(condition: Condition, scope: Scope) -> BoolArray:
    """The rows on which a condition with a `key` is true."""
    assert condition.key is not None
    path = parse(condition.key)
    index = scope.index(path)
    if index is not None:
        return _as_indexed(condition, path, index, scope)
    if scope.prefix is not None and condition.match is not None:
        # The one thing for which elements of nested arrays consult an index.
        text_index = scope.text_index(path)
        if text_index is not None and condition.match.kind in texts.TESTS:
            return texts.single_text_mask(text_index, scope.column(path), condition.match, scope.size)
    return _as_stored(condition, scope.column(path), scope.size)


def is_empty_mask(condition: Condition, scope: Scope) -> BoolArray:
    """The condition `{"is_empty": {"key"}}`: all values are null or empty arrays, or there are none."""
    assert isinstance(condition.is_empty, PayloadField)
    path = parse(condition.is_empty.key)
    index = scope.index(path)
    if index is not None:
        return _as_indexed(Condition(key=condition.is_empty.key, is_empty=True), path, index, scope)
    return ~scope.column(path).facts(Fact.FILLED, scope.size)


def is_null_mask(condition: Condition, scope: Scope) -> BoolArray:
    """The condition `{"is_null": {"key"}}`: some value is null, or an array with a null in it.

    Qdrant 1.19 looks into arrays only where the field has an index; newer ones always do.
    """
    assert isinstance(condition.is_null, PayloadField)
    return field_mask(Condition(key=condition.is_null.key, is_null=True), scope)


def _as_indexed(condition: Condition, path: JsonPath, index: FieldIndex, scope: Scope) -> BoolArray:
    """What the index can answer, it answers alone; the rest is left to the payload."""
    inner = None if index.nested is None else path.strip_prefix(index.nested)
    if index.nested is None or inner is None:
        served = indexed.served_mask(condition, scope.column(path), index, scope.size)
    else:
        elements = scope.nested(index.nested)
        found = indexed.served_mask(condition, elements.column(inner), index, elements.size)
        served = None if found is None else scope.project(index.nested, found)
    return _as_stored(condition, scope.column(path), scope.size) if served is None else served


def _as_stored(condition: Condition, column: Column, size: int) -> BoolArray:
    for name, whole in _WHOLE_VALUE_TESTS.items():
        test = getattr(condition, name)
        if test is not None:
            return whole(test, column, size)
    given = [(test, getattr(condition, name)) for name, test in _ELEMENT_TESTS.items()]
    masks = [test(column, value, size) for test, value in given if value is not None]
    return reduce(np.logical_or, masks, np.zeros(size, np.bool_))


def _values_count(test: ValuesCount, column: Column, size: int) -> BoolArray:
    """Arrays count their elements, null and missing values as none, anything else as one."""
    found = column.lengths.mask(_count_passes(test, column.lengths.values()), size)
    if _count_passes(test, 1):
        found |= column.facts(Fact.ONE, size)
    if _count_passes(test, 0):
        found |= column.facts(Fact.NONE, size) | ~column.facts(Fact.PRESENT, size)
    return found


def _count_passes(test: ValuesCount, count: Any) -> Any:
    passes = np.ones(np.shape(count), np.bool_)
    for name, compare in ranges.COMPARISONS.items():
        bound = getattr(test, name)
        if bound is not None:
            passes &= compare(count, min(bound, 2**62))
    return passes


def _is_empty(wanted: Any, column: Column, size: int) -> BoolArray:
    if wanted:
        return column.facts(Fact.NONE, size) | ~column.facts(Fact.PRESENT, size)
    return column.facts(Fact.FILLED, size)


def _is_null(wanted: Any, column: Column, size: int) -> BoolArray:
    if wanted:
        return column.facts(Fact.NULL | Fact.NULL_INSIDE, size)
    return column.facts(Fact.NOT_NULL, size) | ~column.facts(Fact.PRESENT, size)


_WHOLE_VALUE_TESTS: dict[str, Callable[[Any, Column, int], BoolArray]] = {
    "values_count": _values_count,
    "is_empty": _is_empty,
    "is_null": _is_null,
}
"""Tests of values as they stand at the path, the first one given counts."""

_ELEMENT_TESTS: dict[str, Callable[[Column, Any, int], BoolArray]] = {
    "match": matches.match_mask,
    "range": ranges.range_mask,
    **{kind: partial(geometry.places_mask, kind) for kind in geometry.SHAPES},
}
"""Tests of values, and of the elements of values that are arrays; one passed is enough."""
