"""How is one collection used? The façade: it owns the state and the lock, and every call goes through here.

Writes turn a request into an operation and apply it, both under the write lock, so that nobody else writes in
between; an operation that depends on nothing that is stored is made before. Reads share the lock. Inference has
happened before anything here is called.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TypeAlias, TypeVar

from qdlite import collection as parts
from qdlite.collection import limits, updates
from qdlite.collection.config import updated_config, with_vector, without_vector
from qdlite.collection.operations import Configure, CreateIndex, DropIndex, Operation
from qdlite.collection.queue import Prepare, UpdateQueue
from qdlite.collection.state import CollectionState
from qdlite.collection.vectors import Resolve
from qdlite.collection.view import CollectionView
from qdlite.errors import BadRequest, QdliteError
from qdlite.models.collections import UpdateCollection, VectorNameConfig
from qdlite.models.indexes import CreateFieldIndex, IndexParams
from qdlite.models.info import CollectionConfig, CollectionInfo
from qdlite.models.points import UpsertPoints
from qdlite.models.updates import DeleteVectors, Update
from qdlite.vectors.index import VectorIndex
from qdlite.vectors.shared_lock import SharedLock

_R = TypeVar("_R")
OperationId: TypeAlias = int
Charged: TypeAlias = Update | int
"""An update, which costs as much as it says, or so much."""

_SCHEMA_CHANGE = 1
"""What a change of the schema takes from the rate of writes."""

_PIECE = 250
"""So many rows are taken into columns before searches get their turn."""

_MANY = 100
"""Upserts of so many points are worth a step of their own before others have to wait."""

_NO_POINTS = "Empty update request"

_VECTORS_PIECE = 4096
"""So many vectors are settled before writes get theirs, which takes a millisecond or two."""


class Collection:
    """One collection. All methods may be called from any thread."""

    def __init__(self, name: str, config: CollectionConfig) -> None:
        self.name = name
        self._become(CollectionState(config))
        self._lock = SharedLock()
        self.queue = UpdateQueue()

    @property
    def config(self) -> CollectionConfig:
        return self._state.config

    def info(self) -> CollectionInfo:
        return self.read(lambda view: parts.collection_info(view.state, self.queue))

    def measures(self) -> parts.CollectionMeasures:
        """The size of each part."""
        return self.read(lambda view: parts.collection_measures(view.state, self.queue))

    @property
    def version(self) -> OperationId:
        """The id of the last operation; 0 if there was none."""
        return self._state.version

    def reading(self) -> AbstractContextManager[CollectionView]:
        """A consistent view; while it is open other readers go on and writers wait. Do not nest."""
        return _Reading(self)

    def read(self, work: Callable[[CollectionView], _R]) -> _R:
        """Runs `work` on a consistent view; other readers go on, writers wait."""
        with self.reading() as view:
            return work(view)

    @property
    def is_strict(self) -> bool:
        """Whether strict mode is on: whether there is anything to `verify`."""
        return self._state.guard is not None

    def verify(self, request: limits.Request, timeout: float | None = None) -> None:
        """Raises BadRequest if strict mode forbids the request; `timeout` (seconds) is the caller's."""
        if self._state.guard is not None:
            self.read(lambda view: view.verify(request, timeout))

    def write(
        self,
        prepare: Prepare,
        charged: Charged = 0,
        deferrable: int | None = None,
        looks: bool = True,
    ) -> OperationId:
        """Applies the operation that `prepare` makes of the current state. If it raises, nothing has changed.

        `charged`: what the operation takes from the rate of writes. Raises RateLimited.
        `deferrable`: the number of points upserted by an operation that may wait for the graph (`queue.py`).
        `looks`: whether it looks at anything but ids, or changes it at once.
        """
        self._lock.enter_exclusive()
        try:
            state = self._state
            if looks and state.removed:
                state.settle()
            if state.guard is not None and charged != 0:
                self._charge(state.guard, charged)
            if deferrable is not None and (state.defers or self.queue.waiting):
                operation_id = self.queue.submit(state, prepare, deferrable)
            else:
                operation_id = state.apply(prepare(state))
        finally:
            self._lock.leave_exclusive()
        if state.fields.is_behind:
            self._settle()
        return operation_id

    def _charge(self, guard: limits.Guard, charged: Charged) -> None:
        def cost() -> int:
            return charged if isinstance(charged, int) else limits.write_cost(charged, self._view)

        guard.charge_write(cost)

    def _settle(self) -> None:
        """Brings columns up to date beside readers, if so much was written that the next one would have to wait."""
        while self._state.fields.is_behind:
            self._lock.let_read()
            with self.reading() as view:
                view.fields.settle(_PIECE)

    def update(self, kind: str, body: Update, resolve: Resolve) -> OperationId:
        """Applies one update of points, vectors or payload; `kind` is its key in an `UpdateOperation`."""
        prepare = partial(updates.PREPARE[kind], body, resolve)
        if isinstance(body, UpsertPoints):
            return self._upsert(prepare, body)
        if not body.points:
            _refuse_unnamed(body)
        return self.write(prepare, body, 0, kind != "delete" or body.points is None)

    def _upsert(self, prepare: Prepare, body: UpsertPoints) -> OperationId:
        count = body.count
        if not count:
            raise BadRequest(_NO_POINTS)
        if count >= _MANY:
            self._make_ready(count)
        return self.write(prepare if body.is_conditional else self._ahead(prepare), body, count)

    def _make_ready(self, count: int) -> None:
        """For so many points."""
        with self.reading() as view:
            for index in view.state.vectors.values():
                index.make_ready(count)

    def _ahead(self, prepare: Prepare) -> Prepare:
        """Does now, outside of the lock, what depends on nothing but which vectors there are. It is done again if
        these have changed when the request has its turn, or if it fails: only then is a mistake told."""
        vectors = self._state.vectors
        try:
            operation = prepare(self._state)
        except QdliteError:
            return prepare
        return partial(_prepared, operation, vectors, prepare)

    def configure(self, body: UpdateCollection) -> OperationId:
        return self.write(lambda state: Configure(updated_config(state.config, body)))

    def create_vector_name(self, name: str, body: VectorNameConfig) -> OperationId:
        return self.write(lambda state: Configure(with_vector(state.config, name, body)), _SCHEMA_CHANGE)

    def delete_vector_name(self, name: str) -> OperationId:
        return self.write(lambda state: Configure(without_vector(state.config, name)), _SCHEMA_CHANGE)

    def create_field_index(self, body: CreateFieldIndex) -> OperationId:
        schema = body.schema
        if schema is None:
            raise BadRequest("Can't auto-detect field type, please specify `field_schema` in the request")
        params = schema if isinstance(schema, IndexParams) else None
        kind = schema.type if isinstance(schema, IndexParams) else schema
        return self.write(lambda state: CreateIndex(body.field_name, kind, params), _SCHEMA_CHANGE)

    def delete_field_index(self, field: str) -> OperationId:
        return self.write(lambda state: DropIndex(field), _SCHEMA_CHANGE)

    def capture(self) -> parts.CollectionCapture:
        """The collection as it is now, to be read while others write."""
        return self.read(lambda view: parts.CollectionCapture.of(view.state))

    @classmethod
    def of(cls, name: str, state: CollectionState) -> Collection:
        """A collection that begins with a state made elsewhere."""
        collection = cls(name, state.config)
        collection._become(state)
        return collection

    def clone(self, name: str) -> Collection:
        """An independent collection with the same points, configuration and indexes."""
        now = self.capture()
        return Collection.of(name, parts.restored(now.config, now.version, now.parts(), now.indexes))

    def recover(self, state: CollectionState) -> None:
        """Puts the points and indexes of another state in place of these, for everybody at once; the configuration
        stays. Raises WrongInput if the vectors differ."""
        with self._lock.exclusive():
            parts.check_compatible(self._state.config, state.config)
            state.configure(Configure(self._state.config))
            state.guard = self._state.guard
            self._become(state)

    def _become(self, state: CollectionState) -> None:
        self._state = state
        self._view = CollectionView(state, self.name)

    def enter(self) -> CollectionView:
        """Begins a read that ends with `leave`."""
        self._lock.enter_shared()
        if self._state.removed:
            self._enter_settled()
        return self._view

    def leave(self) -> None:
        self._lock.leave_shared()

    def _enter_settled(self) -> None:
        """Readers find everything in its place, or do not get in."""
        try:
            self._state.settle()
        except BaseException:
            self._lock.leave_shared()
            raise

    def build_step(self, budget: float) -> bool:
        """Lets every vector's graph take in waiting vectors for about `budget` seconds, and applies the updates that
        this makes room for; True if work remains."""
        if self._state.is_building_off:
            return False
        self._settle_vectors()
        for index in list(self._state.vectors.values()):
            index.build_step(budget)
        if len(self.queue):
            with self._lock.exclusive():
                self._state.settle()
                self.queue.drain(self._state)
            self._settle()
        return self.has_work

    def _settle_vectors(self) -> None:
        """A piece of what searches would otherwise do first."""
        if self._state.removed or self._state.vectors_behind:
            with self.reading() as view:
                for index in view.state.vectors_behind:
                    index.settle(_VECTORS_PIECE)

    @property
    def has_work(self) -> bool:
        """Whether vectors or updates wait for the builder, or searches would gain from what it can do; never if
        building is turned off."""
        state = self._state
        if state.is_building_off:
            return False
        if self.queue.waiting:
            return True
        for index in state.vectors.values():  # not `any`, because every write asks
            if (state.removed and index.buries) or index.pending_work() or index.is_behind or index.wishes:
                return True
        return False


class _Reading:
    """The `with` block of one read."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def __enter__(self) -> CollectionView:
        return self._collection.enter()

    def __exit__(self, *error: object) -> None:
        self._collection.leave()


def _prepared(
    operation: Operation, vectors: dict[str, VectorIndex], prepare: Prepare, state: CollectionState
) -> Operation:
    """What was prepared for these vectors, or is to be prepared for others."""
    return operation if state.vectors is vectors else prepare(state)


def _refuse_unnamed(body: Update) -> None:
    """Qdrant refuses an update that names no point at all, if it is not about those that match a filter."""
    if body.points is not None:
        raise BadRequest(_NO_POINTS)
    if isinstance(body, DeleteVectors) and body.filter is None:
        raise BadRequest("No filter or points provided")
