"""Is a filter small enough, and are the fields it asks for indexed?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from qdlite.collection.limits.capabilities import NAMES, Capability, Indexes, needed_by, serves
from qdlite.collection.limits.refusals import refusal
from qdlite.errors import BadRequest
from qdlite.models.collections import StrictModeConfig
from qdlite.models.filters import Condition, Filter, PayloadField, many
from qdlite.payload.path import JsonPath, parse

Unindexed = dict[JsonPath, list[Capability]]
"""Fields without a fitting index, with the capabilities of which one would do."""


def verify_filter(condition: Filter | None, indexed: bool, limits: StrictModeConfig, indexes: Indexes) -> None:
    """`indexed`: every field of the filter must have an index. Raises BadRequest."""
    if condition is None:
        return
    if indexed:
        verify_indexed(first_unindexed(condition, indexes), "Create an index for this key or use a different filter.")
    count = condition_count(condition)
    if limits.filter_max_conditions is not None and count > limits.filter_max_conditions:
        raise refusal(
            f"Filter condition limit reached ({count} > {limits.filter_max_conditions})",
            "Reduce the amount of conditions of your filter.",
        )
    size = condition_size(condition)
    if limits.condition_max_size is not None and size > limits.condition_max_size:
        raise refusal(
            f"Condition size limit reached ({size} > {limits.condition_max_size})",
            "Reduce the size of your condition.",
        )


def verify_read_filter(condition: Filter | None, limits: StrictModeConfig, indexes: Indexes) -> None:
    verify_filter(condition, limits.unindexed_filtering_retrieve is False, limits, indexes)


def verify_indexed(unindexed: Unindexed, remedy: str) -> None:
    """Raises BadRequest about the first of the unindexed fields."""
    for path, needed in unindexed.items():
        raise _not_indexed(path, needed, remedy)


def _not_indexed(path: JsonPath, needed: list[Capability], remedy: str) -> BadRequest:
    types = ", ".join(sorted({NAMES[capability] for capability in needed}))
    return refusal(f'Index required but not found for "{path}" of one of the following types: [{types}]', remedy)


def conditions(clauses: Filter) -> Iterator[Condition]:
    """The direct conditions, in the order in which Qdrant looks at them."""
    at_least = clauses.min_should.conditions if clauses.min_should is not None else []
    return chain(many(clauses.must), many(clauses.must_not), many(clauses.should), at_least)


def condition_count(clauses: Filter) -> int:
    """Number of conditions at all depths; filters within filters do not count themselves."""
    return sum(condition_count(inner) if (inner := inner_filter(one)) else 1 for one in conditions(clauses))


def condition_size(clauses: Filter) -> int:
    """Length of the longest list of values or ids in a condition, at any depth; what is in it twice counts once."""
    return max((_size(one) for one in conditions(clauses)), default=0)


def first_unindexed(clauses: Filter, indexes: Indexes) -> Unindexed:
    """Unindexed fields of the first direct condition that has any."""
    for one in conditions(clauses):
        found: Unindexed = {}
        add_unindexed(found, one, None, indexes)
        if found:
            return found
    return {}


def add_unindexed(found: Unindexed, condition: Condition, outer: JsonPath | None, indexes: Indexes) -> None:
    """Adds the unindexed fields of a condition. Fields within `nested` have the path `outer[].inner`."""
    inner = inner_filter(condition)
    if inner is not None:
        within = nested_path(condition, outer)
        for one in conditions(inner):
            add_unindexed(found, one, within, indexes)
        return
    path = field_of(condition)
    needed = [] if path is None else needed_by(condition)
    if path is not None and needed:
        path = path if outer is None else outer.extend(path)
        if not serves(indexes, path, needed):
            found.setdefault(path, []).extend(needed)


def inner_filter(condition: Condition) -> Filter | None:
    """The filter that a condition consists of, if it is `nested` or has clauses."""
    if condition.nested is not None:
        return condition.nested.filter
    return condition.filter if condition.kind == "filter" else None


def nested_path(condition: Condition, outer: JsonPath | None) -> JsonPath | None:
    """The path below which the conditions inside a condition are meant."""
    if condition.nested is None:
        return outer
    path = parse(condition.nested.key).array_key()
    return path if outer is None else outer.extend(path)


def field_of(condition: Condition) -> JsonPath | None:
    """The field that a condition on a single field tests; None for conditions that test no field."""
    key = _KEYS.get(condition.kind, _no_key)(condition)
    return None if key is None else parse(key)


def targeted_field(condition: Condition) -> JsonPath | None:
    """The field that decides whether a condition selects a tenant; of a filter the first one found."""
    if condition.kind != "filter":
        return nested_path(condition, None) if condition.nested is not None else field_of(condition)
    targets = (targeted_field(one) for one in conditions(condition.filter))
    return next((path for path in targets if path is not None), None)


def _size(condition: Condition) -> int:
    inner = inner_filter(condition)
    if inner is not None:
        return condition_size(inner)
    match = condition.match
    lists = (condition.has_id, match.any, match.except_) if match is not None else (condition.has_id,)
    return max((len(set(values)) for values in lists if values is not None), default=0)


def _no_key(condition: Condition) -> str | None:
    return None


def _key_of(field: bool | PayloadField | None) -> str | None:
    return field.key if isinstance(field, PayloadField) else None


_KEYS: dict[str, Callable[[Condition], str | None]] = {
    "key": lambda condition: condition.key,
    "is_empty": lambda condition: _key_of(condition.is_empty),
    "is_null": lambda condition: _key_of(condition.is_null),
}
