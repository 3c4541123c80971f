"""How do graphs keep up with rows that are written, beside those who search and write?"""

from __future__ import annotations

import threading
import time

import numpy as np
from numpy.typing import NDArray

from qdlite.types import BoolArray, Datatype, Distance, FloatArray, OffsetArray
from qdlite.vectors import links
from qdlite.vectors.dense import DenseIndex
from qdlite.vectors.distance import normalise
from qdlite.vectors.graph import GRAPH_THREADS, Graph
from qdlite.vectors.growing import grown
from qdlite.vectors.index import HnswParams
from qdlite.vectors.links import GraphShape
from qdlite.vectors.spans import Rows, lone
from qdlite.vectors.subsets import SubsetGraphs

_EUCLID: dict[Distance, bool] = {"Dot": False, "Cosine": False, "Euclid": True}
"""The distances that graphs know, and whether they are the Euclidean one."""

_BATCH_SECONDS = 0.02
"""The builder looks up from its work so often."""
_WAITED_SECONDS = 0.006
"""The same if a search may have to wait for that."""
_SEARCHED_SECONDS = 0.0015
"""And if there are searches."""
_BUSY_SECONDS = 0.25
"""So long after a search there are searches, and after a write writes."""
_SMALLEST_BATCH = 5
_LARGEST_BATCH = 1024

_MOST_INFLOW = 1000
"""If more rows than this are written during a step, it has no use to index beside them."""

_REBUILD_SHARE = 0.25
_REBUILD_ABOVE = 1000
"""A graph of more labels, of which more than this share are dead, gets a successor."""


