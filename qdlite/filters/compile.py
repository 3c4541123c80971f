"""Which points match a filter? Clauses become boolean algebra on masks, conditions are looked up by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce

import numpy as np

from qdlite.filters.field import field_mask, is_empty_mask, is_null_mask
from qdlite.filters.scope import Scope
from qdlite.filters.slices import slice_mask
from qdlite.filters.view import FilterView
from qdlite.models.decoding import encode
from qdlite.models.filters import Condition, Filter, many
from qdlite.payload.path import parse
from qdlite.types import BoolArray

ConditionBuilder = Callable[[Condition, Scope], BoolArray]


def mask(filter: Filter | None, view: FilterView) -> BoolArray:
    """Which offsets hold points that match; read-only, of length `view.capacity`. None matches every point.

    Raises MalformedBody for paths and dates that cannot be read.
    """
    if filter is None:
        return _matching(None, view)
    fields = view.fields
    key = (encode(filter), view.version, fields.generation, view.capacity)
    known = fields.masks.get(key)
    if known is None:
        known = _matching(filter, view)
        fields.masks.put(key, known)
    return known


def _matching(filter: Filter | None, view: FilterView) -> BoolArray:
    scope = Scope.points(view)
    found = scope.fitted(view.alive)
    if filter is not None:
        found = found & evaluate(filter, scope)
    found = found[: view.capacity]
    if found.base is not None:
        found = found.copy()
    found.setflags(write=False)
    return found


def evaluate(filter: Filter, scope: Scope) -> BoolArray:
    """The rows of a scope that match all clauses, whether they are in use or not."""
    clauses = [_test(condition, scope) for condition in many(filter.must)]
    clauses += [~_test(condition, scope) for condition in many(filter.must_not)]
    should = many(filter.should)
    # An empty list is no constraint, except inside nested conditions, as in Qdrant.
    if should or (filter.should is not None and scope.prefix is not None):
        clauses.append(_any((_test(condition, scope) for condition in should), scope))
    if filter.min_should is not None:
        clauses.append(_at_least(filter.min_should.min_count, filter.min_should.conditions, scope))
    if not clauses:
        return ~scope.none
    return reduce(np.logical_and, clauses)


def _test(condition: Condition, scope: Scope) -> BoolArray:
    return BUILDERS[condition.kind](condition, scope)


def _any(masks: Iterable[BoolArray], scope: Scope) -> BoolArray:
    return reduce(np.logical_or, masks, scope.none)


def _at_least(count: int, conditions: list[Condition], scope: Scope) -> BoolArray:
    matching = np.zeros(scope.size, np.int64)
    for condition in conditions:
        matching += _test(condition, scope)
    return matching >= count


def _nested(condition: Condition, scope: Scope) -> BoolArray:
    assert condition.nested is not None
    path = parse(condition.nested.key).array_key()
    return scope.project(path, evaluate(condition.nested.filter, scope.nested(path)))


def _has_id(condition: Condition, scope: Scope) -> BoolArray:
    found = np.zeros(scope.size, np.bool_)
    if scope.view is not None:
        offsets = [scope.view.offset_of(point_id) for point_id in condition.has_id or ()]
        found[[offset for offset in offsets if offset is not None]] = True
    return found


def _has_vector(condition: Condition, scope: Scope) -> BoolArray:
    assert condition.has_vector is not None
    present = None if scope.view is None else scope.view.vector_present(condition.has_vector)
    return scope.none if present is None else scope.fitted(present)


def _slice(condition: Condition, scope: Scope) -> BoolArray:
    assert condition.slice is not None
    if scope.view is None:
        return scope.none
    return scope.fitted(slice_mask(scope.view.all_ids(), condition.slice))


BUILDERS: dict[str, ConditionBuilder] = {
    "key": field_mask,
    "is_empty": is_empty_mask,
    "is_null": is_null_mask,
    "has_id": _has_id,
    "has_vector": _has_vector,
    "slice": _slice,
    "nested": _nested,
    "filter": lambda condition, scope: evaluate(condition.filter, scope),
}
