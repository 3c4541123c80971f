"""How are groups shown, and which points of another collection do their ids name?"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from qdlite import queries
from qdlite.models.groups import GroupsResult, PointGroup, WithLookup
from qdlite.models.query import ScoredPoint
from qdlite.models.reads import PointRequest, Record
from qdlite.payload.uuids import canonical_uuid
from qdlite.queries.execute import Ranked
from qdlite.types import PointId

Retrieve = Callable[[str, PointRequest], list[Record]]
"""Gives records of a collection by its name."""


def shown(found: Iterable[queries.Group], hits: Callable[[Ranked], list[ScoredPoint]]) -> list[PointGroup]:
    """The groups of a query; `hits` shows the points of one."""
    return [PointGroup(id=group.id, hits=hits(group.hits)) for group in found]


def result(groups: list[PointGroup], wanted: str | WithLookup | None, retrieve: Retrieve) -> GroupsResult:
    """The answer, with the records that are to be looked up, where there are such."""
    return GroupsResult(groups=groups if wanted is None else _looked_up(groups, wanted, retrieve))


def _looked_up(groups: list[PointGroup], wanted: str | WithLookup, retrieve: Retrieve) -> list[PointGroup]:
    lookup = wanted if isinstance(wanted, WithLookup) else WithLookup(collection=wanted)
    ids = {group.id: point_id for group in groups if (point_id := _as_point_id(group.id)) is not None}
    with_vector = lookup.with_vectors if lookup.with_vectors is not None else lookup.with_vector
    request = PointRequest(
        ids=list(ids.values()), with_payload=lookup.with_payload or False, with_vector=with_vector or False
    )
    records = {record.id: record for record in retrieve(lookup.collection, request)}
    return [PointGroup(id=group.id, hits=group.hits, lookup=records.get(ids.get(group.id, -1))) for group in groups]


def _as_point_id(group_id: str | int) -> PointId | None:
    """The point that a group id names: by its number, or by its UUID as answers spell it. As in Qdrant, other texts
    name none, not even those that are numbers."""
    if isinstance(group_id, int):
        return group_id if group_id >= 0 else None
    return group_id if canonical_uuid(group_id) == group_id else None
