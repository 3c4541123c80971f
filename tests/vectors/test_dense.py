"""Does exact search agree with the plainest reference, after any history of writes, and read no more than it must?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import WrongInput
from qdlite.types import Datatype, Distance, FloatArray, SparseArray, VectorArray
from qdlite.vectors.dense import DenseIndex
from qdlite.vectors.index import SearchParams
from tests.vectors.naive import SIMILARITIES, assert_same, byte_cosine, ranking

PLAIN = SearchParams()
DISTANCES: list[Distance] = ["Dot", "Cosine", "Euclid", "Manhattan"]


def filled(rows: FloatArray, distance: Distance = "Dot", datatype: Datatype = "float32") -> DenseIndex:
    index = DenseIndex(rows.shape[1], distance, datatype)
    index.put(np.arange(len(rows)), index.prepare_batch(rows))
    return index


@pytest.mark.parametrize("distance", DISTANCES)
@given(
    seed=st.integers(0, 2**32),
    size=st.sampled_from([1, 3, 15, 16, 33]),
    datatype=st.sampled_from(["float32", "float16", "uint8", "turbo4"]),
    share=st.sampled_from([None, 0.02, 0.5]),
    limit=st.sampled_from([1, 10, 999_999_999]),
)
def test_churn(distance: Distance, seed: int, size: int, datatype: Datatype, share: float | None, limit: int) -> None:
    random = np.random.default_rng(seed)
    index = DenseIndex(size, distance, datatype)
    stored: dict[int, VectorArray] = {}
    for _ in range(4):
        offsets = random.integers(0, 300, int(random.integers(1, 120)))
        batch = index.prepare_batch(random.normal(30, 60, (len(offsets), size)).astype(np.float32))
        index.put(offsets, batch)
        stored.update(zip(offsets.tolist(), batch, strict=True))
        gone = random.integers(0, 400, 25)
        index.remove(gone)
        stored = {at: row for at, row in stored.items() if at not in gone}
    assert index.count == len(stored)
    assert np.flatnonzero(index.present).tolist() == sorted(stored)
    query = index.prepare_query(random.normal(30, 60, size).astype(np.float32))
    mask = None if share is None else random.random(int(random.integers(1, 400))) < share
    bytes_cosine = distance == "Cosine" and datatype == "uint8"
    measure = byte_cosine if bytes_cosine else SIMILARITIES[distance]

    def score(vector: VectorArray) -> float:
        assert isinstance(vector, np.ndarray)
        return measure(query, vector)

    hits = index.search(query, limit, mask, PLAIN)
    relative = 1.0 if distance == "Cosine" else float(np.abs(hits.scores).max(initial=1))
    scaled = type(hits)(hits.offsets, hits.scores / np.float32(relative))
    expected = [(at, value / relative) for at, value in ranking(stored, score, limit, mask)]
    assert_same(scaled, expected, lambda at: score(stored[at]) / relative)
    if len(hits.offsets):
        again = index.similarities([query, query], hits.offsets[::-1])
        np.testing.assert_allclose(again[1] / relative, scaled.scores[::-1], rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("datatype", "distance", "given_row", "stored_row"),
    [
        ("uint8", "Dot", [-10, 1.9, 255.5, 300], [0, 1, 255, 255]),
        ("uint8", "Cosine", [3, 4, 0, 0], [3, 4, 0, 0]),
        ("float16", "Dot", [0.1, 1, 1e6, -2.0005], [0.0999755859375, 1, np.inf, -2]),
        ("float32", "Cosine", [3, 4, 0, 0], [np.float32(0.6), np.float32(0.8), 0, 0]),
    ],
)
def test_what_is_stored(
    datatype: Datatype, distance: Distance, given_row: list[float], stored_row: list[float]
) -> None:
    index = DenseIndex(4, distance, datatype)
    index.put(np.array([2]), [index.prepare(np.array(given_row, np.float32))])
    found = index.get(2)
    assert found is not None
    assert found.dtype == np.float32
    assert found.tolist() == stored_row
    found[:] = 7
    again = index.get(2)
    assert again is not None and again.tolist() == stored_row
    assert index.get(1) is None
    assert index.get(100) is None


def test_equal_scores_come_by_offset() -> None:
    index = filled(np.ones((5000, 4), np.float32))
    assert index.search(np.ones(4, np.float32), 3, None, PLAIN).offsets.tolist() == [0, 1, 2]
    mask = np.arange(5000) % 100 == 50
    assert index.search(np.ones(4, np.float32), 3, mask, PLAIN).offsets.tolist() == [50, 150, 250]


def test_euclid_by_norms_is_exact_far_from_the_origin() -> None:
    random = np.random.default_rng(3)
    rows = (500 + random.normal(0, 0.02, (3000, 24))).astype(np.float32)
    index = filled(rows, "Euclid")
    query = rows[17] + np.float32(0.001)
    exact = np.sum((rows.astype(np.float64) - query) ** 2, axis=1)
    hits = index.search(query, 10, None, PLAIN)
    assert hits.offsets.tolist() == np.argsort(exact, kind="stable")[:10].tolist()
    np.testing.assert_allclose(-hits.scores, np.sort(exact)[:10], rtol=1e-5)


def test_wrong_vectors() -> None:
    index = DenseIndex(3, "Dot")
    with pytest.raises(WrongInput, match=r"expected dim: 3, got 2$"):
        index.prepare(np.ones(2, np.float32))
    with pytest.raises(WrongInput, match="expected dim: 3, got 2"):
        index.prepare_batch(np.ones((5, 2), np.float32))
    with pytest.raises(WrongInput, match="sparse and regular"):
        index.prepare(SparseArray(np.ones(1, np.uint32), np.ones(1, np.float32)))
    with pytest.raises(WrongInput, match="multi and regular"):
        index.prepare_query(np.ones((1, 3), np.float32))


def test_empty() -> None:
    index = DenseIndex(3, "Euclid")
    assert len(index.search(np.ones(3, np.float32), 10, None, PLAIN).offsets) == 0
    index.put(np.array([4]), np.ones((1, 3), np.float32))
    assert len(index.search(np.ones(3, np.float32), 10, np.zeros(9, np.bool_), PLAIN).offsets) == 0
    assert index.similarities([], np.array([4])).shape == (0, 1)
    assert index.similarities([np.ones(3, np.float32)], np.array([], np.intp)).shape == (1, 0)


@pytest.mark.usefixtures("kernels_or_none")
@pytest.mark.parametrize("share", [0.001, 0.1])
def test_a_filtered_search_reads_matching_rows_only(share: float, rows_read: list[int]) -> None:
    random = np.random.default_rng(5)
    index = filled(random.normal(0, 1, (20_000, 16)).astype(np.float32))
    mask = random.random(20_000) < share
    mask[[0, -1]] = True
    rows_read.clear()
    index.search(np.ones(16, np.float32), 10, mask, PLAIN)
    assert sum(rows_read) == np.count_nonzero(mask)


def test_memory_grows_with_the_rows() -> None:
    small, large = (filled(np.ones((count, 16), np.float32)).memory_bytes() for count in (1000, 10_000))
    assert 64 * 10_000 <= large < 2 * 66 * 10_000
    assert small < large / 4


@pytest.mark.parametrize("distance", ["Dot", "Cosine", "Euclid", "Manhattan"])
def test_similarities_do_not_depend_on_what_is_asked_with_them(distance: Distance) -> None:
    rng = np.random.default_rng(0)
    index = filled(rng.random((900, 100), np.float32), distance)
    queries = [index.prepare_query(query) for query in rng.random((7, 100), np.float32)]
    for offsets in np.arange(900), np.arange(0, 900, 11):
        together = index.similarities(queries, offsets)
        alone = np.concatenate([index.similarities([query], offsets) for query in queries])
        np.testing.assert_array_equal(together, alone)
