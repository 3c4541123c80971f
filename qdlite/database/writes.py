"""How are points, vectors and payload changed?"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from qdlite.collection.collection import Collection
from qdlite.collection.shard_keys import check_write
from qdlite.collection.updates import check_readable
from qdlite.database.core import DatabaseCore
from qdlite.database.embeddings import ANONYMOUS, NOTHING, RequestContext, embed_for_write
from qdlite.errors import PointNotFound, QdliteError, UnknownVector
from qdlite.lazily import logger
from qdlite.models.points import UpsertPoints
from qdlite.models.updates import (
    DeletePayload,
    DeleteVectors,
    PointsSelector,
    SetPayload,
    Update,
    UpdateOperation,
    UpdateOperations,
    UpdateResult,
    UpdateVectors,
)

_log = logger(__name__)
_APPLIED_LATER = (PointNotFound, UnknownVector)
"""Errors that Qdrant meets only when it applies an update, so that callers who do not wait never see them."""


_CONSUMING = frozenset({"upsert", "update_vectors", "set_payload", "overwrite_payload"})
"""Updates that store something, which quotas are about."""

_WITH_VECTORS = frozenset({"upsert", "update_vectors"})
"""Updates that may hold objects to be embedded."""


class Writes(DatabaseCore):
    """Every update is complete when the call returns; `wait` only decides how the answer names that, and whether
    errors that Qdrant would meet after acknowledging are raised or logged. An update that took longer than the
    `timeout` of its context says so in its status, though it is complete as well."""

    def upsert(
        self, name: str, body: UpsertPoints, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Stores points in place of those with equal ids; inference objects become vectors first."""
        return self._update(self._names.resolve(name), "upsert", body, wait, context)

    def update_vectors(
        self, name: str, body: UpdateVectors, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Replaces the named vectors of points; other vectors and payload stay."""
        return self._update(self._names.resolve(name), "update_vectors", body, wait, context)

    def batch_update(
        self, name: str, body: UpdateOperations, wait: bool = True, context: RequestContext | None = None
    ) -> list[UpdateResult]:
        """Applies operations one by one; an error stops there, earlier ones stay applied (as in Qdrant). Whether
        they can be read, and limits of strict mode, are checked for all of them before. Without operations nobody asks
        for the collection (as in Qdrant)."""
        if not body.operations:
            return []
        collection, context = self.collection(name), context or ANONYMOUS
        for operation in body.operations[1:]:  # the first one has none before it
            check_readable(operation)
        for operation in body.operations:
            collection.verify(operation, context.timeout)
        return [self._update(collection, *operation.update, wait, context, True) for operation in body.operations]

    def delete(
        self, name: str, body: PointsSelector, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Deletes points; ids that do not exist are ignored."""
        return self._update(self._names.resolve(name), "delete", body, wait, context)

    def delete_vectors(
        self, name: str, body: DeleteVectors, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Removes named vectors from points."""
        return self._update(self._names.resolve(name), "delete_vectors", body, wait, context)

    def set_payload(
        self, name: str, body: SetPayload, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Merges keys into payloads; null removes a key."""
        return self._update(self._names.resolve(name), "set_payload", body, wait, context)

    def overwrite_payload(
        self, name: str, body: SetPayload, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Puts a payload in place of the old ones."""
        return self._update(self._names.resolve(name), "overwrite_payload", body, wait, context)

    def delete_payload(
        self, name: str, body: DeletePayload, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Removes what stands at the given paths."""
        return self._update(self._names.resolve(name), "delete_payload", body, wait, context)

    def clear_payload(
        self, name: str, body: PointsSelector, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Empties payloads."""
        return self._update(self._names.resolve(name), "clear_payload", body, wait, context)

    def _update(
        self,
        collection: Collection,
        kind: str,
        body: Update,
        wait: bool,
        context: RequestContext | None,
        verified: bool = False,
    ) -> UpdateResult:
        """`verified`: strict mode lets it pass."""
        if context is None:
            context = ANONYMOUS
        if collection.is_strict and not verified:
            collection.verify(UpdateOperation.of(kind, body), context.timeout)
        if kind in _CONSUMING:
            self.quotas.check_update()
        check_write(body.shard_key, collection.config)
        embeddings = NOTHING
        if kind in _WITH_VECTORS:
            embeddings = embed_for_write(self._inference, cast("UpsertPoints | UpdateVectors", body), context)
        try:
            operation_id = collection.update(kind, body, embeddings)
        except _APPLIED_LATER as error:
            operation_id = _dropped(collection, wait, error)
        return self._told(collection, operation_id, wait, context)

    def _applied(
        self, collection: Collection, wait: bool, apply: Callable[[], int], context: RequestContext | None = None
    ) -> UpdateResult:
        """The result of another update."""
        try:
            operation_id = apply()
        except _APPLIED_LATER as error:
            operation_id = _dropped(collection, wait, error)
        return self._told(collection, operation_id, wait, context or ANONYMOUS)

    def _told(self, collection: Collection, operation_id: int, wait: bool, context: RequestContext) -> UpdateResult:
        """The result of an update, and the builder woken if there is something to index."""
        self._builder.wake(collection)
        if not wait:
            return UpdateResult(operation_id=operation_id, status="acknowledged")
        late = context.timeout is not None and context.expired
        return UpdateResult(operation_id=operation_id, status="wait_timeout" if late else "completed")


def _dropped(collection: Collection, wait: bool, error: QdliteError) -> int:
    """What an update has done that fails where Qdrant would have acknowledged it before. Raises the error for those who
    wait."""
    if wait:
        raise error
    _log().warning("An update of %r sent without waiting was dropped: %s", collection.name, error)
    return collection.version
