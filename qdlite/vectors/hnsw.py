"""Which stored dense vectors are nearest, approximately, with a graph?"""

from __future__ import annotations

import time

import numpy as np

from qdlite.types import BoolArray, FloatArray, Hits, OffsetArray, VectorArray
from qdlite.vectors.graph import Graph
from qdlite.vectors.index import SearchParams
from qdlite.vectors.indexed import IndexedRows
from qdlite.vectors.select import no_hits
from qdlite.vectors.selection import Selection

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


class HnswIndex(IndexedRows):
    """Approximate search: what a graph finds, and what it lacks. A search right after a write is complete, because rows
    that no graph knows yet are scanned and merged in."""

    def search(self, query: VectorArray, limit: int, mask: BoolArray | None, params: SearchParams) -> Hits:
        self._searched_at = time.monotonic()
        dense: FloatArray = query  # type: ignore[assignment]
        selection = self.selected(mask)
        if params.indexed_only:
            selection = self._without_backlog(selection)
        limit = min(limit, selection.matching)
        if limit <= 0:
            return no_hits()
        hits = None if params.exact else self._search_graph(dense, limit, selection, params)
        return self.nearest(dense, limit, selection) if hits is None else hits

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
            return self._walk(subset, query, limit, selection, ef, matching, lacking)
        width = int(ef * (self._count / matching) ** _WIDTH_EXPONENT)
        budget = self._exact_cost(selection) - self._cost_beside(graph)
        return self._walk(graph, query, limit, selection, width, budget, self._missing_rows(graph))

    def _walk(
        self,
        graph: Graph,
        query: FloatArray,
        limit: int,
        selection: Selection,
        width: int,
        budget: int,
        missing: OffsetArray,
    ) -> Hits | None:
        """Ask a graph that lacks `missing` rows for `width` candidates, as long as that costs less than the `budget`
        of gathered rows.

        Under a filter the graph is asked for more candidates, in proportion to those the filter drops. If still
        too few survive, the filter and the query point to different regions: ask for many more, then give up.
        """
        matching, allowed = selection.matching, selection.allowed
        width = max(limit, int(width * (1 - graph.dead_share) ** _DEAD_EXPONENT))
        missing = _within(missing, allowed)
        graph.bury()
        while width * _NODES_PER_CANDIDATE < budget:
            found = graph.nearest(query, width)
            if found is None:
                return None
            found = _within(found, allowed)
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
        """What a search pays besides walking the graph: the scan of the rows it lacks, and a wait for the builder."""
        wait = _WAIT_FOR_BUILDER if graph.holds_up and self._extending else 0
        return wait + (self._count - graph.live) // (_CODED_DISCOUNT if self._coded else _SCAN_DISCOUNT)

    def _merge(self, query: FloatArray, limit: int, candidates: OffsetArray, missing: OffsetArray) -> Hits:
        """Exact scores of the best of the graph's candidates and of the rows that it lacks, or lacked a moment ago."""
        if len(missing):
            candidates = np.unique(np.concatenate((candidates, self.nearest_among(query, limit, missing).offsets)))
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
        return graph.missing(self._present[: self._extent])


def _within(offsets: OffsetArray, allowed: BoolArray | None) -> OffsetArray:
    """Those offsets that a mask, which may be shorter, allows."""
    if allowed is None:
        return offsets
    offsets = offsets[offsets < len(allowed)]
    return offsets[allowed[offsets]]
