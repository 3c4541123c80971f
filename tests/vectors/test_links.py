"""Do the links of a graph lead to the nearest rows, whatever the rows are like? Compiled ones and those of hnswlib."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.types import FloatArray
from qdlite.vectors.kernels import Kernels
from qdlite.vectors.links import GraphShape, Links, make_links

pytestmark = pytest.mark.usefixtures("kernels_or_none")


def normal(count: int, size: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal((count, size), np.float32)


def unit(rows: FloatArray) -> FloatArray:
    shorter: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return shorter


def linked(rows: FloatArray, euclid: bool = False, m: int = 16, batch: int = 500, threads: int = 2) -> Links:
    links = make_links(GraphShape(euclid, rows.shape[1], m, 100))
    for start in range(0, len(rows), batch):
        links.add(rows[start : start + batch], threads)
    return links


def recall(
    links: Links, rows: FloatArray, queries: FloatArray, euclid: bool, width: int = 100, limit: int = 10
) -> float:
    """The share of rows found that are as near as the true ones; equally near ones are as good."""
    found = 0
    for query in queries:
        wide, to = rows.astype(np.float64), query.astype(np.float64)
        distances = ((wide - to) ** 2).sum(axis=1) if euclid else -(wide @ to)
        worst = np.sort(distances)[limit - 1]
        labels = links.nearest(query, width)
        assert labels is not None
        assert len(set(labels.tolist())) == len(labels)
        found += int((distances[labels[:limit]] <= worst + 1e-6 * abs(worst)).sum())
    return found / limit / len(queries)


@pytest.mark.parametrize("euclid", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 17, 64, 300])
def test_recall(euclid: bool, size: int) -> None:
    # Of many dimensions few are independent, as in embeddings.
    spread = np.eye(size, dtype=np.float32) if size < 64 else normal(20, size, seed=2)
    rows, queries = normal(3000, len(spread)) @ spread, normal(50, len(spread), seed=1) @ spread
    rows, queries = (rows, queries) if euclid or size < 3 else (unit(rows), unit(queries))
    # Of dot products in few dimensions the largest rows win for all queries: graphs are not made for that.
    if euclid or size > 3:
        assert recall(linked(rows, euclid), rows, queries, euclid) > 0.95


def test_rows_that_are_nearly_alike_are_told_apart() -> None:
    """One byte a component says nothing here: of all that is near, floats are compared."""
    centres = unit(normal(5, 128))
    rows = unit(np.repeat(centres, 800, axis=0) + np.float32(0.002) * normal(4000, 128, seed=1))
    queries = unit(np.repeat(centres, 10, axis=0) + np.float32(0.002) * normal(50, 128, seed=2))
    assert recall(linked(rows, threads=1), rows, queries, False, width=128) > 0.9


def test_rows_far_from_the_origin_are_told_apart() -> None:
    rows, queries = normal(3000, 48) + np.float32(500), normal(50, 48, seed=1) + np.float32(500)
    assert recall(linked(rows, True, threads=1), rows, queries, True, width=128) > 0.9


def test_equal_rows_are_all_reached() -> None:
    rows = np.repeat(unit(normal(30, 32)), 20, axis=0)
    links = linked(rows)
    assert recall(links, rows, rows[::20], False, width=100, limit=20) > 0.9


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 120),
    size=st.integers(1, 40),
    m=st.sampled_from([1, 2, 8, 300]),
    euclid=st.booleans(),
    numbers=st.sampled_from([[0.0], [0.0, 1.0], [1e-42, 1.0, -1.0], [1e30, -1e30, 1.0], [3e38, 1.0], [np.inf, 1.0]]),
)
def test_strange_rows_do_no_harm(
    compiled: Kernels, seed: int, count: int, size: int, m: int, euclid: bool, numbers: list[float]
) -> None:
    rows = np.random.default_rng(seed).choice(np.array(numbers, np.float32), (count, size))
    nodes = compiled.nodes(size, m, 100, euclid)
    for start in range(0, count, 7):
        nodes.place(rows[start : start + 7])
        nodes.link(2)
    for query in rows[:5]:
        labels = nodes.nearest(query, 10).tolist()
        assert 0 < len(labels) <= 10
        assert set(labels) <= set(range(count))
        assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("euclid", [False, True])
@pytest.mark.parametrize("size", [5, 48, 100, 384])
def test_every_processor_makes_the_same_graph(
    compiled: Kernels, portable_library: Path, size: int, euclid: bool
) -> None:
    rows, queries = unit(normal(1500, size)), unit(normal(50, size, seed=1))
    both = [library.nodes(size, 8, 50, euclid) for library in (compiled, Kernels(str(portable_library)))]
    for nodes in both:
        nodes.place(rows)
        nodes.link(1)
    for query in queries:
        found, other = (nodes.nearest(query, 30).tolist() for nodes in both)
        assert found == other


def test_searches_side_by_side_do_not_disturb_each_other() -> None:
    rows = unit(normal(3000, 32))
    links, queries = linked(rows), unit(normal(200, 32, seed=1))

    def nearest(query: FloatArray) -> list[int]:
        labels = links.nearest(query, 40)
        assert labels is not None
        return list(labels.tolist())

    alone = [nearest(query) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(nearest, queries)) == alone


def test_searches_beside_insertion_find_what_was_there_before() -> None:
    """Rows that are being linked may be found or not; what leads to others must never be lost."""
    rows, queries = unit(normal(6000, 24)), unit(normal(50, 24, seed=1))
    links = linked(rows[:2000])
    true = [set(np.argsort(-(rows[:2000] @ query))[:10].tolist()) for query in queries]
    finished = threading.Event()

    def search(first: int) -> tuple[int, int, set[int]]:
        found, asked, seen = 0, 0, set[int]()
        while not (asked and finished.is_set()):
            at = (first + asked) % len(queries)
            labels = links.nearest(queries[at], 200)
            assert labels is not None
            assert len(set(labels.tolist())) == len(labels)
            before = [label for label in labels.tolist() if label < 2000][:10]
            found, asked = found + len(true[at].intersection(before)), asked + 1
            seen.update(labels.tolist())
        return found, asked, seen

    with ThreadPoolExecutor(3) as pool:
        searches = [pool.submit(search, first) for first in (0, 10, 20)]
        for start in range(2000, 6000, 100):
            links.add(rows[start : start + 100], 2)
        finished.set()
        for found, asked, seen in (search.result(60) for search in searches):
            assert found >= 0.97 * 10 * asked
            assert seen <= set(range(6000))
    assert recall(links, rows, queries, False) > 0.97


def test_many_threads_insert_as_well_as_one() -> None:
    rows, queries = unit(normal(6000, 24)), unit(normal(100, 24, seed=1))
    assert recall(linked(rows, batch=6000, threads=8), rows, queries, False) > 0.97


def test_buried_labels_leave_as_many_others() -> None:
    rows = unit(normal(2000, 32))
    links = linked(rows)
    links.bury(list(range(0, 2000, 2)))
    alive = rows[1::2]
    for query in unit(normal(20, 32, seed=1)):
        labels = links.nearest(query, 60)
        assert labels is not None
        odd = labels[labels % 2 == 1]
        true = np.argsort(-(alive @ query))[:10] * 2 + 1
        assert len(set(odd[:10].tolist()) & set(true.tolist())) >= 8


def test_an_empty_graph_finds_nothing(compiled: Kernels) -> None:
    nodes = compiled.nodes(8, 16, 100, False)
    assert not len(nodes.nearest(np.ones(8, np.float32), 5))
    nodes.place(np.zeros((0, 8), np.float32))
    nodes.link(2)
    assert not len(nodes.nearest(np.ones(8, np.float32), 5))
