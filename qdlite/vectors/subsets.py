"""Which filters have a graph of their own?

A filter that keeps one row in ten is too narrow for the graph of all rows, most of whose nodes it drops, and too broad
to read all of its rows. If it is asked again and again, a graph of its rows alone answers it; Qdrant adds links to its
graph for the same reason. The graph is not tied to the filter but to the rows: whatever selects nearly the same rows
uses it, so it outlives writes, and the rows that it lacks are read beside it.
"""

from __future__ import annotations

from itertools import count

import numpy as np

from qdlite.types import OffsetArray
from qdlite.vectors.graph import Graph
from qdlite.vectors.links import GraphShape
from qdlite.vectors.selection import Selection
from qdlite.vectors.spans import Rows

BUILT_AFTER = 8
"""So many searches with a selection ask for a graph of it."""

_LARGEST_SHARE = 4
"""Only selections of less than one row in this many get a graph; the graph of all rows is good enough above that."""

_MEMORY_SHARE = 2
"""All these graphs together may take one byte for every so many of the matrix."""

_LACKING_SHARE = 5
"""A graph that lacks one in this many of the selected rows does not serve the selection."""

_FOREIGN_SHARE = 2
"""Nor does one of which less than one in this many is selected."""

_BATCH = 256


class Subset:
    """A graph of some of the rows. Once it is in use no row is added, only forgotten."""

    def __init__(self, graph: Graph, rows: OffsetArray) -> None:
        self.graph = graph
        self.backlog = rows
        self.used = 0

    def next_batch(self) -> OffsetArray:
        """Offsets to be added, many at a time, because no search waits for this graph's lock."""
        batch, self.backlog = self.backlog[:_BATCH], self.backlog[_BATCH:]
        return batch


class SubsetGraphs:
    """The graphs of one index's hot filters. Searches `serve` themselves, the writer calls `forget`, the builder
    `next_batch` and `finish`."""

    def __init__(self) -> None:
        self._subsets: tuple[Subset, ...] = ()
        self._growing: Subset | None = None
        self._wanted: Selection | None = None
        self._version = 0
        self._clock = count(1)

    @property
    def wanted(self) -> bool:
        """Whether a filter waits for its graph."""
        return self._growing is not None or self._wanted is not None

    @property
    def graphs(self) -> list[Graph]:
        """All of them, also the one that is being built."""
        growing = self._growing
        return [subset.graph for subset in self._subsets] + ([growing.graph] if growing else [])

    def serve(self, selection: Selection, rows: int) -> tuple[Graph, OffsetArray] | None:
        """The graph that answers searches in a selection out of `rows`, with the selected offsets that it lacks.
        None: there is none yet; a selection that is used often gets one."""
        if selection.decided != self._version:
            self._decide(selection)
        served = selection.served
        if served is not None:
            served[0].used = next(self._clock)
            return served[0].graph, served[1]
        hot = selection.uses >= BUILT_AFTER and selection.matching * _LARGEST_SHARE < rows
        if hot and not self.wanted:
            self._wanted = selection
        return None

    def forget(self, at: Rows) -> None:
        for subset in self._subsets:
            subset.graph.forget(at)
        if self._growing is not None:
            self._growing.graph.forget(at)

    def clear(self) -> None:
        self._subsets, self._growing, self._wanted = (), None, None
        self._version += 1

    def growing(self, shape: GraphShape) -> Subset:
        """The graph to be extended; only while one is `wanted`."""
        if self._growing is None:
            assert self._wanted is not None
            self._growing = Subset(Graph(shape), self._wanted.offsets)
        return self._growing

    def finish(self, matrix_bytes: int) -> None:
        """The graph that was being built is complete: searches may use it. Those used least make room for it."""
        assert self._growing is not None
        newest, wanted = self._growing, self._wanted
        newest.used = next(self._clock)
        kept, room = [newest], matrix_bytes // _MEMORY_SHARE - newest.graph.memory_bytes()
        for subset in sorted(self._subsets, key=lambda subset: -subset.used):
            room -= subset.graph.memory_bytes()
            if room >= 0 and not (wanted is not None and _serves(subset, wanted)):
                kept.append(subset)
        self._subsets, self._growing, self._wanted = tuple(kept), None, None
        self._version += 1

    def memory_bytes(self) -> int:
        return sum(graph.memory_bytes() for graph in self.graphs)

    def _decide(self, selection: Selection) -> None:
        version = self._version
        fitting = [subset for subset in self._subsets if _serves(subset, selection)]
        chosen = min(fitting, key=lambda subset: subset.graph.live, default=None)
        if chosen is None:
            selection.served = None
        else:
            assert selection.allowed is not None
            selection.served = chosen, chosen.graph.missing_among(selection.allowed)
            selection.rows = None
        selection.decided = version


def _serves(subset: Subset, selection: Selection) -> bool:
    offsets = selection.offsets
    inside = int(np.count_nonzero(subset.graph.holds(offsets)))
    lacking = len(offsets) - inside
    return lacking * _LACKING_SHARE <= len(offsets) and inside * _FOREIGN_SHARE >= subset.graph.live
