"""How are points, vectors and payload changed?"""

from __future__ import annotations

import logging
from collections.abc import Callable

from qdlite.collection.collection import Collection
from qdlite.database.core import DatabaseCore
from qdlite.database.embeddings import NOTHING, Embeddings, RequestContext, embed, inference_objects, written_vectors
from qdlite.errors import PointNotFound, UnknownVector
from qdlite.models.points import (
    DeletePayload,
    DeleteVectors,
    PointsSelector,
    SetPayload,
    UpdateOperation,
    UpdateOperations,
    UpdateResult,
    UpdateVectors,
    UpsertPoints,
)

_log = logging.getLogger(__name__)
_APPLIED_LATER = (PointNotFound, UnknownVector)
"""Errors that Qdrant meets only when it applies an update, so that callers who do not wait never see them."""


class Writes(DatabaseCore):
    """Every update is complete when the call returns; `wait` only decides how the answer names that, and whether
    errors that Qdrant would meet after acknowledging are raised or logged."""

    def upsert(
        self, name: str, body: UpsertPoints, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Stores points in place of those with equal ids; inference objects become vectors first."""
        return self._update(name, UpdateOperation(upsert=body), wait, context)

    def update_vectors(
        self, name: str, body: UpdateVectors, wait: bool = True, context: RequestContext | None = None
    ) -> UpdateResult:
        """Replaces the named vectors of points; other vectors and payload stay."""
        return self._update(name, UpdateOperation(update_vectors=body), wait, context)

    def batch_update(
        self, name: str, body: UpdateOperations, wait: bool = True, context: RequestContext | None = None
    ) -> list[UpdateResult]:
        """Applies operations one by one; an error stops there, earlier ones stay applied (as in Qdrant)."""
        self.collection(name)
        return [self._update(name, operation, wait, context) for operation in body.operations]

    def delete(self, name: str, body: PointsSelector, wait: bool = True) -> UpdateResult:
        """Deletes points; ids that do not exist are ignored."""
        return self._update(name, UpdateOperation(delete=body), wait)

    def delete_vectors(self, name: str, body: DeleteVectors, wait: bool = True) -> UpdateResult:
        """Removes named vectors from points."""
        return self._update(name, UpdateOperation(delete_vectors=body), wait)

    def set_payload(self, name: str, body: SetPayload, wait: bool = True) -> UpdateResult:
        """Merges keys into payloads; null removes a key."""
        return self._update(name, UpdateOperation(set_payload=body), wait)

    def overwrite_payload(self, name: str, body: SetPayload, wait: bool = True) -> UpdateResult:
        """Puts a payload in place of the old ones."""
        return self._update(name, UpdateOperation(overwrite_payload=body), wait)

    def delete_payload(self, name: str, body: DeletePayload, wait: bool = True) -> UpdateResult:
        """Removes what stands at the given paths."""
        return self._update(name, UpdateOperation(delete_payload=body), wait)

    def clear_payload(self, name: str, body: PointsSelector, wait: bool = True) -> UpdateResult:
        """Empties payloads."""
        return self._update(name, UpdateOperation(clear_payload=body), wait)

    def _update(
        self, name: str, operation: UpdateOperation, wait: bool, context: RequestContext | None = None
    ) -> UpdateResult:
        collection = self.collection(name)
        embeddings = self._embedded(operation, context or RequestContext())
        return self._applied(collection, wait, lambda: collection.update(operation, embeddings))

    def _embedded(self, operation: UpdateOperation, context: RequestContext) -> Embeddings:
        body = operation.upsert or operation.update_vectors
        if body is None:
            return NOTHING
        return embed(self.inference, inference_objects(written_vectors(body)), "update", context)

    def _applied(self, collection: Collection, wait: bool, apply: Callable[[], int]) -> UpdateResult:
        """The result of an update, and the builder woken if there is something to index."""
        try:
            operation_id = apply()
        except _APPLIED_LATER as error:
            if wait:
                raise
            _log.warning("An update of %r sent without waiting was dropped: %s", collection.name, error)
            operation_id = collection.version
        self._builder.wake(collection)
        return UpdateResult(operation_id=operation_id, status="completed" if wait else "acknowledged")
