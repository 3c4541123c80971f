"""What does a collection consist of at one moment, and how does it come back from that?

A capture is taken under the read lock in no time, and read without any lock: as a sequence of upserts, each small
enough to be handled as a whole. Applying them to an empty state gives an equal collection; archives and clones are
made of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from qdlite.collection.config import sparse_params
from qdlite.collection.operations import CreateIndex, Upsert, VectorColumn
from qdlite.collection.state import CollectionState
from qdlite.errors import WrongInput
from qdlite.models.decoding import encode
from qdlite.models.info import CollectionConfig
from qdlite.types import OffsetArray, PointId
from qdlite.vectors.capture import VectorCapture

PART_BYTES = 4 * 2**20
"""About how much a part of a capture holds; one point may be larger."""
_POINT_BYTES = 64
_NUMBER_BYTES = 4


class Part(NamedTuple):
    """Some points, and the operation that last changed each of them (int64)."""

    points: Upsert
    versions: NDArray[np.int64]


class CollectionCapture(Struct, frozen=True):
    """A collection as it was, to be read while others write. `ids`, `payloads` and `versions` are by offset."""

    config: CollectionConfig
    version: int
    indexes: list[CreateIndex]
    offsets: OffsetArray
    """Where the points are, ascending."""
    ids: Sequence[PointId]
    versions: NDArray[np.int64]
    payloads: Sequence[bytes]
    vectors: dict[str, VectorCapture]

    @classmethod
    def of(cls, state: CollectionState) -> CollectionCapture:
        """The state as it is now. To be called under the read lock."""
        extent = state.ids.extent
        payloads = state.payloads.all_raw()
        payloads += [state.payloads.raw(extent)] * (extent - len(payloads))
        return cls(
            config=state.config,
            version=state.version,
            indexes=[
                CreateIndex(str(path), index.schema, index.params) for path, index in state.fields.indexes.items()
            ],
            offsets=np.flatnonzero(state.ids.alive[:extent]),
            ids=list(state.ids.all_ids),
            versions=state.ids.versions[:extent].copy(),
            payloads=payloads,
            vectors={name: index.capture() for name, index in state.vectors.items()},
        )

    def parts(self) -> Iterator[Part]:
        """All points, in the order of their offsets."""
        blocks = np.cumsum(self._weights()) // PART_BYTES
        for offsets in np.split(self.offsets, np.flatnonzero(np.diff(blocks)) + 1):
            if len(offsets):
                yield Part(self._upsert(offsets), self.versions[offsets])

    def _weights(self) -> NDArray[np.intp]:
        """About how many bytes each point takes."""
        weights = np.array([len(self.payloads[offset]) for offset in self.offsets.tolist()], np.intp) + _POINT_BYTES
        for capture in self.vectors.values():
            rows = _holding(capture, self.offsets)
            weights[rows] += capture.sizes[self.offsets[rows]] * _NUMBER_BYTES
        return weights

    def _upsert(self, offsets: OffsetArray) -> Upsert:
        at = offsets.tolist()
        columns = {}
        for name, capture in self.vectors.items():
            rows = _holding(capture, offsets)
            if len(rows):
                columns[name] = VectorColumn(rows, capture.take(offsets[rows]))
        return Upsert([self.ids[offset] for offset in at], columns, [self.payloads[offset] for offset in at])


def restored(
    config: CollectionConfig, version: int, parts: Iterable[Part], indexes: Iterable[CreateIndex]
) -> CollectionState:
    """A state equal to the captured one, its points numbered afresh in the same order."""
    state = CollectionState(config)
    for part in parts:
        state.restore(part.points, part.versions)
    for index in indexes:
        state.create_index(index)
    state.version = version
    return state


def check_compatible(existing: CollectionConfig, recovered: CollectionConfig) -> None:
    """Raises WrongInput if points of a collection configured like `recovered` do not fit into one like `existing`."""
    for what, ours, theirs in (
        ("vectors", existing.params.vectors, recovered.params.vectors),
        ("sparse vectors", sorted(sparse_params(existing)), sorted(sparse_params(recovered))),
        ("shard number", existing.params.shard_number, recovered.params.shard_number),
    ):
        if ours != theirs:
            raise WrongInput(
                "Snapshot is not compatible with existing collection: "
                f"Collection {what}: {encode(ours).decode()} Snapshot {what}: {encode(theirs).decode()}"
            )


def _holding(capture: VectorCapture, offsets: OffsetArray) -> OffsetArray:
    """Positions of those offsets at which there is a vector."""
    within = offsets < len(capture.present)
    within[within] = capture.present[offsets[within]]
    return np.flatnonzero(within)
