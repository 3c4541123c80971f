"""Which offset does a point id have, and in which order do the ids stand?"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from qdlite.types import BoolArray, OffsetArray, PointId
from qdlite.vectors.spans import span

_FIRST_CAPACITY = 64


class _Order:
    """Offsets sorted by one kind of key. Changes are collected and merged at the next read."""

    def __init__(self, dtype: str) -> None:
        self.keys: NDArray[np.generic] = np.empty(0, dtype)
        self.offsets: OffsetArray = np.empty(0, np.intp)
        self._added: dict[int, PointId] = {}
        self._freed: list[int] = []

    def add(self, key: PointId, offset: int) -> None:
        self._added[offset] = key

    def free(self, offset: int) -> None:
        """Forget the entry of an offset; the offset may be added again at once."""
        if self._added.pop(offset, None) is None:
            self._freed.append(offset)

    def settle(self) -> None:
        """Merges what was collected: first the freed offsets leave, then the added keys come in."""
        if self._freed:
            keep = ~np.isin(self.offsets, np.array(self._freed, np.intp))
            self.keys, self.offsets = self.keys[keep], self.offsets[keep]
            self._freed = []
        if self._added:
            keys = np.array(list(self._added.values()), self.keys.dtype)
            offsets = np.array(list(self._added), np.intp)
            order = np.argsort(keys, kind="stable")
            keys, offsets = keys[order], offsets[order]
            if not len(self.keys) or keys[0] > self.keys[-1]:  # ids mostly come in ascending order
                self.keys = np.concatenate([self.keys, keys])
                self.offsets = np.concatenate([self.offsets, offsets])
            else:
                at = np.searchsorted(self.keys, keys)
                self.keys = np.insert(self.keys, at, keys)
                self.offsets = np.insert(self.offsets, at, offsets)
            self._added = {}

    def from_key(self, key: PointId) -> OffsetArray:
        """Offsets of this key and all larger ones."""
        at = np.searchsorted(self.keys, np.array(key, self.keys.dtype))
        return self.offsets[at:]


class IdTracker:
    """Maps point ids to offsets and back, and keeps each point's version (the operation that last changed it)."""

    def __init__(self) -> None:
        self._offset_of: dict[PointId, int] = {}
        self._ids: list[PointId] = []
        self._free: list[int] = []
        self.alive: BoolArray = np.zeros(_FIRST_CAPACITY, np.bool_)
        self.versions: NDArray[np.int64] = np.zeros(_FIRST_CAPACITY, np.int64)
        self._numbers = _Order("u8")
        self._uuids = _Order("S36")
        self._settling = threading.Lock()

    def __len__(self) -> int:
        return len(self._offset_of)

    def __contains__(self, point_id: PointId) -> bool:
        return point_id in self._offset_of

    @property
    def extent(self) -> int:
        """One more than the highest offset ever used."""
        return len(self._ids)

    @property
    def all_ids(self) -> Sequence[PointId]:
        """The id at every offset, also of those no longer in use."""
        return self._ids

    def offset_of(self, point_id: PointId) -> int | None:
        return self._offset_of.get(point_id)

    def id_of(self, offset: int) -> PointId:
        """The id at an offset that is in use."""
        return self._ids[offset]

    def ids_of(self, offsets: Iterable[int]) -> list[PointId]:
        ids = self._ids
        return [ids[offset] for offset in offsets]

    def offsets_of(self, point_ids: Iterable[PointId]) -> OffsetArray:
        """Offsets of the ids that exist, in the order given."""
        lookup = self._offset_of
        return np.array([lookup[point_id] for point_id in point_ids if point_id in lookup], np.intp)

    def assign(self, point_ids: Sequence[PointId], version: int) -> tuple[OffsetArray, list[bool]]:
        """Offsets for distinct ids, new ones where an id is not known. Also tells which existed before."""
        found: list[int] = []
        existed: list[bool] = []
        for point_id in point_ids:
            offset = self._offset_of.get(point_id)
            existed.append(offset is not None)
            found.append(self._insert(point_id) if offset is None else offset)
        self._reserve(len(self._ids))
        offsets = np.array(found, np.intp)
        at = span(offsets)
        self.alive[at] = True
        self.versions[at] = version
        return offsets, existed

    def touch(self, point_ids: Iterable[PointId], version: int) -> list[int]:
        """Offsets of ids, all of which exist; their points get another version."""
        offsets = [self._offset_of[point_id] for point_id in point_ids]
        for offset in offsets:
            self.versions[offset] = version
        return offsets

    def remove(self, point_ids: Iterable[PointId]) -> OffsetArray:
        """Forgets ids; returns the offsets of those that existed."""
        removed = []
        for point_id in point_ids:
            offset = self._offset_of.pop(point_id, None)
            if offset is not None:
                self._order(point_id).free(offset)
                removed.append(offset)
        offsets = np.array(removed, np.intp)
        self.alive[span(offsets)] = False
        self._free.extend(removed)
        return offsets

    def sorted_offsets(self, start: PointId | None = None) -> OffsetArray:
        """Offsets in id order (numbers, then UUIDs), from `start` (inclusive, need not exist) on."""
        with self._settling:
            self._numbers.settle()
            self._uuids.settle()
            numbers, uuids = self._numbers, self._uuids
            if isinstance(start, str):
                return uuids.from_key(start)
            first = numbers.offsets if start is None else numbers.from_key(start)
            return np.concatenate([first, uuids.offsets]) if len(uuids.offsets) else first

    def _insert(self, point_id: PointId) -> int:
        if self._free:
            offset = self._free.pop()
            self._ids[offset] = point_id
        else:
            offset = len(self._ids)
            self._ids.append(point_id)
        self._offset_of[point_id] = offset
        self._order(point_id).add(point_id, offset)
        return offset

    def _order(self, point_id: PointId) -> _Order:
        return self._numbers if isinstance(point_id, int) else self._uuids

    def _reserve(self, extent: int) -> None:
        if extent > len(self.alive):
            capacity = max(extent, 2 * len(self.alive))
            self.alive = np.concatenate([self.alive, np.zeros(capacity - len(self.alive), np.bool_)])
            self.versions = np.concatenate([self.versions, np.zeros(capacity - len(self.versions), np.int64)])
