"""How many points will a filter probably match? The estimate that decides what a write by filter costs.

Formulas of Qdrant's `query_estimator`: conditions count as independent of each other, a condition on a field without
an index as matching half of the points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
from msgspec.structs import replace

from qdlite.collection.limits.capabilities import needed_by, serves
from qdlite.collection.limits.filters import field_of, inner_filter, nested_path
from qdlite.collection.view import CollectionView
from qdlite.models.filters import Condition, Filter, PayloadField, many
from qdlite.payload.path import JsonPath


def estimated_count(clauses: Filter, view: CollectionView, outer: JsonPath | None = None) -> int:
    """Expected number of points; `outer` is the path of the array of a `nested` filter."""
    total = view.count
    if not total:
        return 0

    def estimates(clause: Condition | list[Condition] | None) -> list[int]:
        return [_estimate(one, view, outer) for one in many(clause)]

    parts: list[int] = []
    if clauses.must:
        parts.append(_all_of(estimates(clauses.must), total))
    if clauses.should:
        parts.append(_at_least(1, estimates(clauses.should), total))
    if clauses.min_should is not None:
        parts.append(_at_least(clauses.min_should.min_count, estimates(clauses.min_should.conditions), total))
    if clauses.must_not:
        parts.append(_all_of([max(0, total - one) for one in estimates(clauses.must_not)], total))
    return _all_of(parts, total)


def _all_of(estimates: Iterable[int], total: int) -> int:
    return _rounded(math.prod(one / total for one in estimates) * total)


def _at_least(count: int, estimates: list[int], total: int) -> int:
    """How many points meet at least `count` of the conditions. Above one condition this is the exact probability,
    where Qdrant counts points in several combinations as if the combinations were independent."""
    chances = np.ones(1)
    for one in estimates:
        hit = one / total
        chances = np.convolve(chances, [1 - hit, hit])
    return _rounded(float(chances[count:].sum()) * total)


def _rounded(number: float) -> int:
    return math.floor(number + 0.5)


def _estimate(condition: Condition, view: CollectionView, outer: JsonPath | None) -> int:
    inner = inner_filter(condition)
    if inner is not None:
        return estimated_count(inner, view, nested_path(condition, outer))
    return _BY_KIND.get(condition.kind, _by_field)(condition, view, outer)


def _by_field(condition: Condition, view: CollectionView, outer: JsonPath | None) -> int:
    """The exact number where an index knows it."""
    path = field_of(condition)
    if path is None:
        return view.count
    full = path if outer is None else outer.extend(path)
    if not serves(view.fields.indexes, full, needed_by(condition)):
        return view.count // 2
    return view.count_matching(Filter(must=[_moved(condition, str(full))]))


def _moved(condition: Condition, key: str) -> Condition:
    """The same condition on another field."""
    if condition.kind == "key":
        return replace(condition, key=key)
    return replace(condition, **{condition.kind: PayloadField(key=key)})


def _by_slice(condition: Condition, view: CollectionView, outer: JsonPath | None) -> int:
    return view.count // condition.slice.total if condition.slice is not None else view.count


def _by_id(condition: Condition, view: CollectionView, outer: JsonPath | None) -> int:
    return sum(view.offset_of(point_id) is not None for point_id in set(condition.has_id or ()))


def _by_vector(condition: Condition, view: CollectionView, outer: JsonPath | None) -> int:
    index = view.state.vectors.get(condition.has_vector or "")
    return 0 if index is None else index.count


_BY_KIND: dict[str, Callable[[Condition, CollectionView, JsonPath | None], int]] = {
    "has_id": _by_id,
    "has_vector": _by_vector,
    "slice": _by_slice,
}
