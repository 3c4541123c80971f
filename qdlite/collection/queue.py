"""Which updates wait until the graph has caught up? Those of collections with `prevent_unoptimized`.

Such a collection never has more unindexed points than its `indexing_threshold`: what goes beyond waits here, in
order, unseen by reads, and is applied as the builder makes room. (Qdrant calls the points that wait deferred.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from qdlite.collection.operations import Operation, Upsert, VectorColumn
from qdlite.collection.state import CollectionState
from qdlite.errors import QdliteError
from qdlite.lazily import logger
from qdlite.vectors.hnsw import HnswIndex

_log = logger(__name__)
_UNLIMITED = 2**62
Prepare = Callable[[CollectionState], Operation]


class Waiting(Struct, frozen=True):
    """An update that waits, and how many points it upserts."""

    prepare: Prepare
    points: int


class UpdateQueue:
    """Updates of one collection that wait. Used under the collection's write lock; the numbers may be read any time."""

    def __init__(self) -> None:
        self.waiting: deque[Waiting] = deque()

    def __len__(self) -> int:
        """Number of updates that wait."""
        return len(self.waiting)

    @property
    def deferred_points(self) -> int:
        """Number of points that wait to be upserted."""
        return sum(item.points for item in list(self.waiting))

    def submit(self, state: CollectionState, prepare: Prepare, points: int) -> int:
        """Applies an update as far as there is room and keeps the rest; returns its operation id.

        `points` says how many it upserts. Raises only if the update could be tried at once and is refused.
        """
        if self.waiting:
            self.waiting.append(Waiting(prepare, points))
            return state.version + len(self.waiting)
        return self._apply(state, prepare(state))

    def drain(self, state: CollectionState) -> None:
        """Applies what there is room for. An update that turns out to be wrong is dropped and logged."""
        while self.waiting and room(state) > 0:
            self._apply_late(state, self.waiting.popleft())

    def _apply_late(self, state: CollectionState, item: Waiting) -> None:
        try:
            self._apply(state, item.prepare(state))
        except QdliteError as error:
            _log().warning("An update that had to wait was dropped: %s", error)

    def _apply(self, state: CollectionState, operation: Operation) -> int:
        if not isinstance(operation, Upsert):
            return state.apply(operation)
        now = min(room(state), len(operation.ids))
        if now < len(operation.ids):
            rest = _rows(operation, now, len(operation.ids))
            self.waiting.appendleft(Waiting(lambda _: rest, len(rest.ids)))
            operation = _rows(operation, 0, now)
        return state.apply(operation)


def room(state: CollectionState) -> int:
    """How many more points may be stored before the graph has to catch up."""
    if not state.defers:
        return _UNLIMITED
    graphs = [index for index in state.vectors.values() if isinstance(index, HnswIndex) and index.can_have_graph]
    rooms = [index.indexing_rows + 1 - (index.count - index.indexed_count) for index in graphs]
    return max(0, min(rooms, default=_UNLIMITED))


def _rows(operation: Upsert, start: int, stop: int) -> Upsert:
    """The part of an upsert for ids `start` to `stop`."""
    columns = {}
    for name, column in operation.vectors.items():
        low, high = np.searchsorted(column.rows, (start, stop)).tolist()
        columns[name] = VectorColumn(column.rows[low:high] - start, column.vectors[low:high])
    return replace(operation, ids=operation.ids[start:stop], vectors=columns, payloads=operation.payloads[start:stop])
