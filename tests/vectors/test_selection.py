"""What is remembered of a mask: the answers stay those of a fresh index, and fewer rows are touched."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from qdlite.types import Distance, FloatArray
from qdlite.vectors import kernels
from qdlite.vectors.dense import DenseIndex
from qdlite.vectors.index import SearchParams
from tests.vectors.conftest import read_only

POINTS, SIZE = 4000, 24
PARAMS = SearchParams()

selecting = partial(read_only, size=POINTS)


def filled(distance: Distance = "Dot") -> DenseIndex:
    index = DenseIndex(SIZE, distance)
    vectors = np.random.default_rng(1).standard_normal((POINTS, SIZE), np.float32)
    index.put(np.arange(POINTS), index.prepare_batch(vectors))
    return index


def query(index: DenseIndex) -> FloatArray:
    return index.prepare(np.random.default_rng(2).standard_normal(SIZE, np.float32))


@pytest.fixture
def without_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled scan needs no rows together."""
    monkeypatch.setattr(kernels, "installed", lambda: None)


@pytest.mark.usefixtures("kernels_or_none")
@pytest.mark.parametrize("distance", ["Dot", "Cosine", "Euclid", "Manhattan"])
@pytest.mark.parametrize("every", [3, 50, 3999])
def test_every_use_gives_the_same_hits(distance: Distance, every: int) -> None:
    index, mask = filled(distance), selecting(np.arange(0, POINTS, every))
    expected = index.search(query(index), 10, mask.copy(), PARAMS)
    for _ in range(6):
        hits = index.search(query(index), 10, mask, PARAMS)
        assert hits.offsets.tolist() == expected.offsets.tolist()
        np.testing.assert_allclose(hits.scores, expected.scores, rtol=1e-5, atol=1e-5)


def test_rows_are_gathered_once_for_a_filter_that_comes_again(rows_read: list[int], without_kernels: None) -> None:
    index, mask = filled(), selecting(np.arange(0, POINTS, 20))
    rows_read.clear()
    for _ in range(20):
        index.search(query(index), 10, mask, PARAMS)
    assert sum(rows_read) == 3 * 200  # twice for a search, once to be kept


def test_writes_are_seen() -> None:
    index, mask = filled(), selecting(np.arange(0, POINTS, 20))
    for _ in range(5):
        index.search(query(index), 10, mask, PARAMS)
    best = int(index.search(query(index), 1, mask, PARAMS).offsets[0])
    index.remove(np.array([best]))
    assert best not in index.search(query(index), 200, mask, PARAMS).offsets
    other = 20 if best != 20 else 40
    index.put(np.array([other]), 100 * query(index)[None, :])
    assert index.search(query(index), 1, mask, PARAMS).offsets.tolist() == [other]


def test_writable_masks_are_not_remembered() -> None:
    index = filled()
    mask = np.zeros(POINTS, np.bool_)
    for chosen in range(10):
        mask[:] = False
        mask[chosen] = True
        assert index.search(query(index), 5, mask, PARAMS).offsets.tolist() == [chosen]


def test_another_mask_at_the_same_place_is_another_mask() -> None:
    index = filled()
    for chosen in range(200):
        assert index.search(query(index), 5, selecting(np.array([chosen])), PARAMS).offsets.tolist() == [chosen]


def test_kept_rows_are_counted_as_memory_and_limited(without_kernels: None) -> None:
    index = filled()
    before = index.memory_bytes()
    mask = selecting(np.arange(0, POINTS, 20))
    for _ in range(4):
        index.search(query(index), 5, mask, PARAMS)
    assert index.memory_bytes() - before == 200 * SIZE * 4
    for every in range(30, 60):
        other = selecting(np.arange(0, POINTS, every))
        for _ in range(4):
            index.search(query(index), 5, other, PARAMS)
    assert index.memory_bytes() - before < 16 * 200 * SIZE * 4
