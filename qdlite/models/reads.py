"""Which bodies read points without ranking them, and what do they get? By id, page by page, counted, by value."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import force_setattr

from qdlite.models import paths
from qdlite.models.base import Model, UInt, at_least
from qdlite.models.common import ABSENT, ShardKeys, WithPayload, WithVector, point_id, point_ids
from qdlite.models.filters import Filter
from qdlite.types import PointId


class Record(Model, frozen=True, kw_only=True):
    """A stored point as read. `payload` and `vector` are JSON as stored, absent when not asked for."""

    id: PointId
    payload: Raw | UnsetType = UNSET
    vector: Raw | UnsetType = UNSET
    order_value: int | float | None = None


class PointRequest(Model, frozen=True, kw_only=True):
    ids: list[PointId]
    with_payload: WithPayload | None = None
    with_vector: WithVector = ABSENT
    with_vectors: WithVector = ABSENT
    shard_key: ShardKeys | None = None

    rules: ClassVar = {"with_payload": paths.readable}

    def __post_init__(self) -> None:
        force_setattr(self, "ids", point_ids(self.ids))


def _readable_date(given: float | str) -> None:
    """A rule for what may be a date: it finds nothing wrong, or raises MalformedBody."""
    if isinstance(given, str):
        from qdlite.models.datetimes import parse_bound  # few need it, and not for the first answer

        parse_bound(given)


class OrderBy(Model, frozen=True, kw_only=True):
    key: str
    direction: Literal["asc", "desc"] | None = None
    start_from: int | float | str | None = None

    rules: ClassVar = {"key": paths.readable, "start_from": _readable_date}


class ScrollRequest(Model, frozen=True, kw_only=True):
    offset: PointId | None = None
    limit: UInt | None = None
    filter: Filter | None = None
    with_payload: WithPayload | None = None
    with_vector: WithVector = ABSENT
    with_vectors: WithVector = ABSENT
    order_by: str | OrderBy | None = None
    shard_key: ShardKeys | None = None

    rules: ClassVar = {"limit": at_least(1), "order_by": paths.readable, "with_payload": paths.readable}
    path_prefix: ClassVar = "scroll_request"

    def __post_init__(self) -> None:
        if self.offset is not None:
            force_setattr(self, "offset", point_id(self.offset))


class ScrollResult(Struct, frozen=True, kw_only=True):
    points: list[Record]
    next_page_offset: PointId | None


class CountRequest(Model, frozen=True, kw_only=True):
    filter: Filter | None = None
    exact: bool = True
    shard_key: ShardKeys | None = None

    path_prefix: ClassVar = "count_request"


class FacetRequest(Model, frozen=True, kw_only=True):
    key: str
    limit: UInt | None = None
    filter: Filter | None = None
    exact: bool | None = None
    shard_key: ShardKeys | None = None

    rules: ClassVar = {"key": paths.readable, "limit": at_least(1)}
    path_prefix: ClassVar = "facet_request"


class FacetHit(Struct, frozen=True, kw_only=True):
    value: str | int | bool
    count: int
