"""How large is a collection, part by part? Numbers for telemetry and metrics."""

from __future__ import annotations

from msgspec import Struct

from qdlite.collection.info import collection_info
from qdlite.collection.queue import UpdateQueue
from qdlite.collection.state import CollectionState
from qdlite.models.info import CollectionInfo


class VectorMeasures(Struct, frozen=True):
    """One named vector: how many points have it, how many of these are indexed, and the memory it takes in bytes."""

    count: int
    indexed: int
    vector_bytes: int
    memory_bytes: int


class CollectionMeasures(Struct, frozen=True):
    """A collection at one moment. `operation`: id of the last operation; `deferred`: points that wait, unseen."""

    info: CollectionInfo
    vectors: dict[str, VectorMeasures]
    payload_bytes: int
    operation: int
    deferred: int

    @property
    def vector_count(self) -> int:
        """Vectors of all names together."""
        return sum(vector.count for vector in self.vectors.values())

    @property
    def indexed_count(self) -> int:
        return sum(vector.indexed for vector in self.vectors.values())

    @property
    def vector_bytes(self) -> int:
        return sum(vector.vector_bytes for vector in self.vectors.values())

    @property
    def memory_bytes(self) -> int:
        return self.payload_bytes + sum(vector.memory_bytes for vector in self.vectors.values())


def collection_measures(state: CollectionState, queue: UpdateQueue) -> CollectionMeasures:
    """To be called under the read lock."""
    vectors = {
        name: VectorMeasures(index.count, index.indexed_count, index.vector_bytes(), index.memory_bytes())
        for name, index in state.vectors.items()
    }
    info = collection_info(state, queue)
    return CollectionMeasures(info, vectors, state.payloads.total_bytes, state.version, queue.deferred_points)
