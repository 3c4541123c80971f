"""How does a server group what its engine finds? In rounds: first for full groups, then for what the best ones lack.

The engine's Python API has no groups; in a server they are made outside of the engine as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from qdlite.payload.path import parse
from qdlite.types import Json
from tests.differential.collections import Layout
from tests.differential.comparison import close
from tests.differential.engine import Engine, JsonMap
from tests.differential.engine_reads import DEFAULT_LIMIT, ask, merged_filter
from tests.differential.settled import is_rank_fusion

DEFAULT_GROUP_SIZE = 3
_ROUNDS = 5
_SCORED = ("fusion", "rrf", "formula", "context", "discover", "relevance_feedback")
"""Queries with scores of their own, of which larger ones are better."""

Point = dict[str, Json]


def query_groups(engine: Engine, layout: Layout, body: JsonMap) -> tuple[list[Json], bool]:
    """The groups of a query that has an order, and whether any two of the points found have the same rank. They may
    come from different rounds: what a fusion ranks starts anew in each. Raises Refused."""
    grouping = _Grouping(engine, body, descends(layout, body))
    grouping.collect()
    grouping.fill()
    return grouping.shown(), has_ties(grouping.found(), body["query"])


def rank(point: JsonMap) -> tuple[bool, float]:
    """By what a result stands where it does: a value of a field goes before every score."""
    ordered = "order_value" in point
    return ordered, point["order_value" if ordered else "score"]


def has_ties(points: Iterable[Point], query: Json) -> bool:
    """Whether the ranks of two points are about the same, or the scores by which a fusion cuts its results."""
    ranks = [rank(point) for point in points]
    scores = [(False, point["score"]) for point in points] if is_rank_fusion(query) else []
    return _are_close(ranks) or _are_close(scores)


def _are_close(ranks: list[tuple[bool, float]]) -> bool:
    return any(one[0] == other[0] and close(one[1], other[1], 1e-4) for one, other in pairwise(sorted(ranks)))


def descends(layout: Layout, body: JsonMap) -> bool:
    """Whether the best result is the one that has the most of it."""
    query = body["query"]
    kind = next(iter(query)) if isinstance(query, dict) else "nearest"
    if kind == "order_by":
        return isinstance(query[kind], dict) and query[kind].get("direction") == "desc"
    if kind in _SCORED or (kind == "recommend" and query[kind]["strategy"] != "average_vector"):
        return True
    slot = layout.slot(body.get("using", ""))
    return slot.kind == "sparse" or slot.distance in ("Dot", "Cosine")


class _Grouping:
    def __init__(self, engine: Engine, body: JsonMap, descending: bool) -> None:
        self._engine = engine
        self._path = body["group_by"]
        self._limit: int = body.get("limit", DEFAULT_LIMIT)
        self._size: int = body.get("group_size", DEFAULT_GROUP_SIZE)
        rest = {name: part for name, part in body.items() if name not in ("group_by", "group_size")}
        prefetch = [_multiplied(one, self._size) for one in body.get("prefetch", [])]
        self._query = {**rest, "prefetch": prefetch, "limit": self._limit * self._size, "with_payload": True}
        self._descending = descending
        self._groups: dict[Json, dict[Json, Point]] = {}

    def collect(self) -> None:
        """Asks for points of groups that are not full."""
        self._ask_repeatedly("except", lambda: [key for key in self._groups if self._is_full(key)])

    def fill(self) -> None:
        """Asks for points of the best groups, as far as they are not full."""
        self._ask_repeatedly("any", lambda: [key for key in self._best() if not self._is_full(key)])

    def shown(self) -> list[Json]:
        return [{"id": key, "hits": self._sorted(self._groups[key].values())} for key in self._best()]

    def found(self) -> Iterable[Point]:
        """Every point of any group, once."""
        return {point_id: point for group in self._groups.values() for point_id, point in group.items()}.values()

    def _ask_repeatedly(self, test: str, keys: Any) -> None:
        for _ in range(_ROUNDS):
            if self._is_done():
                return
            found = self._ask([{"key": self._path, "match": {test: kind}} for kind in _kinds(keys())])
            for point in found:
                self._add(point)
            if not found:
                return

    def _ask(self, conditions: list[JsonMap]) -> list[Point]:
        known = [point_id for group in self._groups.values() for point_id in group]
        unwanted: list[JsonMap] = [{"is_empty": {"key": self._path}}]
        unwanted += [{"has_id": sorted(set(known), key=str)}] if known else []
        further = {"must": conditions, "must_not": unwanted}
        filter = merged_filter(self._query.get("filter", {}), further)
        points: list[Point] = ask(self._engine, "query", {**self._query, "filter": filter})["points"]
        return points

    def _add(self, point: Point) -> None:
        for key in groups_of(point, self._path):
            self._groups.setdefault(key, {})[point["id"]] = point

    def _best(self) -> list[Json]:
        heads = {key: self._sorted(group.values())[0] for key, group in self._groups.items()}
        return sorted(heads, key=lambda key: rank(heads[key]), reverse=self._descending)[: self._limit]

    def _sorted(self, points: Iterable[Point]) -> list[Point]:
        return sorted(points, key=rank, reverse=self._descending)[: self._size]

    def _is_full(self, key: Json) -> bool:
        return len(self._groups[key]) >= self._size

    def _is_done(self) -> bool:
        return sum(map(self._is_full, self._best())) >= self._limit


def groups_of(point: Point, path: str) -> list[Json]:
    """The groups of a point: none if one of its values can be no group."""
    values = parse(path).values(point["payload"])
    found = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return list(dict.fromkeys(found)) if all(type(one) in (int, str) for one in found) else []


def _multiplied(prefetch: JsonMap, size: int) -> JsonMap:
    inner = [_multiplied(one, size) for one in prefetch.get("prefetch", [])]
    return {**prefetch, "prefetch": inner, "limit": prefetch.get("limit", DEFAULT_LIMIT) * size}


def _kinds(keys: list[Json]) -> list[list[Json]]:
    """The integers of 64 bits and the texts among them, as lists that a condition can hold."""
    integers = [key for key in keys if isinstance(key, int) and -(2**63) <= key < 2**63]
    return [kind for kind in (integers, [key for key in keys if isinstance(key, str)]) if kind]
