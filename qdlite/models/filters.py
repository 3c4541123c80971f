"""How does a filter look on the wire? Clauses, conditions, and the tests of a field condition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from msgspec import field
from msgspec.structs import force_setattr

from qdlite.models import paths
from qdlite.models.base import WHOLE, Model, OneOf, Problem, UInt, UInt32
from qdlite.models.common import point_ids
from qdlite.models.decoding import expect
from qdlite.types import MAX_INT64, MIN_INT64, PointId


class PayloadField(Model, frozen=True, kw_only=True):
    key: str

    rules: ClassVar = {"key": paths.readable}


class GeoPoint(Model, frozen=True, kw_only=True):
    lon: float
    lat: float

    def __post_init__(self) -> None:
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90):
            raise ValueError(
                "Wrong format of GeoPoint payload: "
                f"expected `lat` = {self.lat} within [-90;90] and `lon` = {self.lon} within [-180;180]"
            )


class GeoBoundingBox(Model, frozen=True, kw_only=True):
    top_left: GeoPoint
    bottom_right: GeoPoint


class GeoRadius(Model, frozen=True, kw_only=True):
    center: GeoPoint
    radius: float
    """In metres."""


class GeoLineString(Model, frozen=True, kw_only=True):
    points: list[GeoPoint]

    def __post_init__(self) -> None:
        if len(self.points) < 4:
            raise ValueError(f"polygon invalid, the size must be at least 4, got {len(self.points)}")
        if self.points[0] != self.points[-1]:
            raise ValueError("polygon invalid, the first and the last points should be the same to form a closed line")


class GeoPolygon(Model, frozen=True, kw_only=True):
    exterior: GeoLineString
    interiors: list[GeoLineString] | None = None


class ValuesCount(Model, frozen=True, kw_only=True):
    lt: UInt | None = None
    gt: UInt | None = None
    gte: UInt | None = None
    lte: UInt | None = None


class Range(Model, frozen=True, kw_only=True):
    """Numeric bounds, or RFC 3339 date bounds; never mixed."""

    lt: float | str | None = None
    gt: float | str | None = None
    gte: float | str | None = None
    lte: float | str | None = None

    @property
    def bounds(self) -> tuple[float | str, ...]:
        """Those that are given."""
        return tuple([bound for bound in (self.lt, self.gt, self.gte, self.lte) if bound is not None])

    def __post_init__(self) -> None:
        if len(set(map(type, self.bounds))) > 1:
            raise ValueError("data did not match any variant of untagged enum RangeInterface")


def _is_uniform(values: list[Any]) -> bool:
    """Whether they are texts only, or integers of 64 bits only."""
    kinds = set(map(type, values))
    return kinds == {str} or (kinds == {int} and min(values) >= MIN_INT64 and max(values) <= MAX_INT64)


class Match(OneOf, frozen=True, kw_only=True):
    """One test of a value against given ones. An empty `any` or `except` list is a legal test."""

    value: bool | int | str | None = None
    text: str | None = None
    text_any: str | None = None
    phrase: str | None = None
    prefix: str | None = None
    substring: str | None = None
    any: list[int | str] | None = None
    except_: list[int | str] | None = field(default=None, name="except")

    variants: ClassVar = ("value", "text", "text_any", "phrase", "prefix", "substring", "any", "except_")
    expected: ClassVar = "data did not match any variant of untagged enum Match"

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.value) is int and not MIN_INT64 <= self.value <= MAX_INT64:
            raise ValueError("data did not match any variant of untagged enum ValueVariants")
        for values in (self.any, self.except_):
            if values and not _is_uniform(values):
                raise ValueError("data did not match any variant of untagged enum AnyVariants")


def _readable_dates(range: Range) -> None:
    """A rule for ranges: it finds nothing wrong, or raises MalformedBody."""
    bounds = range.bounds
    if bounds and isinstance(bounds[0], str):
        from qdlite.models.datetimes import parse_bound  # most filters have none

        for bound in bounds:
            parse_bound(str(bound))


class Slice(Model, frozen=True, kw_only=True):
    """The `index`-th of `total` hash slices of a collection."""

    total: UInt32
    index: UInt32

    def __post_init__(self) -> None:
        if self.total == 0:
            raise ValueError("invalid value: integer `0`, expected a nonzero u32")


class Nested(Model, frozen=True, kw_only=True):
    key: str
    filter: Filter

    rules: ClassVar = {"key": paths.readable}


class MinShould(Model, frozen=True, kw_only=True):
    conditions: list[Condition]
    min_count: UInt

    def problems(self) -> Iterator[Problem]:
        if self.min_count < 1:
            yield "min_count", "min_count must be greater than 0"


class Filter(Model, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Matches a point if all clauses that are present match."""

    should: Condition | list[Condition] | None = None
    min_should: MinShould | None = None
    must: Condition | list[Condition] | None = None
    must_not: Condition | list[Condition] | None = None

    def conditions(self) -> Iterator[Condition]:
        """All direct conditions of all clauses."""
        for clause in (self.must, self.should, self.must_not):
            yield from many(clause)
        if self.min_should is not None:
            yield from self.min_should.conditions


