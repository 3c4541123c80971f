"""Which stored dense vectors are nearest, exactly?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from qdlite.errors import multi_dense_conversion, sparse_dense_conversion, wrong_dimension
from qdlite.types import BoolArray, Datatype, Distance, FloatArray, Hits, Offset, OffsetArray, VectorArray
from qdlite.vectors.capture import VectorCapture
from qdlite.vectors.distance import BLOCK, SEQUENTIAL_BELOW, similarity, similarity_of, squared_lengths
from qdlite.vectors.growing import grown
from qdlite.vectors.index import SearchParams
from qdlite.vectors.matrix import Matrix, encode, encode_one, without_nan
from qdlite.vectors.select import best, best_among, no_hits
from qdlite.vectors.selection import Selection, Selections
from qdlite.vectors.spans import Rows, distinct, end, lone, size, span, within

if TYPE_CHECKING:
    from qdlite.vectors.scan import Scan

GATHER_SHARE = 5
"""Rows are gathered if fewer than one in this many match; reading all of them in order is faster above that."""

_COMPILED_GATHER_SHARE = 3
"""The same for compiled scans."""

_WORTH_LOADING = 256
"""With fewer rows compiled code costs a process more at its start than it saves later."""

_WORTH_AHEAD = 2048
"""A search that has to make the codes of so many rows takes a millisecond for that."""

_KEPT_SHARE = 7
"""Rows of a filter are kept together only if fewer than one in this many match: a graph is better above that."""

# Upper bound, relative to the norms, of the error of a squared distance computed from norms and a dot product.
_NORM_ERROR = 8e-6


def check_dense(vector: VectorArray, size: int) -> FloatArray:
    """The vector if it is a single one of `size` components; raises `WrongInput` otherwise."""
    if isinstance(vector, tuple):
        raise sparse_dense_conversion()
    if vector.ndim != 1:
        raise multi_dense_conversion()
    if len(vector) != size:
        raise wrong_dimension(size, len(vector))
    return vector


class DenseIndex:
    """A growable matrix, one row an offset, and its exact search."""

    def __init__(self, size: int, distance: Distance, datatype: Datatype = "float32") -> None:
        self.size = size
        self.distance: Distance = distance
        self.datatype: Datatype = datatype
        self._compare = similarity_of(distance, datatype)
        self._rows = Matrix(size, datatype)
        self._present = np.zeros(0, np.bool_)
        self._count = 0
        self._extent = 0
        # Squared lengths let a Euclid scan run at the speed of a matrix product.
        self._by_norms = distance == "Euclid" and size >= SEQUENTIAL_BELOW
        self._norms = np.zeros(0, np.float32)
        self._longest = np.float32(0)
        self._selections = Selections()
        self._scan_if_used: Scan | None = None
        """None also if nobody has needed it yet."""

    @property
    def present(self) -> BoolArray:
        return self._present

    @property
    def count(self) -> int:
        return self._count

    @property
    def indexed_count(self) -> int:
        return 0

    @property
    def extent(self) -> int:
        """One more than the highest offset ever used."""
        return self._extent

    def prepare(self, vector: VectorArray) -> FloatArray:
        return encode_one(check_dense(vector, self.size), self.distance, self.datatype)

    def prepare_query(self, vector: VectorArray) -> FloatArray:
        row, scan = check_dense(vector, self.size), self._scan_if_used
        if scan is not None and self.distance == "Cosine" and self.datatype == "float32":
            scaled = scan.normalised(row)
            if scaled is not None:
                return scaled
        return encode_one(without_nan(row), self.distance, self.datatype)

    def prepare_batch(self, vectors: Sequence[VectorArray] | FloatArray) -> FloatArray:
        """Rows (n, d) from a 2-D array or from single vectors."""
        if len(vectors) == 1:
            return self.prepare(vectors[0])[None, :]
        if not isinstance(vectors, np.ndarray):
            rows = [check_dense(vector, self.size) for vector in vectors]
            vectors = np.array(rows, np.float32).reshape(len(rows), self.size)
        if vectors.shape[1] != self.size:
            raise wrong_dimension(self.size, vectors.shape[1])
        return encode(vectors, self.distance, self.datatype)

    def put(self, at: Rows, vectors: Sequence[VectorArray] | FloatArray) -> None:
        if size(at):
            self._store(at, np.asarray(vectors, np.float32))

    def remove(self, offsets: OffsetArray) -> None:
        self._forget(within(span(offsets), self._extent))

    def _store(self, at: Rows, rows: FloatArray) -> None:
        self._selections.clear()
        extent = end(at)
        if extent > self._extent:
            self._reserve(extent)
        self._rows.write(at, rows)
        if (scan := self._scan_if_used) is not None:
            scan.forget(at)
        self._show(at)
        self._rows.foresee(extent + len(rows))
        if self._by_norms:
            self._norms[at] = squared_lengths(rows)
            self._longest = max(self._longest, self._norms[at].max())

    def _show(self, at: Rows) -> None:
        """Rows are present from now on."""
        row = lone(at)
        if row is None:
            self._count += distinct(at, ~self._present[at])
            self._present[at] = True
        elif not self._present[row]:
            self._count += 1
            self._present[row] = True

    def _forget(self, at: Rows) -> None:
        self._selections.clear()
        self._count -= distinct(at, self._present[at])
        self._present[at] = False

    def get(self, offset: Offset) -> FloatArray | None:
        if offset >= self._extent or not self._present[offset]:
            return None
        row: FloatArray = self._rows.take(np.array([offset]))[0]
        return row

    def make_ready(self, count: int) -> None:
        self._rows.touch(self._extent, self._extent + count)

    def rows(self, offsets: OffsetArray) -> FloatArray:
        """A copy of the stored rows, whether present or not."""
        return self._rows.take(offsets)

    def capture(self) -> VectorCapture:
        sizes = np.full(self._extent, self.size, np.intp)
        return VectorCapture(self._present[: self._extent].copy(), sizes, self._rows.capture(self._extent))

    def weighted(self, query: VectorArray, params: SearchParams) -> VectorArray:
        return query

    def shares(self, query: VectorArray, offsets: OffsetArray) -> BoolArray:
        return np.ones(len(offsets), np.bool_)

    def allowed(self, mask: BoolArray | None) -> BoolArray | None:
        """Mask of the rows that may be results, as long as the matrix is in use; None means all of it."""
        if mask is None:
            return None if self._count == self._extent else self._present[: self._extent]
        within = min(len(mask), self._extent)
        return mask[:within] & self._present[:within]

    def selected(self, mask: BoolArray | None) -> Selection:
        """The present rows that a mask selects."""
        if mask is None:
            return Selection(self.allowed(None), self._count)
        selection = self._selections.find(mask, lambda: self._selection(mask))
        if selection.matching * _KEPT_SHARE < self._extent and self._scan is None:
            row_bytes = 4 * self.size
            if self._selections.keep_rows(selection, row_bytes, self._extent * row_bytes):
                selection.rows = self._rows.take(selection.offsets)
        return selection

    def _selection(self, mask: BoolArray) -> Selection:
        allowed = self.allowed(mask)
        assert allowed is not None
        return Selection(allowed, int(np.count_nonzero(allowed)), mask)

    def search(self, query: VectorArray, limit: int, mask: BoolArray | None, params: SearchParams) -> Hits:
        return self.nearest(cast(FloatArray, query), limit, self.selected(mask))

    def nearest(self, query: FloatArray, limit: int, selection: Selection) -> Hits:
        """Exact search among the rows of a selection."""
        limit, allowed = min(limit, selection.matching), selection.allowed
        if limit <= 0:
            return no_hits()
        if (scan := self._scan) is not None:
            if self._picks_rows(selection):
                return scan.nearest(query, limit, self._extent, selection.offsets, None)
            return scan.nearest(query, limit, self._extent if allowed is None else len(allowed), None, allowed)
        if selection.rows is not None:
            scores = self._similarity(query[None, :], selection.rows)[0]
            chosen = best_among(scores, limit)
            return Hits(selection.offsets[chosen], scores[chosen])
        if allowed is not None and selection.matching * GATHER_SHARE < self._extent:
            return self.nearest_among(query, limit, selection.offsets)
        if self._by_norms and np.isfinite(self._longest):
            return self._nearest_by_norms(query, limit, allowed)
        scores = self._read(query[None, :], 0, self._extent if allowed is None else len(allowed))[0]
        chosen = best(scores, limit, allowed)
        return Hits(chosen, scores[chosen])

    def _picks_rows(self, selection: Selection) -> bool:
        """Whether a compiled scan reads only the rows of a selection, rather than all of them in order."""
        return selection.allowed is not None and selection.matching * _COMPILED_GATHER_SHARE < self._extent

    def nearest_among(self, query: FloatArray, limit: int, offsets: OffsetArray) -> Hits:
        """Exact search among ascending offsets, reading only their rows."""
        limit = min(limit, len(offsets))
        if limit <= 0:
            return no_hits()
        if (scan := self._scan) is not None:
            return scan.nearest(query, limit, self._extent, offsets, None)
        scores = self._score(query[None, :], offsets)[0]
        chosen = best_among(scores, limit)
        return Hits(offsets[chosen], scores[chosen])

    def similarities(self, vectors: Sequence[VectorArray], offsets: OffsetArray) -> FloatArray:
        return self._score(np.asarray(vectors, np.float32).reshape(-1, self.size), offsets)

    def _similarity(self, queries: FloatArray, rows: FloatArray) -> FloatArray:
        """Each query on its own: a product with all at once rounds differently, and differences of similarities, as in
        a context search, show that."""
        if len(queries) == 1:
            return self._compare(queries, rows)
        scores = np.empty((len(queries), len(rows)), np.float32)
        for position in range(len(queries)):
            scores[position] = self._compare(queries[position : position + 1], rows)[0]
        return scores

    @property
    def _scan(self) -> Scan | None:
        """The compiled comparison of rows, if there is one for such rows and loading it is worth while."""
        return self._compiled_scan if self._extent >= _WORTH_LOADING else None

    @cached_property
    def _compiled_scan(self) -> Scan | None:
        from qdlite.vectors.scan import scan_of

        self._scan_if_used = scan_of(self._rows, self.distance, self.datatype)
        return self._scan_if_used

    @property
    def _coded(self) -> bool:
        """Whether an exact search reads one byte a component."""
        return self._scan is not None and self._scan.coded

    @property
    def is_behind(self) -> bool:
        if self._extent < _WORTH_AHEAD:
            return False
        scan = self._scan
        return scan is not None and scan.coded and scan.lacking(self._extent) >= _WORTH_AHEAD

    def settle(self, most: int) -> None:
        if (scan := self._scan) is not None and scan.coded:
            scan.encode(self._extent, most)

    @property
    def buries(self) -> bool:
        return False

    def pending_work(self) -> int:
        return 0

    @property
    def wishes(self) -> bool:
        return False

    def build_step(self, budget: float) -> bool:
        return False

    def memory_bytes(self) -> int:
        codes = 0 if self._scan_if_used is None else self._scan_if_used.nbytes
        return self._rows.nbytes + self._present.nbytes + self._norms.nbytes + self._selections.nbytes + codes

    def vector_bytes(self) -> int:
        return self._count * self._rows.row_bytes

    def _reserve(self, extent: int) -> None:
        self._rows.reserve(extent)
        self._present = grown(self._present, self._rows.capacity, False)
        if self._by_norms:
            self._norms = grown(self._norms, self._rows.capacity, 0)
        self._extent = extent

    def _score(self, queries: FloatArray, offsets: OffsetArray) -> FloatArray:
        """Similarities to the rows at `offsets`: read in order if they are close together, else gathered."""
        if not len(offsets):
            return np.empty((len(queries), 0), np.float32)
        start, stop = int(offsets.min()), int(offsets.max()) + 1
        if stop - start > len(offsets) * GATHER_SHARE or len(queries) * (stop - start) > 16 * BLOCK:
            return self._gather(queries, offsets)
        scores = self._read(queries, start, stop)
        return scores if stop - start == len(offsets) and _ascending(offsets) else scores[:, offsets - start]

    def _read(self, queries: FloatArray, start: int, stop: int) -> FloatArray:
        """Similarities to all rows from `start` to `stop`, also to those not present."""
        if self._rows.is_float:
            return self._similarity(queries, self._rows.slice(start, stop))
        scores = np.empty((len(queries), stop - start), np.float32)
        step = max(1, BLOCK // self.size)
        for low in range(start, stop, step):
            high = min(low + step, stop)
            scores[:, low - start : high - start] = self._similarity(queries, self._rows.slice(low, high))
        return scores

    def _gather(self, queries: FloatArray, offsets: OffsetArray) -> FloatArray:
        step = max(1, BLOCK // self.size)
        if len(offsets) <= step:
            return self._similarity(queries, self._rows.take(offsets))
        scores = np.empty((len(queries), len(offsets)), np.float32)
        for start in range(0, len(offsets), step):
            part = offsets[start : start + step]
            scores[:, start : start + step] = self._similarity(queries, self._rows.take(part))
        return scores

    def _nearest_by_norms(self, query: FloatArray, limit: int, allowed: BoolArray | None) -> Hits:
        """Euclid: rank all rows by their norms and a matrix product, then compare exactly all that could be
        among the best given the rounding of that shortcut."""
        extent = self._extent if allowed is None else len(allowed)
        length = float(squared_lengths(query[None, :])[0])
        coarse = 2 * self._dots(query)[:extent] - self._norms[:extent]
        worst = coarse[best(coarse, limit, allowed)[-1]]
        margin = np.float32(2 * _NORM_ERROR * (float(self._longest) + length))
        possible = coarse >= worst - margin
        return self.nearest_among(query, limit, np.flatnonzero(possible if allowed is None else possible & allowed))

    def _dots(self, query: FloatArray) -> FloatArray:
        scores = np.empty(self._extent, np.float32)
        step = self._extent if self._rows.is_float else max(1, BLOCK // self.size)
        for start in range(0, self._extent, step):
            stop = min(start + step, self._extent)
            scores[start:stop] = similarity("Dot", query[None, :], self._rows.slice(start, stop))[0]
        return scores


def _ascending(offsets: OffsetArray) -> bool:
    return bool(np.all(offsets[1:] > offsets[:-1]))
