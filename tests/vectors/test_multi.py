"""Does MaxSim agree with the plainest reference after any history of writes?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import WrongInput
from qdlite.types import Distance, SparseArray, VectorArray
from qdlite.vectors import multi
from qdlite.vectors.index import SearchParams
from qdlite.vectors.multi import MultiIndex
from tests.vectors.naive import assert_same, max_sim, ranking

PLAIN = SearchParams()


@pytest.mark.parametrize("distance", ["Dot", "Cosine", "Euclid", "Manhattan"])
@given(
    seed=st.integers(0, 2**32),
    size=st.sampled_from([2, 20]),
    block=st.sampled_from([1, 64, 1 << 18]),
    masked=st.booleans(),
)
def test_churn(distance: Distance, seed: int, size: int, block: int, masked: bool) -> None:
    random = np.random.default_rng(seed)
    index = MultiIndex(size, distance)
    stored: dict[int, VectorArray] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multi, "BLOCK", block)
        patch.setattr(multi, "_COMPACT_ABOVE", 40)
        for _ in range(6):
            offsets = random.integers(0, 60, int(random.integers(1, 30)))
            lengths = random.integers(1, 7, len(offsets)).tolist()
            vectors = index.prepare_batch([random.normal(0, 2, (n, size)).astype(np.float32) for n in lengths])
            index.put(offsets, vectors)
            stored.update(zip(offsets.tolist(), vectors, strict=True))
            gone = random.integers(0, 80, 12)
            index.remove(gone)
            stored = {at: rows for at, rows in stored.items() if at not in gone}
        query = index.prepare_query(random.normal(0, 2, (3, size)).astype(np.float32))
        mask = random.random(50) < 0.5 if masked else None

        def score(vector: VectorArray) -> float:
            assert isinstance(vector, np.ndarray)
            return max_sim(distance, query, vector)

        hits = index.search(query, 10, mask, PLAIN)
        assert_same(hits, ranking(stored, score, 10, mask), lambda at: score(stored[at]))
        assert index.count == len(stored)
        np.testing.assert_allclose(index.similarities([query], hits.offsets)[0], hits.scores, rtol=1e-5, atol=1e-5)
        for at, rows in stored.items():
            np.testing.assert_array_equal(np.asarray(index.get(at)), np.asarray(rows))


def test_replaced_vectors_do_not_pile_up() -> None:
    index = MultiIndex(8, "Dot")
    rows = np.ones((10, 8), np.float32)
    for _ in range(300):
        index.put(np.arange(50), [rows] * 50)
    assert index.memory_bytes() < 10 * 50 * rows.nbytes


def test_kinds() -> None:
    index = MultiIndex(3, "Cosine")
    assert index.prepare(np.array([0, 3, 4], np.float32)).tolist() == [[0, np.float32(0.6), np.float32(0.8)]]
    with pytest.raises(WrongInput, match=r"expected dim: 3, got 2$"):
        index.prepare(np.ones((4, 2), np.float32))
    with pytest.raises(WrongInput, match="sparse and regular"):
        index.prepare(SparseArray(np.ones(1, np.uint32), np.ones(1, np.float32)))
    assert len(index.search(index.prepare_query(np.ones(3, np.float32)), 5, None, PLAIN).offsets) == 0
