"""How are results grouped by a payload field? Groups in the order of their best hits, hits in the order of the query.

The query is asked repeatedly, each time only for points that can still matter. Without prefetches that gives the groups
of the full ranking. With prefetches each round sees other points, and scores may depend on what else it sees: so the
rounds are those of Qdrant, and what all of them found is put in order at the end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from qdlite.models.groups import QueryGroupsRequest
from qdlite.queries.examples import Lookup, Resolve
from qdlite.queries.execute import Ranked, run
from qdlite.queries.plan import group_size, limit_of, plan_groups
from qdlite.queries.steps import ByField, Mmr, Nearest, Operation, Sample, Step
from qdlite.queries.view import PointView
from qdlite.types import BoolArray, OffsetArray
from qdlite.vectors.distance import descending

_GROWTH = 4
"""Each round in a ranking asks for so many times more points than the one before."""
_ROUNDS = 5
"""So many rounds at the most look for full groups, and as many for what the best groups lack."""


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
    collect = _Rounds if step.sources else _Ranking
    return collect(view, step, members, limit_of(request), group_size(request)).groups()


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


Place: TypeAlias = tuple[int, int]
"""Where a hit stands: the number of a round, and the position in its results."""
Key: TypeAlias = tuple[bool, float]
"""What a hit is compared by: whether it has the value of a field, and that value or else its score."""

_T = TypeVar("_T")


class _Collector(ABC):
    """The results of all rounds, and the places of each group's hits in them, by code of the group."""

    def __init__(self, view: PointView, step: Step, members: Members, limit: int, size: int) -> None:
        self._view = view
        self._step = step
        self._members = members
        self._limit = limit
        self._size = size
        self._rounds: list[Ranked] = []
        self._found: dict[int, list[Place]] = {}
        self._taken = np.zeros(members.extent, np.bool_)

    @abstractmethod
    def groups(self) -> list[Group]:
        """Asks, and gives the best groups."""

    def _ask(self, wanted: BoolArray, limit: int) -> Ranked:
        """One round among the points of the wanted groups, as far as they are not taken."""
        mask = self._members.mask(wanted) & ~self._taken
        self._rounds.append(run(self._step.within(mask, limit), self._view))
        return self._rounds[-1]

    def _take(self, code: int, position: int, offset: int) -> None:
        """Puts a result of the last round into a group."""
        self._found.setdefault(code, []).append((len(self._rounds) - 1, position))
        self._taken[offset] = True

    def _codes(self, some: Iterable[int]) -> BoolArray:
        wanted = np.zeros(len(self._members.ids), np.bool_)
        wanted[list(some)] = True
        return wanted

    def _group(self, code: int, places: Iterable[Place]) -> Group:
        parts = [self._rounds[number].part(slice(at, at + 1)) for number, at in places]
        return Group(self._members.ids[code], _joined(parts))


class _Ranking(_Collector):
    """The groups of one ranking: the first ones that open, each with its first hits."""

    def groups(self) -> list[Group]:
        self._find()
        self._fill()
        return [self._group(code, places) for code, places in self._found.items()]

    def _find(self) -> None:
        """Asks until there are enough groups, or no further points."""
        asked = self._step.limit
        while len(self._found) < self._limit:
            if self._place(self._ask(~self._codes(self._found), asked), self._limit) < asked:
                break
            asked *= _GROWTH

    def _fill(self) -> None:
        """Asks for further points of the groups that are not full."""
        asked = self._step.limit
        while unfilled := [code for code, places in self._found.items() if len(places) < self._size]:
            if self._place(self._ask(self._codes(unfilled), asked), 0) < asked:
                break
            asked *= _GROWTH

    def _place(self, ranked: Ranked, limit: int) -> int:
        """Puts results into groups that are not full; new groups are opened up to `limit` in all. Returns how many
        results there were."""
        for position, offset in enumerate(ranked.offsets.tolist()):
            for code in self._members.groups_of(offset):
                places = self._found.get(code)
                if len(self._found) < limit if places is None else len(places) < self._size:
                    self._take(code, position, offset)
        return len(ranked)


class _Rounds(_Collector):
    """The best groups, and the best hits in each, of what Qdrant's rounds find."""

    def __init__(self, view: PointView, step: Step, members: Members, limit: int, size: int) -> None:
        super().__init__(view, step, members, limit, size)
        self._keys: list[list[Key]] = []
        self._heads: dict[int, Key] = {}
        self._descends = _descends(view, step.operation)

    def groups(self) -> list[Group]:
        self._collect()
        self._fill()
        return [self._group(code, self._best_hits(code)) for code in self._best()]

    def _collect(self) -> None:
        """Asks for points outside of full groups, until the best groups are full."""
        for _ in range(_ROUNDS):
            if self._is_done() or not self._place(~self._codes(filter(self._is_full, self._found))):
                break

    def _fill(self) -> None:
        """Asks for points of the best groups that are not full; of all groups, if these are full, but too few."""
        for _ in range(_ROUNDS):
            if self._is_done():
                break
            unfilled = self._codes(code for code in self._best() if not self._is_full(code))
            if not self._place(unfilled if unfilled.any() else ~unfilled):
                break

    def _place(self, wanted: BoolArray) -> int:
        """Puts the results of one round into all of their groups. Returns how many there were."""
        ranked = self._ask(wanted, self._step.limit)
        keys = _keys(ranked)
        self._keys.append(keys)
        for position, offset in enumerate(ranked.offsets.tolist()):
            for code in self._members.groups_of(offset):
                self._take(code, position, offset)
                self._heads[code] = self._better(self._heads.get(code, keys[position]), keys[position])
        return len(ranked)

    def _is_full(self, code: int) -> bool:
        return len(self._found[code]) >= self._size

    def _is_done(self) -> bool:
        return sum(map(self._is_full, self._best())) >= self._limit

    def _best(self) -> list[int]:
        """Codes of the best groups, best first."""
        return self._sorted(self._heads, self._heads.__getitem__)[: self._limit]

    def _best_hits(self, code: int) -> list[Place]:
        return self._sorted(self._found[code], lambda place: self._keys[place[0]][place[1]])[: self._size]

    def _better(self, head: Key, key: Key) -> Key:
        if self._descends is None:
            return head
        return max(head, key) if self._descends else min(head, key)

    def _sorted(self, items: Iterable[_T], key: Callable[[_T], Key]) -> list[_T]:
        """Best first, and among equals first found first; as they were found if the query has no order."""
        return list(items) if self._descends is None else sorted(items, key=key, reverse=self._descends)


def _descends(view: PointView, operation: Operation) -> bool | None:
    """Whether larger keys are better; None if an operation's results must not be reordered."""
    if isinstance(operation, (Mmr, Sample)):
        return None
    if isinstance(operation, Nearest):
        return descending(view.traits(operation.using).distance)
    return operation.descending if isinstance(operation, ByField) else True


def _keys(hits: Ranked) -> list[Key]:
    """By what hits are ordered: values of a field before scores, where some have such (after a fusion)."""
    scores = hits.scores.tolist()
    values = [None] * len(scores) if hits.order_values is None else hits.order_values.tolist()
    return [(False, score) if value is None else (True, value) for value, score in zip(values, scores, strict=True)]


def _joined(parts: Sequence[Ranked]) -> Ranked:
    values = [part.order_values for part in parts]
    if all(one is None for one in values):
        order_values = None
    else:
        order_values = np.concatenate([np.full(1, None, object) if one is None else one for one in values])
    return Ranked(
        np.concatenate([part.offsets for part in parts]), np.concatenate([part.scores for part in parts]), order_values
    )
