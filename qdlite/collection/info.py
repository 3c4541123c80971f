"""What does a collection say about itself? The answer of GET /collections/{name}."""

from __future__ import annotations

from msgspec import UNSET

from qdlite.collection.config import inline_storage_warnings
from qdlite.collection.queue import UpdateQueue
from qdlite.collection.state import CollectionState
from qdlite.models.info import CollectionInfo, CollectionWarning, UpdateQueueInfo


def collection_info(state: CollectionState, queue: UpdateQueue) -> CollectionInfo:
    """Status `yellow` while vectors or updates wait for the graph's builder (`grey` if building is turned off)."""
    pending = len(queue) or any(index.pending_work() for index in state.vectors.values())
    warnings = [CollectionWarning(message=text) for text in inline_storage_warnings(state.config)]
    return CollectionInfo(
        status=("grey" if state.is_building_off else "yellow") if pending else "green",
        warnings=warnings or UNSET,
        indexed_vectors_count=sum(index.indexed_count for index in state.vectors.values()),
        points_count=len(state.ids) + queue.deferred_points,
        config=state.config,
        payload_schema=state.fields.schema(),
        update_queue=UpdateQueueInfo(length=len(queue), deferred_points=queue.deferred_points or UNSET),
    )
