"""Does the graph find what exact search finds, whatever is written, filtered and built meanwhile?"""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdlite.types import BoolArray, Datatype, Distance, FloatArray, OffsetArray
from qdlite.vectors import graph, hnsw, indexed, links
from qdlite.vectors.hnsw import HnswIndex
from qdlite.vectors.index import HnswParams, SearchParams

pytestmark = pytest.mark.usefixtures("kernels_or_none")

PLAIN, EXACT = SearchParams(), SearchParams(exact=True)
EAGER = HnswParams(full_scan_threshold=1, indexing_threshold=1)
SIZE = 16


@pytest.fixture
def graph_searches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The widths of all searches of a graph."""
    widths: list[int] = []
    nearest = graph.Graph.nearest

    def counted(self: graph.Graph, query: FloatArray, width: int) -> OffsetArray | None:
        widths.append(width)
        return nearest(self, query, width)

    monkeypatch.setattr(graph.Graph, "nearest", counted)
    return widths


def clustered(count: int, seed: int = 0, size: int = SIZE) -> FloatArray:
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(0, 1, (40, size))
    return (centres[random.integers(0, 40, count)] + random.normal(0, 0.5, (count, size))).astype(np.float32)


def build(index: HnswIndex) -> None:
    for _ in range(10_000):
        if not index.build_step(0.05):
            return
    raise AssertionError("building never ends")


def built(count: int, distance: Distance = "Cosine", datatype: Datatype = "float32") -> HnswIndex:
    index = HnswIndex(SIZE, distance, datatype, params=EAGER)
    index.put(np.arange(count), index.prepare_batch(clustered(count) * (40 if datatype == "uint8" else 1)))
    build(index)
    return index


def recall(index: HnswIndex, mask: BoolArray | None, params: SearchParams = PLAIN, limit: int = 10) -> float:
    found = 0
    queries = index.prepare_batch(clustered(40, seed=7) * (40 if index.datatype == "uint8" else 1))
    for query in queries:
        exact = index.search(query, limit, mask, EXACT)
        hits = index.search(query, limit, mask, params)
        assert len(hits.offsets) == len(exact.offsets)
        assert np.all(np.diff(hits.scores) <= 0)
        if mask is not None:
            assert mask[hits.offsets].all()
        np.testing.assert_allclose(index.similarities([query], hits.offsets)[0], hits.scores, rtol=1e-5, atol=1e-6)
        found += int(np.count_nonzero(hits.scores >= exact.scores[-1]))
    return found / (len(queries) * limit)


@pytest.mark.parametrize("distance", ["Cosine", "Dot", "Euclid"])
@pytest.mark.parametrize("datatype", ["float32", "float16", "uint8"])
def test_recall(distance: Distance, datatype: Datatype, graph_searches: list[int]) -> None:
    index = built(8000, distance, datatype)
    assert index.indexed_count == 8000
    assert index.pending_work() == 0
    # Inner products of unnormalised vectors are no metric, which costs a graph some recall.
    assert recall(index, None) >= (0.97 if distance == "Dot" or datatype == "uint8" else 0.99)
    assert len(graph_searches) == 40


@pytest.mark.parametrize("share", [0.9, 0.35])
def test_recall_with_filters(share: float, graph_searches: list[int]) -> None:
    index = built(20_000)
    assert recall(index, np.random.default_rng(1).random(20_000) < share) >= 0.99
    assert graph_searches


def test_recall_with_a_filter_that_follows_the_vectors() -> None:
    """Matching points are all on one side: queries of the other side find few survivors among their neighbours."""
    index = built(20_000)
    side = clustered(20_000)[:, 0]
    assert recall(index, side > np.quantile(side, 0.7)) >= 0.99


def test_narrow_filters_read_matching_rows_only(rows_read: list[int], graph_searches: list[int]) -> None:
    index = built(8000)
    mask = np.random.default_rng(1).random(8000) < 0.02
    rows_read.clear()
    index.search(clustered(1, seed=3)[0], 10, mask, PLAIN)
    assert not graph_searches
    assert sum(rows_read) == np.count_nonzero(mask)


def test_an_unfiltered_search_reads_few_rows(rows_read: list[int]) -> None:
    index = built(8000)
    rows_read.clear()
    index.search(clustered(1, seed=3)[0], 10, None, PLAIN)
    assert 10 <= sum(rows_read) < 50


def test_fresh_rows_are_found_at_once(graph_searches: list[int]) -> None:
    index = built(8000)
    fresh = index.prepare_batch(clustered(50, seed=5))
    index.put(np.arange(8000, 8050), fresh)
    assert index.pending_work() == 50
    for at, row in enumerate(fresh, 8000):
        assert index.search(row, 1, None, PLAIN).offsets.tolist() == [at]
        assert index.search(row, 1, np.arange(8050) % 2 == at % 2, PLAIN).offsets.tolist() == [at]
    assert graph_searches
    build(index)
    assert index.indexed_count == 8050
    assert index.search(fresh[3], 1, None, PLAIN).offsets.tolist() == [8003]


def test_rows_that_are_indexed_during_a_search_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    index = built(8000)
    fresh = index.prepare_batch(clustered(50, seed=5))
    index.put(np.arange(8000, 8050), fresh)
    nearest = graph.Graph.nearest

    def later(self: graph.Graph, query: FloatArray, width: int) -> OffsetArray | None:
        build(index)
        return nearest(self, query, width)

    monkeypatch.setattr(graph.Graph, "nearest", later)
    hits, exact = (index.search(fresh[3], 10, None, params) for params in (PLAIN, EXACT))
    assert index.indexed_count == 8050
    assert hits.offsets.tolist() == exact.offsets.tolist()


@pytest.mark.parametrize("searched", [True, False])
def test_the_builder_waits_while_much_is_loaded_beside_searches(searched: bool) -> None:
    index = built(3000)
    for start in (3000, 5000):
        index.put(np.arange(start, start + 2000), index.prepare_batch(clustered(2000, seed=start)))
        if searched:
            index.search(clustered(1)[0], 10, None, PLAIN)
        assert index.build_step(0.001)
        assert (index.indexed_count == 3000) is searched
    index.build_step(0.001)  # nothing came in meanwhile
    assert index.indexed_count > 3000


def test_removed_and_rewritten_rows_do_not_come_back() -> None:
    index = built(8000)
    rows = index.rows(np.arange(8000))
    index.remove(np.arange(0, 1000))
    index.put(np.arange(1000, 1100), index.prepare_batch(-rows[1000:1100]))
    for phase in range(2):
        for at in (0, 500, 999, 1000, 1099):
            hits = index.search(rows[at], 20, None, PLAIN)
            assert at not in hits.offsets
            assert (hits.offsets >= 1000).all()
            np.testing.assert_allclose(hits.scores, index.search(rows[at], 20, None, EXACT).scores, atol=0.05)
        assert index.search(-rows[1050], 1, None, PLAIN).offsets.tolist() == [1050]
        assert index.indexed_count == (6900, 7000)[phase]
        build(index)


def test_a_graph_of_mostly_dead_labels_is_replaced() -> None:
    index = built(3000)
    first = index._graph
    rows = index.rows(np.arange(3000))
    for part in range(0, 3000, 500):
        index.put(np.arange(part, part + 500), rows[part : part + 500])
        build(index)
    assert index._graph is not first
    assert index._graph is not None
    assert index._graph.dead_share < 0.3
    assert index.indexed_count == 3000
    assert recall(index, None) >= 0.99


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15)
def test_churn(seed: int) -> None:
    """With every candidate asked for, the graph must be exact after any history."""
    random = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hnsw, "_NODES_PER_CANDIDATE", 0)
        patch.setattr(indexed, "_REBUILD_ABOVE", 100)
        index = HnswIndex(4, "Euclid", params=HnswParams(full_scan_threshold=0, indexing_threshold=1))
        for step in range(12):
            offsets = random.integers(0, 300, int(random.integers(1, 80)))
            index.put(offsets, random.normal(0, 1, (len(offsets), 4)).astype(np.float32))
            index.remove(random.integers(0, 320, int(random.integers(0, 40))))
            if step % 2:
                index.build_step(0.002)
            query = random.normal(0, 1, 4).astype(np.float32)
            mask = None if step % 3 else random.random(250) < 0.5
            params = SearchParams(hnsw_ef=400)
            hits, exact = (index.search(query, 10, mask, choice) for choice in (params, EXACT))
            np.testing.assert_array_equal(hits.offsets, exact.offsets)
            np.testing.assert_array_equal(hits.scores, exact.scores)
        build(index)
        assert index.indexed_count == index.count


def test_thresholds() -> None:
    params = HnswParams(indexing_threshold=64, full_scan_threshold=1)
    index = HnswIndex(SIZE, "Dot", params=params)  # 64 KB are 1024 rows of 64 bytes
    index.put(np.arange(1024), clustered(1024))
    assert index.pending_work() == 0
    index.put(np.array([1024]), clustered(1))
    assert index.pending_work() == 1025
    index.configure(HnswParams(indexing_threshold=0))
    assert index.pending_work() == 0
    index.configure(HnswParams(m=0, indexing_threshold=1))
    assert index.pending_work() == 0
    assert HnswIndex(SIZE, "Manhattan", params=params).pending_work() == 0


def test_small_candidate_sets_are_scanned(graph_searches: list[int]) -> None:
    index = built(3000)
    index.configure(HnswParams(indexing_threshold=1, full_scan_threshold=1000))
    assert recall(index, None) == 1
    assert not graph_searches


def test_other_parameters_rebuild_the_graph() -> None:
    index = built(3000)
    first = index._graph
    index.configure(HnswParams(m=8, full_scan_threshold=1, indexing_threshold=1))
    assert index.pending_work() == 3000
    assert recall(index, None) >= 0.99  # the former graph serves meanwhile
    build(index)
    assert index._graph is not first
    assert index._graph is not None
    assert index._graph.shape.m == 8
    assert recall(index, None) >= 0.98


def test_indexed_only_leaves_out_a_large_backlog() -> None:
    index = built(2000)
    params = SearchParams(indexed_only=True)
    fresh = index.prepare_batch(clustered(3000, seed=5))
    index.put(np.arange(2000, 2010), fresh[:10])
    assert 2004 in index.search(fresh[4], 5, None, params).offsets  # ten rows are no backlog
    index.put(np.arange(2000, 5000), fresh)
    for choice in (params, SearchParams(indexed_only=True, exact=True)):
        assert (index.search(fresh[4], 50, None, choice).offsets < 2000).all()
        assert (index.search(fresh[4], 50, np.arange(5000) % 2 == 0, choice).offsets < 2000).all()
    waiting = HnswIndex(SIZE, "Dot", params=EAGER)
    waiting.put(np.arange(2000), fresh[:2000])
    assert len(waiting.search(fresh[0], 5, None, params).offsets) == 0


def test_without_the_library_search_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "available", lambda: False)
    index = HnswIndex(SIZE, "Dot", params=EAGER)
    rows = clustered(2000)
    index.put(np.arange(2000), rows)
    assert index.pending_work() == 0
    assert not index.build_step(1)
    hits = index.search(rows[0], 5, None, SearchParams(indexed_only=True))
    assert hits.offsets.tolist() == np.argsort(-(rows @ rows[0]), kind="stable")[:5].tolist()


def test_searches_of_different_width_do_not_disturb_each_other() -> None:
    index = built(5000)
    queries = clustered(50, seed=8)
    widths = [SearchParams(hnsw_ef=ef) for ef in (16, 64, 160)]
    alone = [[index.search(query, 10, None, params).offsets.tolist() for query in queries] for params in widths]
    together: dict[int, list[list[int]]] = {}

    def search(number: int) -> None:
        together[number] = [index.search(query, 10, None, widths[number]).offsets.tolist() for query in queries]

    threads = [threading.Thread(target=search, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [together[number] for number in range(3)] == alone


def test_builder_searches_and_writer_side_by_side() -> None:
    """Readers and the writer exclude each other, as in a collection; the builder knows nothing of their lock. A row
    written before a search must be its best hit, and a removed one must not appear."""
    index = HnswIndex(SIZE, "Cosine", params=EAGER)
    rows = index.prepare_batch(clustered(6000))
    lock, finished = threading.Lock(), threading.Event()
    current: dict[int, FloatArray] = {}
    wrong: list[object] = []
    searches = 0

    def read() -> None:
        nonlocal searches
        random = np.random.default_rng()
        while not finished.is_set():
            with lock:
                if not current:
                    continue
                at = int(random.choice(list(current)))
                hits = index.search(current[at], 3, None, SearchParams(hnsw_ef=200))
                bad = [at] if hits.scores[0] < 0.999 else []
                bad += [other for other in hits.offsets.tolist() if other not in current]
            searches += 1
            if bad:
                wrong.append((at, hits))

    def build_on() -> None:
        while not finished.is_set():
            index.build_step(0.005)

    threads = [threading.Thread(target=target) for target in (read, read, build_on)]
    for thread in threads:
        thread.start()
    random = np.random.default_rng(4)
    for start in range(0, 6000, 100):
        offsets = np.unique(random.integers(0, 2000, 100))
        gone = random.integers(0, 2000, 10)
        with lock:
            index.put(offsets, rows[start : start + len(offsets)])
            current.update(zip(offsets.tolist(), rows[start : start + len(offsets)], strict=True))
            index.remove(gone)
            for at in gone.tolist():
                current.pop(at, None)
        finished.wait(0.02)
    finished.set()
    for thread in threads:
        thread.join(30)
    build(index)
    assert not wrong
    assert searches > 20
    assert index.indexed_count == index.count == len(current)
