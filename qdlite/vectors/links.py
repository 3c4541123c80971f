"""Who keeps the links of a graph and walks along them? The compiled kernel or, where nothing was compiled, hnswlib."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from msgspec import Struct

from qdlite.types import FloatArray, OffsetArray
from qdlite.vectors.shared_lock import SharedLock

_SMALLEST = 1024


class GraphShape(Struct, frozen=True):
    """What a graph is built from: `euclid` or the dot product, `m` links a node, `ef_construct` candidates at
    insertion."""

    euclid: bool
    size: int
    m: int
    ef_construct: int


class Links(Protocol):
    """Rows under labels, which are given out in turn, from 0 on. Searches may run beside anything, changes not beside
    each other."""

    times_ef: float
    """So many times the candidates give the recall of Qdrant's graph."""

    holds_up: bool
    """Whether searches wait until rows are added. Otherwise they may find some of them before `add` returns."""

    def add(self, rows: FloatArray, threads: int) -> None:
        """Rows get the next labels."""

    def bury(self, labels: Sequence[int]) -> None:
        """These labels are not looked for any more; they may still be found."""

    def nearest(self, query: FloatArray, count: int) -> OffsetArray | None:
        """Labels of about so many of the nearest rows that are not buried, nearest first; None if it cannot say."""

    def memory_bytes(self) -> int: ...


def available() -> bool:
    """Whether there is anything that keeps links; without it every search is exact."""
    from qdlite.vectors import kernels

    return kernels.installed() is not None or _has_hnswlib()


def make_links(shape: GraphShape) -> Links:
    """Links of no row yet."""
    from qdlite.vectors import kernels

    return HnswlibLinks(shape) if kernels.installed() is None else CompiledLinks(shape)


class CompiledLinks:
    """Links in the compiled kernel."""

    holds_up = False
    times_ef = 1.0
    """Measured at 100k x 384: recall 0.949 of 100 hits where Qdrant has 0.948, 0.995 of 10 where it has 0.997."""

    def __init__(self, shape: GraphShape) -> None:
        from qdlite.vectors import kernels

        compiled = kernels.installed()
        assert compiled is not None
        self._nodes = compiled.nodes(shape.size, shape.m, shape.ef_construct, shape.euclid)
        self._moving = SharedLock()
        self._used = 0
        self._buried = 0

    def add(self, rows: FloatArray, threads: int) -> None:
        with self._moving.exclusive():
            self._nodes.place(rows)
        self._nodes.link(threads)
        self._used += len(rows)

    def bury(self, labels: Sequence[int]) -> None:
        self._buried += len(labels)

    def nearest(self, query: FloatArray, count: int) -> OffsetArray | None:
        used, buried = self._used, self._buried
        with self._moving.shared():
            return self._nodes.nearest(query, min(count * used // max(used - buried, 1), used))

    def memory_bytes(self) -> int:
        return self._nodes.nbytes


class HnswlibLinks:
    """Links in hnswlib."""

    holds_up = True
    times_ef = (
        1.28  # measured at 100k x 384: recall 0.957 of 100 hits where Qdrant has 0.948, 0.995 of 10 where it has 0.997
    )

    def __init__(self, shape: GraphShape) -> None:
        space = "l2" if shape.euclid else "ip"
        self._shape = shape
        self._index: Any = importlib.import_module("hnswlib").Index(space=space, dim=shape.size)
        self._index.init_index(max_elements=_SMALLEST, M=shape.m, ef_construction=shape.ef_construct)
        self._changing = SharedLock()
        self._used = 0

    def add(self, rows: FloatArray, threads: int) -> None:
        used = self._used + len(rows)
        with self._changing.exclusive():
            if used > self._index.get_max_elements():
                self._index.resize_index(2 * used)
            self._index.add_items(rows, np.arange(self._used, used), num_threads=threads)
        self._used = used

    def bury(self, labels: Sequence[int]) -> None:
        with self._changing.exclusive():
            for label in labels:
                self._index.mark_deleted(label)

    def nearest(self, query: FloatArray, count: int) -> OffsetArray | None:
        """hnswlib keeps as many candidates as the larger of its global `ef` (left at its small default) and the number
        asked for: so searches of different width need no shared setting."""
        try:
            with self._changing.shared():
                labels: OffsetArray = self._index.knn_query(query, k=count, num_threads=1)[0][0].view(np.int64)
        except RuntimeError:  # fewer nodes were reachable than asked for
            return None
        return labels

    def memory_bytes(self) -> int:
        """Vectors, links (twice `m` on the ground level) and labels."""
        return self._used * (4 * self._shape.size + 8 * self._shape.m + 24)


@cache
def _has_hnswlib() -> bool:
    return find_spec("hnswlib") is not None
