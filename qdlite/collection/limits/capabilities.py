"""Which payload index does a condition need? What each index can do, and what each condition asks for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, TypeAlias

from qdlite.models.filters import Condition, Match, Range
from qdlite.models.indexes import SchemaType
from qdlite.payload.indexes import FieldIndex
from qdlite.payload.path import JsonPath
from qdlite.payload.uuids import canonical_uuid

Capability: TypeAlias = Literal[
    "bool", "datetime", "float", "geo", "lookup", "range", "keyword", "prefix", "text", "phrase", "uuid"
]
"""`lookup` and `range` are those of integers, `prefix` is that of keywords, `phrase` that of texts."""

Indexes: TypeAlias = Mapping[JsonPath, FieldIndex]

NAMES: dict[Capability, str] = {
    "bool": "bool",
    "datetime": "datetime",
    "float": "float",
    "geo": "geo",
    "lookup": "integer",
    "range": "integer",
    "keyword": "keyword",
    "prefix": "keyword (with prefix: true)",
    "text": "text",
    "phrase": "text (with phrase_matching: true)",
    "uuid": "uuid",
}
"""What Qdrant calls an index with the capability."""

_PLAIN: dict[SchemaType, Capability] = {
    "bool": "bool",
    "datetime": "datetime",
    "float": "float",
    "geo": "geo",
    "keyword": "keyword",
    "text": "text",
    "uuid": "uuid",
}
_OPTIONAL: dict[SchemaType, tuple[tuple[Capability, str, bool], ...]] = {
    "integer": (("lookup", "lookup", True), ("range", "range", True)),
    "keyword": (("prefix", "prefix", False),),
    "text": (("phrase", "phrase_matching", False),),
}
"""Capabilities that depend on an option of the index, with the option's default."""

_MATCHABLE = ("keyword", "integer", "uuid", "bool")


def capabilities(index: FieldIndex) -> set[Capability]:
    """What an index can do."""
    found = {
        capability for capability, option, default in _OPTIONAL.get(index.schema, ()) if index.enabled(option, default)
    }
    return found | {_PLAIN[index.schema]} if index.schema in _PLAIN else found


def supports_match(index: FieldIndex) -> bool:
    """Whether points can be grouped by the field. As in Qdrant an integer index that was created with parameters
    counts only if these name `lookup`."""
    if index.schema == "integer" and index.params is not None:
        return index.params.lookup is True
    return index.schema in _MATCHABLE


def serves(indexes: Indexes, path: JsonPath, needed: Collection[Capability]) -> bool:
    """Whether the field has an index with one of the capabilities."""
    index = indexes.get(path)
    return index is not None and not capabilities(index).isdisjoint(needed)


def needed_by(condition: Condition) -> list[Capability]:
    """Capabilities of which a condition on a field needs one; empty if it needs no index."""
    if condition.kind in ("is_empty", "is_null"):
        return list(NAMES)
    needed: list[Capability] = []
    if condition.match is not None:
        needed += _by_match(condition.match)
    if condition.range is not None:
        needed += _by_range(condition.range)
    if condition.geo_bounding_box or condition.geo_radius or condition.geo_polygon:
        needed.append("geo")
    if not (condition.values_count is None and condition.is_empty is None and condition.is_null is None):
        needed += NAMES
    return needed


def _by_match(match: Match) -> list[Capability]:
    kind = match.kind
    return _BY_MATCH[kind](getattr(match, kind))


def _by_range(bounds: Range) -> list[Capability]:
    given = (bounds.lt, bounds.gt, bounds.gte, bounds.lte)
    return ["datetime"] if any(isinstance(bound, str) for bound in given) else ["float", "range"]


def _by_value(value: bool | int | str) -> list[Capability]:
    if isinstance(value, bool):
        return ["bool"]
    return _by_values([value])


def _by_values(values: list[int | str]) -> list[Capability]:
    """An empty list matches nothing (or, for `except`, excludes nothing) without any index."""
    if not values:
        return []
    if not isinstance(values[0], str):
        return ["lookup"]
    return ["uuid", "keyword"] if all(canonical_uuid(str(value)) for value in values) else ["keyword"]


_BY_MATCH: dict[str, Callable[[Any], list[Capability]]] = {
    "value": _by_value,
    "any": _by_values,
    "except_": _by_values,
    "text": lambda _: ["text"],
    "text_any": lambda _: ["text"],
    "phrase": lambda _: ["phrase"],
    "prefix": lambda _: ["prefix"],
    # Newer than the published sources; the API's documentation names the same index as for a prefix.
    "substring": lambda _: ["prefix"],
}
