"""What does a collection say about itself? The answer of GET /collections/{name}."""

from __future__ import annotations

from msgspec import UNSET

from qdlite.collection.config import inline_storage_warnings
from qdlite.collection.state import CollectionState
from qdlite.models.collections import CollectionInfo, CollectionWarning


def collection_info(state: CollectionState) -> CollectionInfo:
    """Status `yellow` while vectors wait for the graph's builder, else `green`."""
    pending = any(index.pending_work() for index in state.vectors.values())
    warnings = [CollectionWarning(message=text) for text in inline_storage_warnings(state.config)]
    return CollectionInfo(
        status="yellow" if pending else "green",
        warnings=warnings or UNSET,
        indexed_vectors_count=sum(index.indexed_count for index in state.vectors.values()),
        points_count=len(state.ids),
        config=state.config,
        payload_schema=state.fields.schema(),
    )
