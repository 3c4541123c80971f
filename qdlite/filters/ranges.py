"""Which rows have a number or a date between bounds?"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from qdlite.models.datetimes import parse_bound
from qdlite.models.filters import Range
from qdlite.payload.column import Column
from qdlite.payload.entries import Array
from qdlite.payload.indexes import RowValues, datetime_values, number_values
from qdlite.types import MAX_INT64, MIN_INT64, BoolArray

COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt,
    "gt": operator.gt,
    "lte": operator.le,
    "gte": operator.ge,
}

Bounds = dict[str, "int | float"]


def range_mask(column: Column, test: Range, size: int) -> BoolArray:
    """Rows with a number in the range, or with a date in it if the bounds are dates. Raises MalformedBody."""
    if is_datetime(test):
        return _within(datetime_values(column), micros_bounds(test), size)
    return _within(number_values(column), number_bounds(test), size)


def integer_index_mask(found: RowValues, test: Range, size: int) -> BoolArray:
    """As an index over 64-bit integers sees the bounds: dates are microseconds, fractions are rounded."""
    bounds = micros_bounds(test) if is_datetime(test) else _whole_bounds(test)
    return _within(found, bounds, size)


def float_index_mask(found: RowValues, test: Range, size: int) -> BoolArray:
    """As an index over floats sees the bounds: dates are microseconds, those before 1970 far in the future."""
    if not is_datetime(test):
        return _within(found, number_bounds(test), size)
    bounds = {name: float(micros if micros >= 0 else micros + 2**128) for name, micros in micros_bounds(test).items()}
    return _within(found, bounds, size)


def is_datetime(test: Range) -> bool:
    """Whether the bounds are dates."""
    return any(isinstance(bound, str) for bound in _given(test).values())


def number_bounds(test: Range) -> Bounds:
    return {name: float(bound) for name, bound in _given(test).items()}


def micros_bounds(test: Range) -> Bounds:
    """Dates as microseconds since 1970. Raises MalformedBody."""
    return {name: parse_bound(bound) for name, bound in _given(test).items()}


def _whole_bounds(test: Range) -> Bounds:
    """Integers that leave the range the same for integers."""
    rounded = {"lt": math.ceil, "gte": math.ceil, "gt": math.floor, "lte": math.floor}
    return {name: _saturated(rounded[name], bound) for name, bound in number_bounds(test).items()}


def _saturated(rounded: Callable[[float], int], bound: float) -> int:
    if math.isinf(bound):
        return MAX_INT64 if bound > 0 else MIN_INT64
    return min(max(rounded(bound), MIN_INT64), MAX_INT64)


def _given(test: Range) -> dict[str, Any]:
    bounds = {name: getattr(test, name) for name in COMPARISONS}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _within(found: RowValues, bounds: Bounds, size: int) -> BoolArray:
    return found.mask(_inside(found.values, bounds), size)


def _inside(values: Array, bounds: Bounds) -> BoolArray:
    passed = [COMPARISONS[name](values, bound) for name, bound in bounds.items()]
    return reduce(np.logical_and, passed) if passed else np.ones(len(values), np.bool_)
