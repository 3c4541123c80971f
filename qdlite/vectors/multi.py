"""Which stored multivectors are nearest by MaxSim?

MaxSim: for each sub-vector of the query the largest similarity to any stored sub-vector of the point, summed over
the sub-vectors of the query (https://arxiv.org/abs/2004.12832, section 3.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from qdlite.errors import sparse_dense_conversion, wrong_dimension
from qdlite.types import BoolArray, Datatype, Distance, FloatArray, Hits, Offset, OffsetArray, VectorArray
from qdlite.vectors.capture import VectorCapture
from qdlite.vectors.distance import BLOCK, similarity_of
from qdlite.vectors.growing import grown
from qdlite.vectors.index import SearchParams
from qdlite.vectors.matrix import Matrix, encode, without_nan
from qdlite.vectors.ranges import concatenated_ranges
from qdlite.vectors.select import best_among, no_hits
from qdlite.vectors.spans import Rows, listed

_COMPACT_ABOVE = 1024


class MultiIndex:
    """All sub-vectors in one matrix; a point is a run of its rows. Replaced runs are left behind as garbage until
    they make up more than half of the matrix."""

    def __init__(self, size: int, distance: Distance, datatype: Datatype = "float32") -> None:
        self.size = size
        self.distance: Distance = distance
        self.datatype: Datatype = datatype
        self._similarity = similarity_of(distance, datatype)
        self._rows = Matrix(size, datatype)
        self._used = 0
        self._alive = 0
        self._starts: NDArray[np.intp] = np.zeros(0, np.intp)
        self._lengths: NDArray[np.intp] = np.zeros(0, np.intp)
        self._present = np.zeros(0, np.bool_)
        self._count = 0

    @property
    def present(self) -> BoolArray:
        return self._present

    @property
    def count(self) -> int:
        return self._count

    @property
    def indexed_count(self) -> int:
        return 0

    def prepare(self, vector: VectorArray) -> FloatArray:
        """Sub-vectors (k, size); a single vector is a multivector of one."""
        if isinstance(vector, tuple):
            raise sparse_dense_conversion()
        rows = np.atleast_2d(vector)
        if rows.shape[1] != self.size:
            raise wrong_dimension(self.size, rows.shape[1])
        return encode(rows, self.distance, self.datatype)

    def prepare_query(self, vector: VectorArray) -> FloatArray:
        return self.prepare(vector if isinstance(vector, tuple) else without_nan(vector))

    def prepare_batch(self, vectors: Sequence[VectorArray] | FloatArray) -> list[VectorArray]:
        return [self.prepare(vector) for vector in vectors]

    def put(self, at: Rows, vectors: Sequence[VectorArray] | FloatArray) -> None:
        offsets = listed(at)
        if not len(offsets):
            return
        self.remove(offsets)
        parts = cast(Sequence[FloatArray], vectors)
        lengths = np.array([len(part) for part in parts], np.intp)
        starts = self._used + np.concatenate(([0], np.cumsum(lengths)[:-1]))
        self._reserve(int(offsets.max()) + 1)
        end = self._used + int(lengths.sum())
        self._rows.reserve(end)
        self._rows.write(slice(self._used, end), np.concatenate(parts))
        self._used = end
        self._starts[offsets], self._lengths[offsets] = starts, lengths
        self._present[offsets] = True
        self._changed(offsets, 1)

    def remove(self, offsets: OffsetArray) -> None:
        offsets = offsets[offsets < len(self._present)]
        offsets = offsets[self._present[offsets]]
        self._changed(offsets, -1)
        self._present[offsets] = False
        if self._used > max(2 * self._alive, _COMPACT_ABOVE):
            self._compact()

    def get(self, offset: Offset) -> FloatArray | None:
        if offset >= len(self._present) or not self._present[offset]:
            return None
        start = self._starts[offset]
        return self._rows.take(np.arange(start, start + self._lengths[offset]))

    def capture(self) -> VectorCapture:
        starts, lengths, rows = self._starts.copy(), self._lengths.copy(), self._rows.capture(self._used)

        def take(offsets: OffsetArray) -> list[VectorArray]:
            ends = np.cumsum(lengths[offsets])
            taken = rows(concatenated_ranges(starts[offsets], lengths[offsets]))
            begins = ends - lengths[offsets]
            return [taken[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]

        return VectorCapture(self._present.copy(), lengths * self.size, take)

    def weighted(self, query: VectorArray, params: SearchParams) -> VectorArray:
        return query

    def shares(self, query: VectorArray, offsets: OffsetArray) -> BoolArray:
        return np.ones(len(offsets), np.bool_)

    def search(self, query: VectorArray, limit: int, mask: BoolArray | None, params: SearchParams) -> Hits:
        within = len(self._present) if mask is None else min(len(mask), len(self._present))
        present = self._present[:within]
        offsets = np.flatnonzero(present if mask is None else present & mask[:within])
        limit = min(limit, len(offsets))
        if limit <= 0:
            return no_hits()
        scores = self._max_sim(cast(FloatArray, query), offsets)
        chosen = best_among(scores, limit)
        return Hits(offsets[chosen], scores[chosen])

    def similarities(self, vectors: Sequence[VectorArray], offsets: OffsetArray) -> FloatArray:
        scores = [self._max_sim(cast(FloatArray, vector), offsets) for vector in vectors]
        return np.array(scores, np.float32).reshape(len(scores), len(offsets))

    @property
    def buries(self) -> bool:
        return False

    def pending_work(self) -> int:
        return 0

    @property
    def is_behind(self) -> bool:
        return False

    def settle(self, most: int) -> None:
        return

    def make_ready(self, count: int) -> None:
        return

    @property
    def wishes(self) -> bool:
        return False

    def build_step(self, budget: float) -> bool:
        return False

    def memory_bytes(self) -> int:
        return self._rows.nbytes + self._starts.nbytes + self._lengths.nbytes + self._present.nbytes

    def vector_bytes(self) -> int:
        return self._alive * self._rows.row_bytes

    def _changed(self, offsets: OffsetArray, sign: int) -> None:
        unique = np.unique(offsets)
        self._count += sign * len(unique)
        self._alive += sign * int(self._lengths[unique].sum())

    def _reserve(self, extent: int) -> None:
        self._starts = grown(self._starts, extent, 0)
        self._lengths = grown(self._lengths, extent, 0)
        self._present = grown(self._present, extent, False)

    def _compact(self) -> None:
        """Copy the living runs to the front, in the order of their offsets."""
        offsets = np.flatnonzero(self._present)
        lengths = self._lengths[offsets]
        self._rows.keep(concatenated_ranges(self._starts[offsets], lengths))
        self._starts[offsets] = np.cumsum(lengths) - lengths
        self._used = self._alive

    @np.errstate(over="ignore", invalid="ignore")
    def _max_sim(self, query: FloatArray, offsets: OffsetArray) -> FloatArray:
        """Internal similarity of one multivector (q, size) to the points at `offsets`."""
        scores = np.empty(len(offsets), np.float32)
        lengths = self._lengths[offsets]
        # Points of one block have about as many rows as give a block of floats, as rows or as similarities.
        rows = max(1, BLOCK // max(self.size, len(query)))
        block = np.cumsum(lengths) // rows
        bounds = np.flatnonzero(np.diff(block, prepend=-1, append=-1)) if len(offsets) else block
        for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            scores[start:stop] = self._max_sim_block(query, offsets[start:stop])
        return scores

    def _max_sim_block(self, query: FloatArray, offsets: OffsetArray) -> FloatArray:
        starts, lengths = self._starts[offsets], self._lengths[offsets]
        ends = np.cumsum(lengths)
        first, last = int(starts[0]), int(starts[-1] + lengths[-1])
        adjacent = last - first == ends[-1] and bool(np.all(starts[1:] == starts[:-1] + lengths[:-1]))
        rows = self._rows.slice(first, last) if adjacent else self._rows.take(concatenated_ranges(starts, lengths))
        largest = np.maximum.reduceat(self._similarity(query, rows), ends - lengths, axis=1)
        total = np.zeros(len(offsets), np.float32)
        for similarities in largest:  # one after the other, in float32, as Qdrant adds them
            total += similarities
        return total
