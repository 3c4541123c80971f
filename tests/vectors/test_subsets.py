"""Filters asked again and again get a graph of their own, and the answers stay right whatever is written."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdlite.types import BoolArray, FloatArray
from qdlite.vectors import subsets
from qdlite.vectors.hnsw import HnswIndex
from qdlite.vectors.index import HnswParams, SearchParams
from tests.vectors.conftest import read_only

pytestmark = pytest.mark.usefixtures("kernels_or_none")

POINTS, SIZE = 8000, 16
PLAIN, EXACT = SearchParams(hnsw_ef=32), SearchParams(exact=True)
PARAMS = HnswParams(full_scan_threshold=1, indexing_threshold=1)

selecting = partial(read_only, size=POINTS)


def vectors(count: int, seed: int = 1) -> FloatArray:
    return np.random.default_rng(seed).standard_normal((count, SIZE), np.float32)


def build(index: HnswIndex) -> None:
    while index.build_step(0.5):
        pass


def filled() -> HnswIndex:
    index = HnswIndex(SIZE, "Dot", params=PARAMS)
    index.put(np.arange(POINTS), index.prepare_batch(vectors(POINTS)))
    build(index)
    return index


def ask(index: HnswIndex, mask: BoolArray, times: int = subsets.BUILT_AFTER) -> None:
    for query in vectors(times, 2):
        index.search(query, 10, mask, PLAIN)


def recall(index: HnswIndex, mask: BoolArray) -> float:
    found = 0.0
    for query in vectors(50, 3):
        truth = set(index.search(query, 10, mask, EXACT).offsets.tolist())
        got = index.search(query, 10, mask, PLAIN).offsets.tolist()
        assert len(got) == len(set(got)) == min(10, int(mask[: len(index.present)].sum()))
        assert all(mask[got])
        found += len(truth & set(got)) / len(truth)
    return found / 50


def test_a_filter_that_comes_again_is_answered_by_its_own_graph(rows_read: list[int]) -> None:
    index, mask = filled(), selecting(np.arange(0, POINTS, 10))
    ask(index, mask, subsets.BUILT_AFTER - 1)
    assert not index.wishes
    ask(index, mask, 1)
    assert index.wishes and not index.pending_work()
    before = index.memory_bytes()
    build(index)
    assert not index.wishes
    assert len(index._subsets.graphs) == 1 and index._subsets.graphs[0].live == POINTS // 10
    assert index.memory_bytes() > before
    rows_read.clear()
    ask(index, mask, 20)
    assert max(rows_read) < 30
    assert recall(index, mask) > 0.97


@pytest.mark.parametrize("every", [1, 2, 3])
def test_broad_filters_keep_to_the_common_graph(every: int) -> None:
    index, mask = filled(), selecting(np.arange(0, POINTS, every))
    ask(index, mask, 30)
    assert not index.wishes


def test_other_filters_do_not_use_it_but_like_ones_do() -> None:
    index, mask = filled(), selecting(np.arange(0, POINTS, 10))
    ask(index, mask)
    build(index)
    other, like = selecting(np.arange(1, POINTS, 10)), selecting(np.append(np.arange(0, POINTS - 400, 10), [1, 2, 3]))
    assert index._subsets.serve(index.selected(other), POINTS) is None
    served = index._subsets.serve(index.selected(like), POINTS)
    assert served is not None and served[1].tolist() == [1, 2, 3]
    assert recall(index, like) > 0.97 and recall(index, other) > 0.9


def test_it_outlives_writes_and_forgets_what_was_rewritten() -> None:
    index, mask = filled(), selecting(np.arange(0, POINTS, 10))
    ask(index, mask)
    build(index)
    index.remove(np.array([0]))
    index.put(np.array([10]), 100 * vectors(1, 7))
    query = vectors(1, 7)[0]
    again = selecting(np.arange(0, POINTS, 10))
    served = index._subsets.serve(index.selected(again), POINTS)
    assert served is not None and served[1].tolist() == [10]
    assert index.search(query, 1, again, PLAIN).offsets.tolist() == [10]
    assert 0 not in index.search(query, 1000, again, PLAIN).offsets


def test_a_graph_that_lacks_too_much_is_replaced() -> None:
    index, mask = filled(), selecting(np.arange(0, POINTS, 10))
    ask(index, mask)
    build(index)
    rewritten = np.arange(0, POINTS // 2, 10)
    index.put(rewritten, vectors(len(rewritten), 8))
    build(index)
    mask = selecting(np.arange(0, POINTS, 10))
    ask(index, mask)
    assert index.wishes
    build(index)
    assert [graph.live for graph in index._subsets.graphs] == [POINTS // 10]
    assert recall(index, mask) > 0.97


def test_memory_is_bounded() -> None:
    index = filled()
    for start in range(10):
        mask = selecting(np.arange(start, POINTS, 10))
        ask(index, mask)
        build(index)
    assert 1 <= len(index._subsets.graphs) < 10
    assert index._subsets.memory_bytes() <= max(4 * SIZE * POINTS // 2, index._subsets.graphs[0].memory_bytes())


def test_new_settings_drop_it() -> None:
    index, mask = filled(), selecting(np.arange(0, POINTS, 10))
    ask(index, mask)
    build(index)
    index.configure(HnswParams(m=8, full_scan_threshold=1, indexing_threshold=1))
    assert not index._subsets.graphs
    assert recall(index, mask) > 0.9


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["put", "remove", "build", "ask"]), st.integers(0, 99)), max_size=25))
def test_answers_are_those_of_rows_present_and_selected(steps: list[tuple[str, int]]) -> None:
    index, random = HnswIndex(SIZE, "Dot", params=PARAMS), np.random.default_rng(5)
    index.put(np.arange(5000), vectors(5000))
    mask = read_only(np.arange(0, 5000, 5), 5000)
    ask(index, mask)
    build(index)
    for action, seed in steps:
        at = np.unique(random.integers(0, 5000, 1 + seed))
        if action == "put":
            index.put(at, vectors(len(at), seed))
        elif action == "remove":
            index.remove(at)
        elif action == "build":
            index.build_step(0.001)
        else:
            mask = read_only(np.arange(seed % 5, 5000, 5), 5000)
            ask(index, mask)
        wanted = mask & index.present[:5000]
        query = vectors(1, seed)[0]
        hits = index.search(query, 20, mask, SearchParams(hnsw_ef=50))
        assert len(set(hits.offsets.tolist())) == len(hits.offsets) == min(20, int(wanted.sum()))
        assert wanted[hits.offsets].all()
        exact = index.similarities([query], hits.offsets)[0]
        np.testing.assert_allclose(hits.scores, exact, rtol=1e-4, atol=1e-4)
