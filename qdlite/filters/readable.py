"""Can all of a filter be read? Its paths and dates are texts until a point is held against them."""

from __future__ import annotations

from qdlite.filters.ranges import is_datetime, micros_bounds
from qdlite.models.filters import Condition, Filter, PayloadField
from qdlite.payload.path import parse


def check_filter(filter: Filter | None) -> None:
    """Raises MalformedBody for paths and dates that cannot be read."""
    if filter is not None:
        for condition in filter.conditions():
            _check(condition)


def _check(condition: Condition) -> None:
    kind = condition.kind
    if kind == "filter":
        check_filter(condition.filter)
    elif condition.nested is not None and kind == "nested":
        parse(condition.nested.key)
        check_filter(condition.nested.filter)
    elif condition.key is not None:
        parse(condition.key)
        if condition.range is not None and is_datetime(condition.range):
            micros_bounds(condition.range)
    for field in (condition.is_empty, condition.is_null):
        if isinstance(field, PayloadField):
            parse(field.key)