class Condition(OneOf, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test of a point. With `key` it is a field condition; without, one of the other forms or a filter.

    Field condition: `values_count`, `is_empty`, `is_null` take precedence in that order; other tests are OR-ed.
    """

    key: str | None = None
    match: Match | None = None
    range: Range | None = None
    geo_bounding_box: GeoBoundingBox | None = None
    geo_radius: GeoRadius | None = None
    geo_polygon: GeoPolygon | None = None
    values_count: ValuesCount | None = None
    is_empty: bool | PayloadField | None = None
    is_null: bool | PayloadField | None = None
    has_id: list[PointId] | None = None
    has_vector: str | None = None
    nested: Nested | None = None
    slice: Slice | None = None
    should: Condition | list[Condition] | None = None
    min_should: MinShould | None = None
    must: Condition | list[Condition] | None = None
    must_not: Condition | list[Condition] | None = None

    rules: ClassVar = {"key": paths.readable, "range": _readable_dates}
    variants: ClassVar[tuple[str, ...]] = ("key", "is_empty", "is_null", "has_id", "has_vector", "slice", "nested")
    field_tests: ClassVar = (
        "match", "range", "geo_bounding_box", "geo_radius", "geo_polygon", "values_count", "is_empty", "is_null",
    )  # fmt: skip
    expected: ClassVar = (
        "Expected some form of condition, which can be a field condition "
        '(like {"key": ..., "match": ... }), or some other mentioned in the documentation: '
        "https://qdrant.tech/documentation/concepts/filtering/#filtering-conditions"
    )

    def __post_init__(self) -> None:
        kind = self.kind
        if kind == "filter" and any(getattr(self, test) is not None for test in self.field_tests):
            raise ValueError(self.expected)
        flag = bool if kind == "key" else PayloadField
        for test in (self.is_empty, self.is_null):
            if test is not None and not isinstance(test, flag):
                raise ValueError(self.expected)
        if self.has_id is not None:
            force_setattr(self, "has_id", point_ids(self.has_id))

    @property
    def kind(self) -> str:
        """`key` (field condition), `is_empty`, `is_null`, `has_id`, `has_vector`, `slice`, `nested` or `filter`."""
        return super().kind or "filter"

    @property
    def filter(self) -> Filter:
        """The clauses of a condition that is itself a filter."""
        return Filter(should=self.should, min_should=self.min_should, must=self.must, must_not=self.must_not)

    def problems(self) -> Iterator[Problem]:
        if self.kind == "key" and not any(getattr(self, test) is not None for test in self.field_tests):
            yield WHOLE, "Validation error: At least one field condition must be specified [{}]"
        if self.slice is not None and self.slice.index >= self.slice.total and self.kind == "slice":
            yield WHOLE, "Validation error: Slice index must be less than the total number of slices [{}]"


def many(clause: Condition | list[Condition] | None) -> list[Condition]:
    """A clause as a list: Qdrant takes one condition in place of a list of one."""
    if clause is None:
        return []
    return clause if isinstance(clause, list) else [clause]


CLAUSES = frozenset({"must", "should", "must_not", "conditions"})
"""Fields that hold conditions."""

expect(CLAUSES, Condition.expected)
