"""How are results grouped by a payload field? Groups in the order of their best hits, hits in the order of the query.

The query is asked repeatedly, each time only for points that can still matter: first for those outside of the groups
found so far, until there are enough groups, then for those inside the groups that are not full. For a query without
prefetches the result is exact; with prefetches each round widens what these see, as in Qdrant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from qdlite.models.groups import QueryGroupsRequest
from qdlite.queries.examples import Lookup, Resolve
from qdlite.queries.execute import Ranked, run
from qdlite.queries.plan import group_limit, group_size, plan_groups
from qdlite.queries.steps import ByField, ById, Nearest, Step
from qdlite.queries.view import PointView
from qdlite.types import BoolArray, OffsetArray
from qdlite.vectors.distance import descending

_GROWTH = 4
"""Each round asks for so many times more points than the one before."""


class Group(Struct, frozen=True):
    """Points that share a value of the field: `id`, and its best points, best first."""

    id: str | int
    hits: Ranked


def query_groups(request: QueryGroupsRequest, view: PointView, resolve: Resolve, lookup: Lookup) -> list[Group]:
    """The groups of a query, at most `limit` with at most `group_size` hits. Points without a group are left out.

    Raises what `plan` and `execute` raise.
    """
    step = plan_groups(request, view, resolve, lookup)
    members = Members.of(view, request.group_by)
    if not step.limit:
        return []
    collector = _Collector(view, step, members, group_limit(request), group_size(request))
    collector.find()
    collector.fill()
    return collector.groups()


class Members(Struct, frozen=True):
    """Which points are in which groups: parallel `offsets` (ascending) and `codes`, and the group ids by code."""

    offsets: OffsetArray
    codes: NDArray[np.int64]
    ids: Any
    extent: int

    @staticmethod
    def of(view: PointView, path: str) -> Members:
        offsets, codes, ids = view.fields.groups(path)
        order = np.argsort(offsets, kind="stable")
        return Members(offsets[order], codes[order], ids, len(view.alive))

    def mask(self, wanted: BoolArray) -> BoolArray:
        """Points in any of the wanted groups (by code)."""
        mask = np.zeros(self.extent, np.bool_)
        mask[self.offsets[wanted[self.codes]]] = True
        return mask

    def groups_of(self, offset: int) -> list[int]:
        """Codes of the groups that a point is in."""
        start, end = np.searchsorted(self.offsets, (offset, offset + 1))
        codes: list[int] = self.codes[start:end].tolist()
        return codes


class _Filling(Struct):
    """Hits of one group so far, as (round, position) in the results of the rounds."""

    places: list[tuple[int, int]] = field(default_factory=list)


class _Collector:
    def __init__(self, view: PointView, step: Step, members: Members, limit: int, size: int) -> None:
        self._view = view
        self._step = step
        self._members = members
        self._limit = limit
        self._size = size
        self._rounds: list[Ranked] = []
        self._found: dict[int, _Filling] = {}
        self._taken = np.zeros(members.extent, np.bool_)

    def find(self) -> None:
        """Asks until there are enough groups, or no further points."""
        asked = self._step.limit
        while len(self._found) < self._limit:
            wanted = np.ones(len(self._members.ids), np.bool_)
            wanted[list(self._found)] = False
            if self._ask(wanted, asked, self._limit) < asked:
                break
            asked *= _GROWTH

    def fill(self) -> None:
        """Asks for further points of the groups that are not full."""
        asked = self._step.limit
        while unfilled := [code for code, group in self._found.items() if len(group.places) < self._size]:
            wanted = np.zeros(len(self._members.ids), np.bool_)
            wanted[unfilled] = True
            if self._ask(wanted, asked, 0) < asked:
                break
            asked *= _GROWTH

    def groups(self) -> list[Group]:
        groups = [
            Group(self._members.ids[code], self._in_order(self._hits(group))) for code, group in self._found.items()
        ]
        if self._step.sources:
            # What a later round finds may have better scores, as these depend on what else a round finds.
            downwards = self._descending()
            groups.sort(key=lambda group: _keys(group.hits)[0], reverse=downwards)
        return groups

    def _ask(self, wanted: BoolArray, limit: int, groups: int) -> int:
        """One round among the points of the wanted groups; new groups are accepted up to `groups` in all."""
        mask = self._members.mask(wanted) & ~self._taken
        ranked = run(self._step.within(mask, limit), self._view)
        self._rounds.append(ranked)
        for position, offset in enumerate(ranked.offsets.tolist()):
            self._place(position, offset, groups)
        return len(ranked)

    def _place(self, position: int, offset: int, groups: int) -> None:
        for code in self._members.groups_of(offset):
            group = self._found.get(code)
            if group is None:
                if len(self._found) >= groups:
                    continue
                group = self._found[code] = _Filling()
            if len(group.places) < self._size:
                group.places.append((len(self._rounds) - 1, position))
                self._taken[offset] = True

    def _hits(self, group: _Filling) -> Ranked:
        parts = [self._rounds[number].part(slice(at, at + 1)) for number, at in group.places]
        values = [part.order_values for part in parts]
        return Ranked(
            np.concatenate([part.offsets for part in parts]),
            np.concatenate([part.scores for part in parts]),
            None if any(value is None for value in values) else np.concatenate([v for v in values if v is not None]),
        )

    def _in_order(self, hits: Ranked) -> Ranked:
        if not self._step.sources:
            return hits
        keys = _keys(hits)
        positions = sorted(range(len(keys)), key=keys.__getitem__, reverse=self._descending())
        return hits.part(np.array(positions, np.intp))

    def _descending(self) -> bool:
        operation = self._step.operation
        if isinstance(operation, Nearest):
            return descending(self._view.traits(operation.using).distance)
        return operation.descending if isinstance(operation, ByField) else not isinstance(operation, ById)


def _keys(hits: Ranked) -> list[Any]:
    """By what hits are ordered: values of a field before scores, where some have such (after a fusion)."""
    values, scores = hits.order_values, hits.scores.tolist()
    if values is None:
        return list(scores)
    if values.dtype != object:
        return list(values.tolist())
    return [
        (False, score) if value is None else (True, value) for value, score in zip(values.tolist(), scores, strict=True)
    ]
