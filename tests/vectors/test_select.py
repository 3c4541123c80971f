"""Are the best entries found, in order, whatever the scores look like?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.types import BoolArray, FloatArray
from qdlite.vectors.select import best, best_among


def reference(scores: FloatArray, limit: int, allowed: BoolArray | None) -> list[int]:
    positions = range(len(scores)) if allowed is None else np.flatnonzero(allowed).tolist()
    return sorted(positions, key=lambda at: (-scores[at], at))[:limit]


@given(
    seed=st.integers(0, 2**32),
    size=st.integers(0, 12_000),
    limit=st.sampled_from([0, 1, 2, 10, 100, 3000, 10**9]),
    distinct=st.sampled_from([1, 2, 5, 300, 10**6]),
    share=st.sampled_from([None, 0.0, 0.001, 0.1, 0.6, 1.0]),
)
def test_best(seed: int, size: int, limit: int, distinct: int, share: float | None) -> None:
    random = np.random.default_rng(seed)
    scores = random.integers(0, distinct, size).astype(np.float32) - distinct // 2
    allowed = None if share is None else random.random(size) < share
    assert best(scores, limit, allowed).tolist() == reference(scores, limit, allowed)


def test_a_mask_may_be_shorter_than_the_scores() -> None:
    scores = np.arange(10, dtype=np.float32)
    assert best(scores, 2, np.ones(4, np.bool_)).tolist() == [3, 2]


def test_scores_that_are_no_numbers_come_last() -> None:
    scores = np.full(5000, np.nan, np.float32)
    scores[[7, 9]] = [1, 2]
    assert best(scores, 2).tolist() == [9, 7]


@pytest.mark.parametrize("scores", [np.zeros(100_000, np.float32), np.arange(100_000, dtype=np.float32) % 7])
def test_equal_scores_are_not_sorted(scores: FloatArray, monkeypatch: pytest.MonkeyPatch) -> None:
    sorted_lengths = []
    argsort = np.argsort

    def counting(array: FloatArray, kind: str) -> object:
        sorted_lengths.append(len(array))
        return argsort(array, kind="stable")

    monkeypatch.setattr(np, "argsort", counting)
    assert best_among(scores, 10).tolist() == reference(scores, 10, None)
    assert sum(sorted_lengths) < 5000
