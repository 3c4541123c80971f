"""Which stored sparse vectors have the largest dot product with a query?"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from qdlite.errors import multi_dense_conversion, sparse_dense_conversion
from qdlite.types import BoolArray, FloatArray, Hits, Offset, OffsetArray, SparseArray, VectorArray
from qdlite.vectors.accumulate import PostingList, largest_sums
from qdlite.vectors.capture import VectorCapture
from qdlite.vectors.index import SearchParams
from qdlite.vectors.postings import Postings
from qdlite.vectors.select import no_hits
from qdlite.vectors.spans import Rows, listed
from qdlite.vectors.sparse_rows import SparseRows

Modifier: TypeAlias = Literal["none", "idf"]

_MERGE_SHARE = 4
_UNSORTED_ROWS = 4096
_COMPACT_ABOVE = 1024
_COMPACT_SHARE = 0.3
_WORTH_MERGING = 100_000
_LARGE = 1 << 20
_MOST_PARTS = 12


class SparseIndex:
    """Sparse vectors and an inverted index over them.

    The index is a short list of immutable posting sets for consecutive ranges of rows. Fresh rows are sorted into
    a new set when they are first searched, and a set is merged with its predecessor when it has grown to a quarter
    of it: so a load costs a constant number of passes over each posting, and there are only a few sets.
    """

    def __init__(self, modifier: Modifier = "none") -> None:
        self.modifier: Modifier = modifier
        self._rows = SparseRows()
        self._parts: tuple[Postings, ...] = ()
        self._sorted_rows = 0
        self._sorting = threading.Lock()
        self._local = threading.local()

    @property
    def present(self) -> BoolArray:
        return self._rows.present

    @property
    def count(self) -> int:
        return self._rows.count

    @property
    def indexed_count(self) -> int:
        return self._rows.count

    def prepare(self, vector: VectorArray) -> SparseArray:
        """Indices in ascending order, values beside them."""
        if not isinstance(vector, tuple):
            raise sparse_dense_conversion() if vector.ndim == 1 else multi_dense_conversion()
        indices, values = np.asarray(vector.indices, np.uint32), np.asarray(vector.values, np.float32)
        if np.any(indices[1:] < indices[:-1]):
            order = np.argsort(indices)
            indices, values = indices[order], values[order]
        return SparseArray(indices, values)

    def prepare_query(self, vector: VectorArray) -> SparseArray:
        return self.prepare(vector)

    def prepare_batch(self, vectors: Sequence[VectorArray] | FloatArray) -> list[VectorArray]:
        return [self.prepare(vector) for vector in vectors]

    def put(self, at: Rows, vectors: Sequence[VectorArray] | FloatArray) -> None:
        self._rows.append(listed(at), cast(Sequence[SparseArray], vectors))
        self._compact_if_needed()
        if self._rows.used - self._sorted_rows > _UNSORTED_ROWS:
            self._postings()

    def remove(self, offsets: OffsetArray) -> None:
        self._rows.remove(offsets)
        self._compact_if_needed()

    def get(self, offset: Offset) -> SparseArray | None:
        return self._rows.get(offset)

    def capture(self) -> VectorCapture:
        return self._rows.capture()

    def weighted(self, query: VectorArray, params: SearchParams) -> SparseArray:
        """With the `idf` modifier, each value times ln((n - df + 0.5) / (df + 0.5) + 1), in float32: n points hold
        this vector and df of them the index, counted over the corpus."""
        sparse = cast(SparseArray, query)
        if self.modifier != "idf":
            return sparse
        corpus = self._rows.living(params.idf_corpus)
        total = self.count if params.idf_corpus is None or corpus is None else int(np.count_nonzero(corpus))
        held = np.zeros(len(sparse.indices), np.float32)
        for part in self._postings():
            starts, ends = part.lists(sparse.indices)
            if corpus is None:
                held += ends - starts
            else:
                for term, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
                    held[term] += np.count_nonzero(corpus[part.rows[start:end]])
        half, one = np.float32(0.5), np.float32(1)
        weights = np.log((np.float32(total) - held + half) / (held + half) + one)
        with np.errstate(over="ignore", invalid="ignore"):
            return SparseArray(sparse.indices, sparse.values * weights)

    def search(self, query: VectorArray, limit: int, mask: BoolArray | None, params: SearchParams) -> Hits:
        sparse = self.weighted(query, params)
        limit = min(limit, self.count)
        if limit <= 0 or not len(sparse.indices):
            return no_hits()
        from qdlite.vectors import kernels

        compiled, allowed = kernels.installed(), self._rows.living(mask)
        if compiled is not None:
            parts = self._postings()  # held while they are read: `build_step` may put others in their place
            return self._by_offset(*compiled.largest_sums([part.addresses for part in parts], sparse, limit, allowed))
        return self._by_offset(*largest_sums(self._lists(sparse), self._buffer(), limit, allowed))

    def similarities(self, vectors: Sequence[VectorArray], offsets: OffsetArray) -> FloatArray:
        terms, values, lengths = self._rows.postings_at(offsets)
        owners = np.repeat(np.arange(len(offsets)), lengths)
        scores = np.zeros((len(vectors), len(offsets)), np.float32)
        for position, vector in enumerate(vectors):
            at, found = _matches(terms, cast(SparseArray, vector))
            products = values[found] * cast(SparseArray, vector).values[at]
            scores[position] = np.bincount(owners[found], products, len(offsets))
        return scores

    def shares(self, query: VectorArray, offsets: OffsetArray) -> BoolArray:
        terms, _, lengths = self._rows.postings_at(offsets)
        _, found = _matches(terms, cast(SparseArray, query))
        shared = np.zeros(len(offsets), np.bool_)
        shared[np.repeat(np.arange(len(offsets)), lengths)[found]] = True
        return shared

    @property
    def buries(self) -> bool:
        return False

    def pending_work(self) -> int:
        """Vectors in posting sets that are worth merging, now or when nobody waits for it."""
        later = self._parts[1:]
        return sum(part.row_count for part in later) if sum(map(len, later)) > _WORTH_MERGING else 0

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
        """Merge all posting sets; they never change, so this needs no lock until the result takes their place."""
        parts = self._parts
        if self.pending_work():
            merged = parts[0]
            for part in parts[1:]:
                merged = merged.followed_by(part)
            with self._sorting:
                if self._parts[: len(parts)] == parts:
                    self._parts = (merged, *self._parts[len(parts) :])
        return self.pending_work() > 0

    def memory_bytes(self) -> int:
        return self._rows.nbytes + sum(part.nbytes for part in self._parts)

    def vector_bytes(self) -> int:
        return self._rows.posting_bytes

    def _lists(self, query: SparseArray) -> list[PostingList]:
        """The posting lists of the query's indices, empty ones left out."""
        lists: list[PostingList] = []
        for part in self._postings():
            rows, values = part.rows, part.values
            starts, ends = part.lists(query.indices)
            spans = zip(starts.tolist(), ends.tolist(), query.values, strict=True)
            lists += [PostingList(rows[at:end], values[at:end], weight) for at, end, weight in spans if at < end]
        return lists

    def _by_offset(self, rows: OffsetArray, scores: FloatArray) -> Hits:
        """Hits from rows that are best first. Equal scores go by offset; those cut off at the limit went by row."""
        if self._rows.aligned:
            return Hits(rows, scores)
        offsets = self._rows.offsets(rows)
        order = np.lexsort((offsets, -scores))
        return Hits(offsets[order], scores[order])

    def _buffer(self) -> FloatArray:
        """This thread's score for each row, all 0."""
        buffer: FloatArray | None = getattr(self._local, "buffer", None)
        if buffer is None or len(buffer) < self._rows.used:
            buffer = self._local.buffer = np.zeros(self._rows.used + self._rows.used // 4, np.float32)
        return buffer[: self._rows.used]

    def _postings(self) -> tuple[Postings, ...]:
        """The posting sets, up to date with the rows."""
        if self._sorted_rows < self._rows.used:
            with self._sorting:
                if self._sorted_rows < self._rows.used:
                    self._sort_fresh_rows()
        return self._parts

    def _sort_fresh_rows(self) -> None:
        first, last = self._sorted_rows, self._rows.used
        parts = [*self._parts, Postings.of(*self._rows.postings(first, last), last - first)]
        while len(parts) > 1 and len(parts[-1]) * _MERGE_SHARE >= len(parts[-2]):
            # Large ones wait for `build_step`, unless nobody calls it.
            if len(parts[-2]) > _LARGE and len(parts) <= _MOST_PARTS:
                break
            later = parts.pop()
            parts[-1] = parts[-1].followed_by(later)
        # In this order: another reader that sees the rows as sorted must find their postings.
        self._parts = tuple(parts)
        self._sorted_rows = last

    def _compact_if_needed(self) -> None:
        used = self._rows.used
        if used > _COMPACT_ABOVE and used - self._rows.count > _COMPACT_SHARE * used:
            self._rows = self._rows.living_only()
            self._parts, self._sorted_rows = (), 0


def _matches(terms: NDArray[np.uint32], query: SparseArray) -> tuple[OffsetArray, BoolArray]:
    """Which of many terms the query holds (mask), and where in the query each of these is."""
    if not len(query.indices):
        return np.empty(0, np.intp), np.zeros(len(terms), np.bool_)
    at = np.minimum(np.searchsorted(query.indices, terms), len(query.indices) - 1)
    found = query.indices[at] == terms
    return at[found], found
