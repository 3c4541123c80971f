"""Which small shapes do all requests and answers share? Ids, selectors, usage."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Protocol
from uuid import UUID

from qdlite.lazily import pattern
from qdlite.models import paths
from qdlite.models.base import Model, OneOf, UInt
from qdlite.models.decoding import expect
from qdlite.types import Json, PointId

_HYPHENATED = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CANONICAL_UUID = pattern(_HYPHENATED)
_UUID_FORMS = pattern(
    rf"([0-9a-f]{{32}})|({_HYPHENATED})|\{{({_HYPHENATED})\}}|urn:uuid:({_HYPHENATED})", re.ASCII | re.IGNORECASE
)
MAX_NUMERIC_ID = 2**64 - 1


def point_id(value: int | str) -> PointId:
    """The canonical form of a wire id: an unsigned 64-bit number, or a UUID as lower-case hyphenated text.

    Takes UUIDs as 32 hex digits or hyphenated, the latter also as a URN or in braces, in any case. Raises ValueError
    otherwise.
    """
    if isinstance(value, int):
        if 0 <= value <= MAX_NUMERIC_ID:
            return value
    elif _CANONICAL_UUID().fullmatch(value):
        return value
    elif found := _UUID_FORMS().fullmatch(value):
        return str(UUID(found[found.lastindex or 0]))
    raise ValueError(f"value {value} is not a valid point ID, valid values are either an unsigned integer or a UUID")


def point_ids(values: list[PointId]) -> list[PointId]:
    """The canonical form of each."""
    if len(values) == 1:
        [value] = values
        return [value if type(value) is int and 0 <= value <= MAX_NUMERIC_ID else point_id(value)]
    if set(map(type, values)) == {int} and min(values) >= 0 and max(values) <= MAX_NUMERIC_ID:  # type: ignore[operator]
        return values.copy()
    return [point_id(value) for value in values]


class PayloadSelector(OneOf, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Paths to keep, or paths to leave out."""

    include: list[str] | None = None
    exclude: list[str] | None = None

    rules: ClassVar = {"include": paths.readable, "exclude": paths.readable}
    variants: ClassVar = ("include", "exclude")
    expected: ClassVar = "Expected a boolean, an array of strings, or an object with an include/exclude field"
    exclusive: ClassVar = True


expect(("with_payload",), PayloadSelector.expected)

ABSENT: Any = None
"""The default of fields that may be absent but not null, as few are."""

WithPayload = bool | list[str] | PayloadSelector
WithVector = bool | list[str]


class _ShowsVectors(Protocol):
    @property
    def with_vector(self) -> WithVector | None: ...

    @property
    def with_vectors(self) -> WithVector | None: ...


def wanted_vectors(body: _ShowsVectors) -> WithVector | None:
    """Which vectors to show: requests may say it under either name."""
    return body.with_vectors if body.with_vector is None else body.with_vector


ShardKey = UInt | str


class ShardKeySelector(Model, frozen=True, kw_only=True):
    target: ShardKey
    fallback: ShardKey


ShardKeys = ShardKey | list[ShardKey] | ShardKeySelector


class ModelUsage(Model, frozen=True, kw_only=True):
    tokens: int


class InferenceUsage(Model, frozen=True, kw_only=True):
    models: dict[str, ModelUsage]


class Usage(Model, frozen=True, kw_only=True):
    inference: InferenceUsage | None = None


JsonObject = dict[str, Json]
