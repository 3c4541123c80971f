"""Which stored dense vectors are nearest, approximately, with a graph?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import cast

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from qdlite.types import BoolArray, Datatype, Distance, FloatArray, Hits, OffsetArray, VectorArray
from qdlite.vectors import links
from qdlite.vectors.dense import DenseIndex
from qdlite.vectors.distance import normalise
from qdlite.vectors.graph import GRAPH_THREADS, Graph
from qdlite.vectors.growing import grown
from qdlite.vectors.index import SearchParams
from qdlite.vectors.links import GraphShape
from qdlite.vectors.select import no_hits
from qdlite.vectors.selection import Selection
from qdlite.vectors.spans import Rows
from qdlite.vectors.subsets import SubsetGraphs

_EUCLID: dict[Distance, bool] = {"Dot": False, "Cosine": False, "Euclid": True}
"""The distances that graphs know, and whether they are the Euclidean one."""

# A graph search compares about this many nodes for each candidate it keeps, and each costs about as much as a
# gathered row, three rows read in order, or ten of which the codes are read (measured at 100k x 384).
_NODES_PER_CANDIDATE = 16
_SCAN_DISCOUNT = 3
_KEPT_DISCOUNT = 5
_CODED_DISCOUNT = 10
_WAIT_FOR_BUILDER = 8000
_SPARE = 6

# Under a filter the width grows less than the share of dropped rows: the deeper the list of candidates, the more
# complete is its head (measured: recall stays above 0.99 from 100 % to 10 % of the rows).
_WIDTH_EXPONENT = 0.7
_WIDEN = 1.5

# Dead nodes are walked through like others and lead on to living ones, so that fewer candidates find as much
# (measured with a sixth of the nodes dead: recall as in a fresh graph, with 0.95 of the work).
_DEAD_EXPONENT = 0.5

# How long the builder keeps the graph for itself at a time: a search may have to wait for that.
_PHASE_SECONDS = 0.0015
_IDLE_PHASE_SECONDS = 0.006
_SMALLEST_BATCH = 5
_BUSY_SECONDS = 0.25
_LARGEST_BATCH = 1024
_MOST_INFLOW = 1000
"""If more rows than this are written during a step, it has no use to index beside them."""
_REBUILD_SHARE = 0.25
_REBUILD_ABOVE = 1000


class HnswParams(Struct, frozen=True):
    """Qdrant's settings of the graph. `m` 0 means no graph; thresholds are in kilobytes of vector data:
    below `full_scan_threshold` a search is exact, below `indexing_threshold` (0: always) there is no graph."""

    m: int = 16
    ef_construct: int = 100
    full_scan_threshold: int = 10_000
    indexing_threshold: int = 10_000


class HnswIndex(DenseIndex):
    """Exact storage with a graph beside it. Rows that the graph does not know yet are scanned and merged in, so a
    search right after a write is complete; `build_step` brings the graph up to date, beside readers and writers."""

    def __init__(
        self,
        size: int,
        distance: Distance,
        datatype: Datatype = "float32",
        params: HnswParams | None = None,
    ) -> None:
        super().__init__(size, distance, datatype)
        self.params = params or HnswParams()
        self._graph: Graph | None = None
        # A successor is built beside the graph when that has too many dead labels or other parameters are wanted.
        self._successor: Graph | None = None
        # Guards the rows against being copied by the builder while a writer changes them.
        self._writing = threading.Lock()
        self._building = threading.Lock()
        # Which change was the last of each row.
        self._generation = np.zeros(0, np.int64)
        self._changes = 0
        self._missing: tuple[Graph, OffsetArray] | None = None
        self._backlog: OffsetArray = np.empty(0, np.intp)
        self._extending = False
        self._batch = _SMALLEST_BATCH
        self._searched_at = 0.0
        self._written = 0
        self._written_before = 0
        self._subsets = SubsetGraphs()

    @property
    def indexed_count(self) -> int:
        graph = self._graph
        return graph.live if graph else 0

    def configure(self, params: HnswParams) -> None:
        """Take over other settings; the graph is rebuilt in the background if its shape changes."""
        with self._writing:
            self.params = params
            self._subsets.clear()
            if not self._wants_graph():
                self._graph = self._successor = None
            elif self._graph and self._graph.shape != self._shape():
                self._successor = Graph(self._shape())

    def _store(self, at: Rows, rows: FloatArray) -> None:
        with self._writing:
            super()._store(at, rows)
            self._touch(at)
            self._written += len(rows)

    def _reserve(self, extent: int) -> None:
        super()._reserve(extent)
        self._generation = grown(self._generation, extent, 0)

    def _forget(self, at: Rows) -> None:
        with self._writing:
            super()._forget(at)
            self._touch(at)

    def search(self, query: VectorArray, limit: int, mask: BoolArray | None, params: SearchParams) -> Hits:
        self._searched_at = time.monotonic()
        dense = cast(FloatArray, query)
        selection = self.selected(mask)
        if params.indexed_only:
            selection = self._without_backlog(selection)
        limit = min(limit, selection.matching)
        if limit <= 0:
            return no_hits()
        hits = None if params.exact else self._search_graph(dense, limit, selection, params)
        return self.nearest(dense, limit, selection) if hits is None else hits

    def pending_work(self) -> int:
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

    # Searching

    def _search_graph(self, query: FloatArray, limit: int, selection: Selection, params: SearchParams) -> Hits | None:
        """The answer of a graph and of the rows it does not know; None if an exact search is better."""
        graph, matching = self._graph, selection.matching
        if graph is None or not graph.live or matching <= self._rows_in(self.params.full_scan_threshold):
            return None
        ef = max(params.hnsw_ef or int(graph.times_ef * max(self.params.ef_construct, limit)), limit)
        rows = self._exact_cost(selection) if self._coded else matching
        worth_it = selection.allowed is not None and ef * _NODES_PER_CANDIDATE < rows
        if worth_it and (served := self._subsets.serve(selection, self._count)) is not None:
            subset, lacking = served
            return self._walk(subset, query, limit, selection, ef, matching, lambda: lacking)
        width = int(ef * (self._count / matching) ** _WIDTH_EXPONENT)
        budget = self._exact_cost(selection) - self._cost_beside(graph)
        return self._walk(graph, query, limit, selection, width, budget, lambda: self._missing_rows(graph))

    def _walk(
        self,
        graph: Graph,
        query: FloatArray,
        limit: int,
        selection: Selection,
        width: int,
        budget: int,
        lacking: Callable[[], OffsetArray],
    ) -> Hits | None:
        """Ask a graph for `width` candidates, as long as that costs less than the `budget` of gathered rows.

        Under a filter the graph is asked for more candidates, in proportion to those the filter drops. If still
        too few survive, the filter and the query point to different regions: ask for many more, then give up.
        """
        matching, allowed = selection.matching, selection.allowed
        width = max(limit, int(width * (1 - graph.dead_share) ** _DEAD_EXPONENT))
        graph.bury()
        while width * _NODES_PER_CANDIDATE < budget:
            with graph.lock.shared():
                found = graph.nearest(query, width)
                missing = lacking()
            if found is None:
                return None
            found, missing = _within(found, allowed), _within(missing, allowed)
            if len(found) >= min(limit, matching - len(missing)):
                return self._merge(query, limit, found[: limit + _SPARE], missing)
            width = int(_WIDEN * width * limit / max(len(found), 1))
        return None

    def _exact_cost(self, selection: Selection) -> int:
        """What an exact search would cost, in gathered rows."""
        if self._coded:
            return (selection.matching if self._picks_rows(selection) else self._extent) // _CODED_DISCOUNT
        gathered = selection.matching // (_KEPT_DISCOUNT if selection.rows is not None else 1)
        return min(gathered, self._extent // _SCAN_DISCOUNT)

    def _cost_beside(self, graph: Graph) -> int:
        """What a search pays besides walking the graph: the scan of the rows it lacks, and the wait for the builder."""
        wait = _WAIT_FOR_BUILDER if self._extending else 0
        return wait + (self._count - graph.live) // (_CODED_DISCOUNT if self._coded else _SCAN_DISCOUNT)

    def _merge(self, query: FloatArray, limit: int, candidates: OffsetArray, missing: OffsetArray) -> Hits:
        """Exact scores of the graph's candidates together with the best of the rows that it lacks."""
        if len(missing):
            candidates = np.concatenate((candidates, self.nearest_among(query, limit, missing).offsets))
        return self.nearest_among(query, limit, np.sort(candidates))

    def _without_backlog(self, selection: Selection) -> Selection:
        """What `indexed_only` leaves: all, unless more rows wait for the graph than would be scanned by choice."""
        graph = self._graph
        missing = self._missing_rows(graph) if graph else np.flatnonzero(self._present[: self._extent])
        if not self._wants_graph() or len(missing) <= self._rows_in(self.params.indexing_threshold):
            return selection
        kept: BoolArray = np.array(self._present[: self._extent] if selection.allowed is None else selection.allowed)
        kept[missing[missing < len(kept)]] = False
        return Selection.of(kept)

    def _missing_rows(self, graph: Graph) -> OffsetArray:
        cached = self._missing
        if cached and cached[0] is graph:
            return cached[1]
        missing = graph.missing(self._present[: self._extent])
        self._missing = (graph, missing)
        return missing

    def _graphs(self) -> list[Graph]:
        return [graph for graph in (self._graph, self._successor) if graph] + self._subsets.graphs

    def _rows_in(self, kilobytes: int) -> int:
        return kilobytes * 1024 // (self._rows.row_bytes)

    # Building

    @property
    def can_have_graph(self) -> bool:
        """Whether the settings, the distance and the installation allow a graph at all."""
        params = self.params
        return bool(params.m and params.indexing_threshold and self.distance in _EUCLID and links.available())

    @property
    def indexing_rows(self) -> int:
        """Up to so many vectors there is no graph."""
        return self._rows_in(self.params.indexing_threshold)

    def _wants_graph(self) -> bool:
        return self.can_have_graph and (self._graph is not None or self._count > self.indexing_rows)

    def _shape(self) -> GraphShape:
        return GraphShape(_EUCLID[self.distance], self.size, self.params.m, self.params.ef_construct)

    def _touch(self, at: Rows) -> None:
        """Rows changed: whatever the builder copied of them is void, and the graphs must forget them."""
        self._changes += 1
        self._generation[at] = self._changes
        for graph in (self._graph, self._successor):
            if graph:
                graph.forget(at)
        self._subsets.forget(at)
        self._missing = None

    def _advance(self) -> None:
        """One phase of building: short, because searches may be waiting for it."""
        with self._writing:
            target = self._target()
            offsets = self._next_batch(target)
            rows = self._graph_rows(offsets)
            generations = self._generation[offsets]
        target.bury()
        if len(offsets):
            self._adapt(len(offsets), self._extend(target, offsets, rows, generations))
        with self._writing:
            if target is self._successor and target.live == self._count:
                self._graph, self._successor, self._missing = target, None, None

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

    def _target(self) -> Graph:
        """The graph to extend; begins one if there is none, or a successor if too much of it is dead."""
        if self._graph is None:
            self._graph = Graph(self._shape())
        elif self._successor is None and self._graph.used > _REBUILD_ABOVE and self._graph.dead_share > _REBUILD_SHARE:
            self._successor = Graph(self._shape())
        return self._successor or self._graph

    def _graph_rows(self, offsets: OffsetArray) -> FloatArray:
        """Rows as the graph compares them: cosine of bytes needs them normalised here."""
        rows = self.rows(offsets)
        return normalise(rows) if self.distance == "Cosine" and self.datatype == "uint8" else rows

    def _threads(self) -> int:
        """While somebody searches, the builder leaves the other processors alone."""
        return 1 if self._busy() else GRAPH_THREADS

    def _busy(self) -> bool:
        return time.monotonic() - self._searched_at < _BUSY_SECONDS

    def _is_loading(self) -> bool:
        """Whether somebody searches while rows come in much faster than they could be indexed. Scanning those costs a
        search less than a builder beside it, for which there is time as soon as the rows are there."""
        inflow, self._written_before = self._written - self._written_before, self._written
        return self._busy() and inflow > _MOST_INFLOW

    def _extend(self, target: Graph, offsets: OffsetArray, rows: FloatArray, generations: NDArray[np.int64]) -> float:
        """Adds rows to a graph; returns the seconds for which searches of that graph had to wait."""
        with target.lock.exclusive():
            began = time.monotonic()
            labels = target.insert(rows, self._threads())
            with self._writing:
                valid = self._generation[offsets] == generations
                target.connect(labels, offsets, valid & self._present[offsets])
                self._missing = None
            return time.monotonic() - began

    def _adapt(self, rows: int, spent: float) -> None:
        """Chooses the size of the next batch by the time that `rows` took."""
        phase = _PHASE_SECONDS if self._busy() else _IDLE_PHASE_SECONDS
        ideal = rows * phase / max(spent, 1e-5)
        self._batch = int(min(max(ideal, self._batch / 2, _SMALLEST_BATCH), 2 * self._batch, _LARGEST_BATCH))


def _within(offsets: OffsetArray, allowed: BoolArray | None) -> OffsetArray:
    """Those offsets that a mask, which may be shorter, allows."""
    if allowed is None:
        return offsets
    offsets = offsets[offsets < len(allowed)]
    return offsets[allowed[offsets]]
