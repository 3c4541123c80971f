"""Do sparse search, its `idf` modifier and its merging posting sets agree with the plainest reference? All with
compiled code and without."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import WrongInput
from qdlite.types import BoolArray, SparseArray, VectorArray
from qdlite.vectors import accumulate, kernels, sparse
from qdlite.vectors.index import SearchParams
from qdlite.vectors.postings import Postings
from qdlite.vectors.sparse import Modifier, SparseIndex
from tests.vectors.naive import assert_same, ranking, sparse_dot

PLAIN = SearchParams()


@pytest.fixture(scope="module", params=["numpy", "compiled"], autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """How sums are taken in the tests of this file."""
    found = request.getfixturevalue("compiled") if request.param == "compiled" else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "installed", lambda: found)
        yield request.param


def vector(random: np.random.Generator, terms: int, vocabulary: int) -> SparseArray:
    indices = np.sort(random.choice(vocabulary, min(terms, vocabulary), replace=False)).astype(np.uint32)
    # Zeros and negative values are legal, and a shared index with product 0 is still shared.
    values = random.integers(-3, 9, len(indices)).astype(np.float32) / np.float32(4)
    return SparseArray(indices * np.uint32(7_919), values)


def idf_query(query: SparseArray, stored: dict[int, VectorArray], corpus: BoolArray | None) -> SparseArray:
    within = [row for at, row in stored.items() if corpus is None or (at < len(corpus) and corpus[at])]
    weights = []
    for index in query.indices:
        holding = sum(isinstance(row, SparseArray) and index in row.indices for row in within)
        weights.append(math.log((len(within) - holding + 0.5) / (holding + 0.5) + 1))
    return SparseArray(query.indices, (query.values * np.array(weights)).astype(np.float32))


@pytest.mark.parametrize("modifier", ["none", "idf"])
@given(
    seed=st.integers(0, 2**32),
    vocabulary=st.sampled_from([3, 40, 2000]),
    limit=st.sampled_from([1, 10, 999_999_999]),
    few=st.sampled_from([0, 1, 64]),
    share=st.sampled_from([None, 0.0, 0.3]),
    corpus_share=st.sampled_from([None, 0.0, 0.5]),
)
def test_churn(
    modifier: Modifier,
    seed: int,
    vocabulary: int,
    limit: int,
    few: int,
    share: float | None,
    corpus_share: float | None,
) -> None:
    random = np.random.default_rng(seed)
    index = SparseIndex(modifier)
    stored: dict[int, VectorArray] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accumulate, "_FEW_SHARE", few)
        patch.setattr(sparse, "_COMPACT_ABOVE", 50)
        patch.setattr(sparse, "_UNSORTED_ROWS", 30)
        patch.setattr(sparse, "_WORTH_MERGING", 20)
        for step in range(8):
            offsets = random.integers(0, 150, int(random.integers(1, 40)))
            rows = [vector(random, int(random.integers(0, 12)), vocabulary) for _ in offsets]
            index.put(offsets, index.prepare_batch(rows))
            stored.update(zip(offsets.tolist(), rows, strict=True))
            gone = random.integers(0, 200, 6)
            index.remove(gone)
            stored = {at: row for at, row in stored.items() if at not in gone}
            if step % 3 == 1:
                index.search(vector(random, 3, vocabulary), 1, None, PLAIN)
            if step % 4 == 3:
                assert not index.build_step(1)
        query = index.prepare_query(vector(random, 5, vocabulary))
        mask = None if share is None else random.random(100) < share
        corpus = None if corpus_share is None else random.random(120) < corpus_share
        params = SearchParams(idf_corpus=corpus)
        weighted = idf_query(query, stored, corpus) if modifier == "idf" else query

        def score(row: VectorArray) -> float | None:
            assert isinstance(row, SparseArray)
            return sparse_dot(weighted, row)

        hits = index.search(query, limit, mask, params)
        assert_same(hits, ranking(stored, score, limit, mask), lambda at: score(stored[at]))
        np.testing.assert_allclose(index.weighted(query, params).values, weighted.values, rtol=1e-5)
        assert index.count == len(stored)
        everywhere = np.array(sorted(stored), np.intp)
        expected = [score(stored[at]) for at in everywhere.tolist()]
        found = index.similarities([index.weighted(query, params)], everywhere)[0]
        np.testing.assert_allclose(found, [value or 0 for value in expected], rtol=2e-5, atol=2e-5)
        assert index.shares(query, everywhere).tolist() == [value is not None for value in expected]
        for at in everywhere.tolist():
            kept, row = index.get(at), stored[at]
            assert kept is not None and isinstance(row, SparseArray)
            np.testing.assert_array_equal(kept.indices, row.indices)
            np.testing.assert_array_equal(kept.values, row.values)


def test_idf_of_an_empty_corpus_is_ln_2() -> None:
    index = SparseIndex("idf")
    row = SparseArray(np.array([4], np.uint32), np.array([1], np.float32))
    index.put(np.array([0]), [row])
    nobody = SearchParams(idf_corpus=np.zeros(1, np.bool_))
    assert index.weighted(row, nobody).values[0] == np.float32(math.log(2))


def test_the_modifier_acts_at_once() -> None:
    index = SparseIndex()
    row = SparseArray(np.array([4], np.uint32), np.array([1], np.float32))
    index.put(np.arange(3), [row, row, SparseArray(np.array([5], np.uint32), np.array([1], np.float32))])
    assert index.search(row, 1, None, PLAIN).scores[0] == 1
    index.modifier = "idf"
    assert index.search(row, 1, None, PLAIN).scores[0] == pytest.approx(math.log(1.5 / 2.5 + 1), rel=1e-6)


def test_indices_are_sorted() -> None:
    given_vector = SparseArray(np.array([9, 2, 2**32 - 1, 5], np.uint32), np.array([1, 2, 3, 4], np.float32))
    prepared = SparseIndex().prepare(given_vector)
    assert prepared.indices.tolist() == [2, 5, 9, 2**32 - 1]
    assert prepared.values.tolist() == [2, 4, 1, 3]


def test_other_kinds_are_refused() -> None:
    with pytest.raises(WrongInput, match="sparse and regular"):
        SparseIndex().prepare(np.ones(3, np.float32))
    with pytest.raises(WrongInput, match="multi and regular"):
        SparseIndex().prepare(np.ones((2, 3), np.float32))


def test_a_load_moves_each_posting_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[int] = []
    merge = Postings.followed_by

    def counted(self: Postings, later: Postings) -> Postings:
        moved.append(len(self) + len(later))
        return merge(self, later)

    monkeypatch.setattr(Postings, "followed_by", counted)
    monkeypatch.setattr(sparse, "_UNSORTED_ROWS", 50)
    random = np.random.default_rng(1)
    index = SparseIndex()
    for start in range(0, 20_000, 100):
        index.put(np.arange(start, start + 100), [vector(random, 5, 300) for _ in range(100)])
    index.search(vector(random, 5, 300), 10, None, PLAIN)
    assert sum(moved) < 12 * 100_000


def test_a_rare_index_touches_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search for an index that a handful of points hold must not go over all of them (by numpy; compiled code skips
    blocks of rows without postings)."""
    index = SparseIndex()
    common = SparseArray(np.array([1], np.uint32), np.array([1], np.float32))
    rare = SparseArray(np.array([2], np.uint32), np.array([1], np.float32))
    index.put(np.arange(5000), [common] * 4990 + [rare] * 10)
    index.search(rare, 1, None, PLAIN)
    monkeypatch.setattr(accumulate, "best", None)  # the selection from all rows
    assert index.search(rare, 3, None, PLAIN).offsets.tolist() == [4990, 4991, 4992]


def test_readers_and_the_merger_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse, "_WORTH_MERGING", 0)
    random = np.random.default_rng(2)
    index = SparseIndex()
    rows = [vector(random, 8, 100) for _ in range(3000)]
    queries = [vector(random, 5, 100) for _ in range(20)]
    lock, wrong, finished = threading.Lock(), [], threading.Event()

    def read() -> None:
        while not finished.is_set():
            query = queries[int(np.random.default_rng().integers(20))]
            with lock:
                written = index.count
                hits = index.search(query, 5, None, PLAIN)
            expected = sorted(value for row in rows[:written] if (value := sparse_dot(query, row)) is not None)
            if not np.allclose(hits.scores, expected[::-1][:5], atol=1e-5):
                wrong.append((written, hits))

    def merge() -> None:
        while not finished.is_set():
            index.build_step(0.01)

    threads = [threading.Thread(target=target) for target in (read, merge)]
    for thread in threads:
        thread.start()
    for start in range(0, 3000, 100):
        with lock:
            index.put(np.arange(start, start + 100), rows[start : start + 100])
        threading.Event().wait(0.01)
    finished.set()
    for thread in threads:
        thread.join(20)
    assert not wrong