class IndexedRows(DenseIndex):
    """Exact storage with graphs beside it: one of all rows, and those of filters that are often asked. `build_step`
    brings them up to date; what a graph does not know yet it calls missing."""

    def __init__(
        self, size: int, distance: Distance, datatype: Datatype = "float32", params: HnswParams | None = None
    ) -> None:
        super().__init__(size, distance, datatype)
        self.params = params or HnswParams()
        self.indexing_rows = self._rows_in(self.params.indexing_threshold)
        """Up to so many vectors there is no graph."""
        self._graph: Graph | None = None
        # A successor is built beside the graph when that has too many dead labels or other parameters are wanted.
        self._successor: Graph | None = None
        self._subsets = SubsetGraphs()
        # Guards the rows against being copied by the builder while a writer changes them.
        self._writing = threading.Lock()
        self._building = threading.Lock()
        # Which change was the last of each row.
        self._generation = np.zeros(0, np.int64)
        self._changes = 0
        self._backlog: OffsetArray = np.empty(0, np.intp)
        self._extending = False
        self._batch = _SMALLEST_BATCH
        self._searched_at = 0.0
        self._written_at = 0.0
        self._written = 0
        self._written_before = 0

    @property
    def indexed_count(self) -> int:
        graph = self._graph
        return graph.live if graph else 0

    @property
    def can_have_graph(self) -> bool:
        """Whether the settings, the distance and the installation allow a graph at all."""
        params = self.params
        return bool(params.m and params.indexing_threshold and self.distance in _EUCLID and links.available())

    def configure(self, params: HnswParams) -> None:
        """Take over other settings; the graph is rebuilt in the background if its shape changes."""
        with self._writing:
            self.params = params
            self.indexing_rows = self._rows_in(params.indexing_threshold)
            self._subsets.clear()
            if not self._wants_graph():
                self._graph = self._successor = None
            elif self._graph and self._graph.shape != self._shape():
                self._successor = Graph(self._shape())

    @property
    def buries(self) -> bool:
        return self._graph is not None

    def pending_work(self) -> int:
        if self._graph is None and self._count <= self.indexing_rows:
            return 0
        with self._writing:
            if not self._wants_graph():
                return 0
            target = self._successor or self._graph
            if target is None:
                return self._count
            return self._count - target.live + target.dying

    @property
    def wishes(self) -> bool:
        return self._subsets.wanted

    def build_step(self, budget: float) -> bool:
        with self._building:
            if self._is_loading():
                time.sleep(budget)
                return True
            deadline = time.monotonic() + budget
            while self.pending_work() and time.monotonic() < deadline:
                self._extending = True
                self._advance()
            self._extending = False
            while self.wishes and time.monotonic() < deadline:
                self._advance_subset()
            return self.wishes or self.pending_work() > 0

    def memory_bytes(self) -> int:
        own = super().memory_bytes() + self._generation.nbytes
        return own + sum(graph.memory_bytes() for graph in self._graphs())

    # Writing

    def _store(self, at: Rows, rows: FloatArray) -> None:
        with self._writing:
            super()._store(at, rows)
            self._touch(at)
            self._written += len(rows)
            self._written_at = time.monotonic()

    def _reserve(self, extent: int) -> None:
        super()._reserve(extent)
        self._generation = grown(self._generation, extent, 0)

    def _forget(self, at: Rows) -> None:
        with self._writing:
            super()._forget(at)
            self._touch(at)

    def _touch(self, at: Rows) -> None:
        """Rows changed: whatever the builder copied of them is void, and the graphs must forget them."""
        self._changes += 1
        row = lone(at)
        self._generation[at if row is None else row] = self._changes
        for graph in (self._graph, self._successor):
            if graph:
                graph.forget(at)
        self._subsets.forget(at)

    # Building

    def _advance(self) -> None:
        """Another batch of rows."""
        with self._writing:
            target = self._target()
            offsets = self._next_batch(target)
            rows = self._graph_rows(offsets)
            generations = self._generation[offsets]
        target.bury()
        if len(offsets):
            began = time.monotonic()
            self._extend(target, offsets, rows, generations)
            self._adapt(len(offsets), time.monotonic() - began, target.holds_up)
        with self._writing:
            if target is self._successor and target.live == self._count:
                self._graph, self._successor = target, None

    def _target(self) -> Graph:
        """The graph to extend; begins one if there is none, or a successor if too much of it is dead."""
        if self._graph is None:
            self._graph = Graph(self._shape())
        elif self._successor is None and self._graph.used > _REBUILD_ABOVE and self._graph.dead_share > _REBUILD_SHARE:
            self._successor = Graph(self._shape())
        return self._successor or self._graph

    def _next_batch(self, target: Graph) -> OffsetArray:
        """Some offsets that the target lacks, from a list made once for many batches."""
        if not len(self._backlog):
            self._backlog = target.missing(self._present[: self._extent])
        # hnswlib works in one thread unless there are more than four rows for each.
        size = max(self._batch, 5 * self._threads())
        batch, self._backlog = self._backlog[:size], self._backlog[size:]
        return batch[self._present[batch] & ~target.holds(batch)]

    def _advance_subset(self) -> None:
        """The same for the graph of a filter, which no search uses before it is complete."""
        with self._writing:
            if not self.wishes:
                return
            subset = self._subsets.growing(self._shape())
            batch = subset.next_batch()
            batch = batch[self._present[batch]]
            rows, generations = self._graph_rows(batch), self._generation[batch]
        self._extend(subset.graph, batch, rows, generations)
        with self._writing:
            if not len(subset.backlog) and subset.graph in self._subsets.graphs:
                self._subsets.finish(4 * self.size * self._extent)

    def _extend(self, target: Graph, offsets: OffsetArray, rows: FloatArray, generations: NDArray[np.int64]) -> None:
        """Adds rows to a graph, but for those that were written since they were copied."""
        labels = target.insert(rows, self._threads())
        with self._writing:
            valid: BoolArray = self._generation[offsets] == generations
            target.connect(labels, offsets, valid & self._present[offsets])

    def _graph_rows(self, offsets: OffsetArray) -> FloatArray:
        """Rows as the graph compares them: cosine of bytes needs them normalised here."""
        rows = self.rows(offsets)
        return normalise(rows) if self.distance == "Cosine" and self.datatype == "uint8" else rows

    def _adapt(self, rows: int, spent: float, holds_up: bool) -> None:
        """Chooses the size of the next batch by the time that `rows` took."""
        waited = _SEARCHED_SECONDS if self._busy() else _WAITED_SECONDS
        ideal = rows * (waited if holds_up else _BATCH_SECONDS) / max(spent, 1e-5)
        self._batch = int(min(max(ideal, self._batch / 2, _SMALLEST_BATCH), 2 * self._batch, _LARGEST_BATCH))

    def _threads(self) -> int:
        """While somebody searches or writes, the builder leaves the other processors alone."""
        return 1 if self._busy() or _lately(self._written_at) else GRAPH_THREADS

    def _busy(self) -> bool:
        """Whether there are searches."""
        return _lately(self._searched_at)

    def _is_loading(self) -> bool:
        """Whether somebody searches while rows come in much faster than they could be indexed. Scanning those costs a
        search less than a builder beside it, for which there is time as soon as the rows are there."""
        inflow, self._written_before = self._written - self._written_before, self._written
        return self._busy() and inflow > _MOST_INFLOW

    # Settings

    def _wants_graph(self) -> bool:
        return self.can_have_graph and (self._graph is not None or self._count > self.indexing_rows)

    def _shape(self) -> GraphShape:
        return GraphShape(_EUCLID[self.distance], self.size, self.params.m, self.params.ef_construct)

    def _graphs(self) -> list[Graph]:
        return [graph for graph in (self._graph, self._successor) if graph] + self._subsets.graphs

    def _rows_in(self, kilobytes: int) -> int:
        return kilobytes * 1024 // (self._rows.row_bytes)


def _lately(moment: float) -> bool:
    return time.monotonic() - moment < _BUSY_SECONDS
