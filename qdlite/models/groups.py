"""Which bodies ask for results in groups, and how are groups shown?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from qdlite.models import paths
from qdlite.models.base import Model, Problem, UInt, at_least
from qdlite.models.common import ShardKeys, WithPayload, WithVector
from qdlite.models.query import QueryCore, ScoredPoint
from qdlite.models.reads import Record


class WithLookup(Model, frozen=True, kw_only=True):
    collection: str
    with_payload: WithPayload | None = True
    with_vectors: WithVector | None = None
    with_vector: WithVector | None = None

    rules: ClassVar = {"with_payload": paths.readable}


def group_problems(limit: int | None, group_size: int | None) -> Iterator[Problem]:
    """What breaks a rule in the part of requests for groups that Qdrant calls `group_request`."""
    for name, number in (("group_size", group_size), ("limit", limit)):
        problem = None if number is None else at_least(1)(number)
        if problem:
            yield f"group_request.{name}", problem


class QueryGroupsRequest(QueryCore, frozen=True, kw_only=True):
    group_by: str
    group_size: UInt | None = None
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None
    with_vectors: WithVector | None = None
    with_lookup: str | WithLookup | None = None
    shard_key: ShardKeys | None = None

    rules: ClassVar = {"group_by": paths.readable, "with_payload": paths.readable}
    path_prefix: ClassVar = "search_group_request"

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from group_problems(self.limit, self.group_size)


class PointGroup(Model, frozen=True, kw_only=True):
    id: int | str
    hits: list[ScoredPoint]
    lookup: Record | None = None


class GroupsResult(Model, frozen=True, kw_only=True, omit_defaults=False):
    groups: list[PointGroup]
