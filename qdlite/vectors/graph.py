"""How is one graph fed, searched and kept in step with rows that change under it?"""

from __future__ import annotations

import os
import threading

import numpy as np
from numpy.typing import NDArray

from qdlite.types import BoolArray, FloatArray, OffsetArray
from qdlite.vectors.growing import grown
from qdlite.vectors.links import GraphShape, make_links
from qdlite.vectors.missing import MissingRows
from qdlite.vectors.spans import Rows, is_run, lone, within

GRAPH_THREADS = min(8, os.cpu_count() or 1)
"""Threads that insert rows."""

_SMALLEST = 1024
_GONE = -1


class Graph:
    """One graph. Its labels are never reused: a rewritten row gets a fresh label and the old one dies,
    which is several times cheaper than repairing the links of the old one.

    Searches may run beside everything but `forget`, which belongs to a write; only one thread inserts. A row that gets
    connected during a search may be among those found as well as among those that were missing before.
    """

    def __init__(self, shape: GraphShape) -> None:
        self.shape = shape
        self._links = make_links(shape)
        # Held while the mapping between labels and offsets changes.
        self._tables = threading.Lock()
        self._offset_of = np.full(_SMALLEST, _GONE, np.intp)
        self._label_of: NDArray[np.intp] = np.full(0, _GONE, np.intp)
        self._dying: list[int] = []
        self._used = 0
        self._live = 0
        self._all_live = False
        self._missing = MissingRows()

    @property
    def times_ef(self) -> float:
        """So many times the candidates give the recall of Qdrant's graph."""
        return self._links.times_ef

    @property
    def holds_up(self) -> bool:
        """Whether searches wait until rows are inserted."""
        return self._links.holds_up

    @property
    def live(self) -> int:
        """Number of offsets in the graph."""
        return self._live

    @property
    def used(self) -> int:
        """Number of labels given out, dead ones included."""
        return self._used

    @property
    def dead_share(self) -> float:
        return 1 - self._live / self._used if self._used else 0.0

    @property
    def dying(self) -> int:
        """Number of dead labels that `bury` still has to take out of the graph."""
        return len(self._dying)

    def missing(self, present: BoolArray) -> OffsetArray:
        """Ascending offsets that are present but not in the graph."""
        missing = self._missing.settled
        if missing is None:
            with self._tables:
                missing = self._missing.find(
                    lambda: self.missing_among(present),
                    lambda offsets: self._missing_of(offsets, present),
                    len(present),
                )
        return missing

    def missing_among(self, allowed: BoolArray) -> OffsetArray:
        """Ascending offsets that are allowed but not in the graph."""
        known = min(len(self._label_of), len(allowed))
        absent = allowed.copy()
        absent[:known] &= self._label_of[:known] < 0
        return np.flatnonzero(absent)

    def _missing_of(self, offsets: OffsetArray, present: BoolArray) -> OffsetArray:
        """Those of some ascending offsets."""
        if not is_run(offsets) or offsets[0] < len(self._label_of):
            return offsets[present[offsets] & ~self.holds(offsets)]
        lacking = present[offsets[0] : offsets[-1] + 1]
        return offsets if np.count_nonzero(lacking) == len(lacking) else offsets[lacking]

    def holds(self, offsets: OffsetArray) -> BoolArray:
        """Which of these offsets are in the graph."""
        held = np.zeros(len(offsets), np.bool_)
        known = offsets < len(self._label_of)
        held[known] = self._label_of[offsets[known]] >= 0
        return held

    def forget(self, at: Rows) -> None:
        """Rows at these offsets changed or went away. Cheap: the graph itself is cleaned by `bury`."""
        row = lone(at)
        with self._tables:
            if row is None:
                self._forget(within(at, len(self._label_of)))
            elif row < len(self._label_of):
                self._forget_one(row)
            self._missing.write(at)

    def bury(self) -> None:
        """Take dead labels out of the graph, so that they do not use up places among the candidates."""
        if self._dying:
            with self._tables:
                dying, self._dying = self._dying, []
                self._links.bury(dying)

    def insert(self, rows: FloatArray, threads: int) -> NDArray[np.intp]:
        """Add rows under fresh labels, which answer no search until they are connected. Returns the labels."""
        first, end = self._used, self._used + len(rows)
        with self._tables:
            self._offset_of = grown(self._offset_of, end, _GONE)
            self._all_live = False
        self._links.add(rows, threads)
        self._used = end
        return np.arange(first, end, dtype=np.intp)

    def connect(self, labels: NDArray[np.intp], offsets: OffsetArray, valid: BoolArray) -> None:
        """Map labels to offsets where `valid`; the others were overtaken by a writer and die."""
        with self._tables:
            if len(offsets):
                self._label_of = grown(self._label_of, int(offsets.max()) + 1, _GONE)
            self._forget(offsets[valid])
            self._offset_of[labels[valid]] = offsets[valid]
            self._label_of[offsets[valid]] = labels[valid]
            self._live += int(np.count_nonzero(valid))
            self._dying.extend(labels[~valid].tolist())
            self._missing.connect(offsets[valid])
            self._all_live = self._live == self._used

    def nearest(self, query: FloatArray, width: int) -> OffsetArray | None:
        """Offsets of about the `width` nearest rows, nearest first; None if the graph cannot say."""
        labels = self._links.nearest(query, min(width, self._live))
        if labels is None:
            return None
        all_live = self._all_live  # if so now, then those that were found before are
        offsets: OffsetArray = self._offset_of[labels]
        if all_live:
            return offsets
        found: OffsetArray = offsets[offsets >= 0]
        return found

    def memory_bytes(self) -> int:
        """Vectors, links and tables."""
        return self._links.memory_bytes() + self._offset_of.nbytes + self._label_of.nbytes

    def _forget(self, at: Rows) -> None:
        labels = self._label_of[at]
        labels = labels[labels >= 0]
        if not len(labels):
            return
        if len(labels) > 1:
            labels = np.unique(labels)
        self._label_of[at] = _GONE
        self._offset_of[labels] = _GONE
        self._live -= len(labels)
        self._all_live = False
        self._dying.extend(labels.tolist())

    def _forget_one(self, row: int) -> None:
        """The same for one row, in a third of the time."""
        label = int(self._label_of[row])
        if label >= 0:
            self._label_of[row] = self._offset_of[label] = _GONE
            self._live -= 1
            self._all_live = False
            self._dying.append(label)
