"""Which offset does a point id have, and in which order do the ids stand?"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from qdlite.errors import point_not_found
from qdlite.types import BoolArray, OffsetArray, PointId
from qdlite.vectors.spans import rows_at

_FIRST_CAPACITY = 64


class _Order:
    """Offsets sorted by one kind of key."""

    def __init__(self, dtype: str) -> None:
        self.keys: NDArray[np.generic] = np.empty(0, dtype)
        self.offsets: OffsetArray = np.empty(0, np.intp)
        self._freed: list[int] = []

    def free(self, offset: int) -> None:
        """The entry of an offset is to go; the offset may be added again at once."""
        self._freed.append(offset)

    def settle(self, added: Mapping[int, PointId]) -> None:
        """First the freed offsets leave, then keys come in, given by their offsets."""
        if self._freed:
            keep = ~np.isin(self.offsets, np.array(self._freed, np.intp))
            self.keys, self.offsets = self.keys[keep], self.offsets[keep]
            self._freed = []
        if added:
            keys = np.array(list(added.values()), self.keys.dtype)
            offsets = np.array(list(added), np.intp)
            order = np.argsort(keys, kind="stable")
            keys, offsets = keys[order], offsets[order]
            if not len(self.keys) or keys[0] > self.keys[-1]:  # ids mostly come in ascending order
                self.keys = np.concatenate([self.keys, keys])
                self.offsets = np.concatenate([self.offsets, offsets])
            else:
                at = np.searchsorted(self.keys, keys)
                self.keys = np.insert(self.keys, at, keys)
                self.offsets = np.insert(self.offsets, at, offsets)

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
        self._unordered: dict[int, PointId] = {}
        """Offsets that neither of the two knows yet: they are told when somebody asks for an order."""
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
        return list(map(self._ids.__getitem__, offsets))

    def required(self, point_ids: Iterable[PointId]) -> list[int]:
        """Offsets of ids, in the order given. Raises PointNotFound for the first that does not exist."""
        lookup = self._offset_of
        try:
            return [lookup[point_id] for point_id in point_ids]
        except KeyError as missing:
            raise point_not_found(missing.args[0]) from None

    def offsets_of(self, point_ids: Iterable[PointId]) -> OffsetArray:
        """Offsets of the ids that exist, in the order given."""
        lookup = self._offset_of
        return np.array([lookup[point_id] for point_id in point_ids if point_id in lookup], np.intp)

    def assign(self, point_ids: Sequence[PointId], version: int) -> tuple[list[int], list[bool]]:
        """Offsets for distinct ids, new ones where an id is not known. Also tells which existed before."""
        known = self._offset_of
        if len(point_ids) == 1:
            return self._assign_one(point_ids[0], version)
        if known.keys().isdisjoint(point_ids):
            existed = [False] * len(point_ids)
            offsets = self._insert(point_ids)
        else:
            existed = [point_id in known for point_id in point_ids]
            if not all(existed):
                self._insert([point_id for point_id in point_ids if point_id not in known])
            offsets = [known[point_id] for point_id in point_ids]
        at = rows_at(offsets)
        self.alive[at] = True
        self.versions[at] = version
        return offsets, existed

    def _assign_one(self, point_id: PointId, version: int) -> tuple[list[int], list[bool]]:
        """The same for one id, in half of the time."""
        offset = self._offset_of.get(point_id)
        existed = offset is not None
        if offset is None:
            [offset] = self._insert([point_id])
        self.alive[offset] = True
        self.versions[offset] = version
        return [offset], [existed]

    def touch(self, point_ids: Iterable[PointId], version: int) -> list[int]:
        """Offsets of ids, all of which exist; their points get another version."""
        lookup, versions, offsets = self._offset_of, self.versions, []
        for point_id in point_ids:
            offset = lookup[point_id]
            versions[offset] = version
            offsets.append(offset)
        return offsets

    def remove(self, point_ids: Iterable[PointId]) -> list[int]:
        """Forgets ids, those that exist; returns their offsets, which nobody else gets before they are released."""
        forget, removed = self._offset_of.pop, []
        for point_id in point_ids:
            offset = forget(point_id, None)
            if offset is not None:
                removed.append(offset)
        return removed

    def release(self, offsets: Sequence[int]) -> None:
        """Offsets of ids that were removed hold nothing any more."""
        for offset in offsets:
            if self._unordered.pop(offset, None) is None:
                (self._numbers if isinstance(self._ids[offset], int) else self._uuids).free(offset)
        self.alive[rows_at(offsets)] = False
        self._free.extend(offsets)

    def sorted_offsets(self, start: PointId | None = None) -> OffsetArray:
        """Offsets in id order (numbers, then UUIDs), from `start` (inclusive, need not exist) on."""
        with self._settling:
            numbers, uuids = self._numbers, self._uuids
            numbers.settle({offset: key for offset, key in self._unordered.items() if isinstance(key, int)})
            uuids.settle({offset: key for offset, key in self._unordered.items() if isinstance(key, str)})
            self._unordered = {}
            if isinstance(start, str):
                return uuids.from_key(start)
            first = numbers.offsets if start is None else numbers.from_key(start)
            return np.concatenate([first, uuids.offsets]) if len(uuids.offsets) else first

    def _insert(self, point_ids: Sequence[PointId]) -> list[int]:
        """Gives offsets to ids that have none: first those that became free, the last one first."""
        offsets = [self._free.pop() for _ in point_ids[: len(self._free)]] if self._free else []
        for offset, point_id in zip(offsets, point_ids, strict=False):
            self._ids[offset] = point_id
        extent = len(self._ids)
        self._ids += point_ids[len(offsets) :]
        offsets += range(extent, len(self._ids))
        self._offset_of.update(zip(point_ids, offsets, strict=True))
        self._unordered.update(zip(offsets, point_ids, strict=True))
        self._reserve(len(self._ids))
        return offsets

    def _reserve(self, extent: int) -> None:
        if extent > len(self.alive):
            capacity = max(extent, 2 * len(self.alive))
            self.alive = np.concatenate([self.alive, np.zeros(capacity - len(self.alive), np.bool_)])
            self.versions = np.concatenate([self.versions, np.zeros(capacity - len(self.versions), np.int64)])
