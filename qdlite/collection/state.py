"""What does a collection consist of, and how does an operation change it? The only place where state is mutated."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdlite.collection import limits
from qdlite.collection import operations as ops
from qdlite.collection.config import strict_mode
from qdlite.collection.fields import CollectionFields
from qdlite.collection.ids import IdTracker
from qdlite.collection.indexes import vector_indexes, vector_traits
from qdlite.models.info import CollectionConfig
from qdlite.payload.store import EMPTY, PayloadStore
from qdlite.types import Offset
from qdlite.vectors.index import VectorIndex
from qdlite.vectors.spans import listed, rows_at, span

_MOST_REMOVED = 128
"""So many deleted points may wait for the next reader, who is held up by them for a tenth of a millisecond."""


class CollectionState:
    """The parts of a collection. Readers may look at them under the read lock; only `apply` changes them.

    Deleting points takes away their ids. The other parts learn of that by `settle`, of many points at once: it is to be
    called before anything but ids is looked at."""

    def __init__(self, config: CollectionConfig) -> None:
        self.config = config
        self.ids = IdTracker()
        self.payloads = PayloadStore()
        self.fields = CollectionFields(self.payloads)
        self.vectors: dict[str, VectorIndex] = vector_indexes(config, {})
        self.traits = vector_traits(config)
        self.guard = _guard(config)
        """Strict mode; None while it is off."""
        self._note_optimizers()
        self.version = 0
        """Number of operations applied; also the id of the last one."""
        self.removed: list[Offset] = []
        """Where points were deleted of which only the ids are gone."""
        self._settling = threading.Lock()

    def apply(self, operation: ops.Operation) -> int:
        """Applies one operation under the write lock; returns its operation id."""
        self.version += 1
        _APPLY[type(operation)](self, operation)
        return self.version

    def upsert(self, operation: ops.Upsert) -> None:
        offsets, existed = self.ids.assign(operation.ids, self.version)
        self._put(offsets, operation.vectors)
        if True in existed:
            self._drop_others(offsets, existed, operation.vectors)
        self.fields.replace(offsets, operation.payloads)

    def restore(self, points: ops.Upsert, versions: NDArray[np.int64]) -> None:
        """Puts back points that an earlier state held, each with the version it had there."""
        self.upsert(points)
        self.ids.versions[self.ids.offsets_of(points.ids)] = versions

    def delete(self, operation: ops.Delete) -> None:
        self.removed += self.ids.remove(operation.ids)
        if len(self.removed) > _MOST_REMOVED:
            self.settle()

    def settle(self) -> None:
        """Takes away all else of the points that were deleted. Readers may call it: who comes before it is done waits
        for it, so that nobody looks meanwhile."""
        if self.removed:
            with self._settling:
                if self.removed:
                    self._settle(self.removed)
                    self.removed = []  # last: whoever finds none may look at everything

    def _settle(self, removed: list[Offset]) -> None:
        offsets = np.array(removed, np.intp)
        for index in self.vectors.values():
            index.remove(offsets)
        self.fields.replace(removed, repeat(EMPTY, len(removed)))
        self.ids.release(removed)

    @property
    def vectors_behind(self) -> list[VectorIndex]:
        """Those of which searches read more than is up to date (see `VectorIndex.is_behind`)."""
        return [index for index in self.vectors.values() if index.is_behind]

    @property
    def wishes(self) -> bool:
        """Whether searches showed that more could be indexed to their good (see `VectorIndex.wishes`)."""
        for index in self.vectors.values():  # noqa: SIM110 - every search asks, and `any` takes three times as long
            if index.wishes:
                return True
        return False

    def update_vectors(self, operation: ops.UpdateVectors) -> None:
        offsets = self.ids.touch(operation.ids, self.version)
        self._put(offsets, operation.vectors)

    def delete_vectors(self, operation: ops.DeleteVectors) -> None:
        offsets = np.array(self.ids.touch(operation.ids, self.version), np.intp)
        for name in operation.names:
            self.vectors[name].remove(offsets)

    def replace_payloads(self, operation: ops.ReplacePayloads) -> None:
        self.fields.replace(self.ids.touch(operation.ids, self.version), operation.payloads)

    def create_index(self, operation: ops.CreateIndex) -> None:
        self.fields.create(operation.field, operation.schema, operation.params)

    def drop_index(self, operation: ops.DropIndex) -> None:
        self.fields.drop(operation.field)

    def configure(self, operation: ops.Configure) -> None:
        old, self.config = self.config, operation.config
        if self.config.strict_mode_config is not old.strict_mode_config:
            self.guard = _guard(self.config)
        self._note_optimizers()
        self.vectors = vector_indexes(operation.config, self.vectors, old)
        self.traits = vector_traits(operation.config)

    def _note_optimizers(self) -> None:
        """What of their settings every write asks for."""
        optimizers = self.config.optimizer_config
        self.defers = optimizers.prevent_unoptimized is True
        """Whether updates may have to wait for the graph (`queue.py`)."""
        self.is_building_off = optimizers.max_optimization_threads == 0
        """Whether the collection asks for no graph building at all."""

    def _put(self, offsets: list[Offset], columns: dict[str, ops.VectorColumn]) -> None:
        at = rows_at(offsets)
        for name, column in columns.items():
            some = len(column.rows) < len(offsets)
            self.vectors[name].put(span(listed(at)[column.rows]) if some else at, column.vectors)

    def _drop_others(self, offsets: list[Offset], existed: list[bool], columns: dict[str, ops.VectorColumn]) -> None:
        """Takes from points that existed the vectors that they were not given again."""
        for name, index in self.vectors.items():
            column = columns.get(name)
            if column is None or len(column.rows) < len(offsets):
                missing = np.array(existed)
                if column is not None:
                    missing[column.rows] = False
                index.remove(np.array(offsets, np.intp)[missing])


def _guard(config: CollectionConfig) -> limits.Guard | None:
    """None if strict mode is off."""
    return None if strict_mode(config) is None else limits.Guard.of(config)


_APPLY: dict[type, Callable[[CollectionState, Any], None]] = {
    ops.Upsert: CollectionState.upsert,
    ops.Delete: CollectionState.delete,
    ops.UpdateVectors: CollectionState.update_vectors,
    ops.DeleteVectors: CollectionState.delete_vectors,
    ops.ReplacePayloads: CollectionState.replace_payloads,
    ops.CreateIndex: CollectionState.create_index,
    ops.DropIndex: CollectionState.drop_index,
    ops.Configure: CollectionState.configure,
}
