"""The formulas themselves, against values worked out by hand or stated by Qdrant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import WrongInput
from qdlite.queries.fusion import dbsf, rrf
from qdlite.queries.scoring.context import context
from qdlite.queries.scoring.discover import discover
from qdlite.queries.scoring.feedback import feedback, feedback_pairs
from qdlite.queries.scoring.formula import shortest
from qdlite.queries.scoring.mmr import mmr
from qdlite.queries.scoring.recommend import average_vector, best_score, sum_scores
from qdlite.queries.scoring.text import bm25_params
from qdlite.types import FloatArray, Hits, SparseArray


def floats(*values: float) -> FloatArray:
    return np.array(values, np.float32)


def column(*values: float) -> FloatArray:
    """Similarities of several examples to one point."""
    return floats(*values)[:, None]


def offsets(*values: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.array(values, np.intp)


def test_rrf_golden() -> None:
    """From the unit tests of Qdrant 1.19's reciprocal_rank_fusion.rs."""
    fused = rrf([offsets(2, 1), offsets(1, 2, 3), offsets(5, 3, 1)])
    scores = dict(zip(fused.offsets.tolist(), fused.scores, strict=True))
    assert scores == {1: np.float32(1.0833334), 2: np.float32(0.8333334), 3: np.float32(0.5833334), 5: np.float32(0.5)}


def test_rrf_weights_stretch_positions() -> None:
    fused = rrf([offsets(0, 1, 2), offsets(9)], k=60, weights=[3.0, 1.0])
    assert fused.scores[2] == fused.scores[3] == np.float32(1 / 60)


def test_rrf_of_nothing() -> None:
    assert len(rrf([]).offsets) == len(rrf([offsets()]).offsets) == 0


def test_dbsf() -> None:
    """Mean 2, sample deviation 1: the range is -1 to 5."""
    fused = dbsf([Hits(offsets(3, 4, 5), floats(3, 2, 1)), Hits(offsets(4), floats(99)), Hits(offsets(), floats())])
    assert fused.offsets.tolist() == [3, 4, 5]
    assert fused.scores == pytest.approx([4 / 6, 3 / 6 + 0.5, 2 / 6])
    assert dbsf([Hits(offsets(1, 2), floats(7, 7))]).scores.tolist() == [0.5, 0.5]


@given(st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=60))
def test_dbsf_of_long_lists_agrees_with_short_ones(values: list[float]) -> None:
    """Above 1024 scores mean and variance are computed in another way."""
    spread = floats(*values, *np.linspace(-2, 2, 20))
    repeated = np.tile(spread, 80)
    ours = dbsf([Hits(np.arange(len(repeated)), repeated)]).scores[: len(spread)]
    low = repeated.mean(dtype=np.float64) - 3 * repeated.std(dtype=np.float64, ddof=1)
    assert ours == pytest.approx((spread - low) / (6 * repeated.std(dtype=np.float64, ddof=1)), rel=1e-4)


@pytest.mark.parametrize(
    ("similarities", "positives", "expected"),
    [
        ((0.5, 1.0, 0.25), 2, 0.5 * (1.0 / 2 + 1)),
        ((0.5, 1.0), 1, -0.5 * (1.0 / 2 + 1)),
        ((1.0, 1.0), 1, -0.75),
        ((-3.0,), 0, -0.5 * (-3.0 / 4 + 1)),
    ],
)
def test_best_score(similarities: tuple[float, ...], positives: int, expected: float) -> None:
    assert best_score(column(*similarities), positives).tolist() == [expected]


def test_sum_scores() -> None:
    assert sum_scores(column(1, 2, 4), 2).tolist() == [-1]
    assert sum_scores(column(1, 2), 2).tolist() == [3]


def test_discover() -> None:
    assert discover(column(1, 5, 2, 2, 5, 3, 3)).tolist() == [0.75]
    assert discover(column(1, 5, 2)).tolist() == [1.75]
    assert discover(column(-1, 2, 5)).tolist() == [-0.75]
    assert discover(column(1)).tolist() == [0.75]


def test_discover_tells_zeros_apart_and_not_infinities() -> None:
    assert discover(column(0, 0.0, -0.0)).tolist() == [1.5]
    assert discover(column(0, -0.0, 0.0)).tolist() == [-0.5]
    assert discover(column(0, -0.0, -0.0)).tolist() == [0.5]
    assert discover(column(0, np.inf, np.inf)).tolist() == [0.5]
    assert discover(column(0, -np.inf, -3e38, 1e-45, -1e-45)).tolist() == [0.5]


def test_context() -> None:
    assert context(column(5, 2)).tolist() == [0]
    assert context(column(2, 5)).tolist() == pytest.approx([-0.75])
    assert context(column(2, 2)).tolist() == [pytest.approx(-1.1920929e-07)]
    assert context(np.zeros((0, 3), np.float32)).tolist() == [0, 0, 0]


def test_feedback() -> None:
    found = feedback_pairs([0.5, 1.0, 0.5], b=2, c=4)
    assert [(pair.better, pair.worse, float(pair.weight)) for pair in found] == [(1, 0, 1.0), (1, 2, 1.0)]
    assert feedback(column(10, 1, 3, 2), 0.5, found).tolist() == [5 + (3 - 1) + (3 - 2)]
    assert feedback_pairs([1.0], 1, 1) == []


def test_mmr_prefers_what_differs() -> None:
    """The second candidate is nearly the first; the third is far from both."""
    between = np.array([[1, 0.99, 0], [0.99, 1, 0.1], [0, 0.1, 1]], np.float32)
    to_query = floats(0.9, 0.89, 0.5)
    assert mmr(to_query, between.__getitem__, 0.5, 3).tolist() == [0, 2, 1]
    assert mmr(to_query, between.__getitem__, 1.0, 3).tolist() == [0, 1, 2]
    assert mmr(to_query, between.__getitem__, 0.5, 1).tolist() == [0]


def test_mmr_asks_only_for_what_it_chose() -> None:
    asked = []

    def to_candidate(position: int) -> FloatArray:
        asked.append(position)
        return np.zeros(100, np.float32)

    assert mmr(np.arange(100, dtype=np.float32), to_candidate, 0.5, 3).tolist() == [99, 98, 97]
    assert asked == [99, 98]


def test_average_of_dense_vectors() -> None:
    average = average_vector([floats(1, 2), floats(3, 2)], [])
    assert isinstance(average, np.ndarray) and average.tolist() == [2, 2]
    moved = average_vector([floats(1, 2), floats(3, 2)], [floats(1, 1)])
    assert isinstance(moved, np.ndarray) and moved.tolist() == [3, 3]


def test_average_of_sparse_vectors() -> None:
    def sparse(**values: float) -> SparseArray:
        return SparseArray(np.array([int(key[1:]) for key in values], np.uint32), floats(*values.values()))

    average = average_vector([sparse(i1=2, i3=4), sparse(i3=2, i9=1)], [sparse(i2=1, i9=0.5)])
    assert isinstance(average, SparseArray)
    assert average.indices.tolist() == [1, 2, 3, 9] and average.indices.dtype == np.uint32
    assert average.values.tolist() == [2, -1, 6, 0.5]


def test_multivectors_are_concatenated() -> None:
    average = average_vector([floats(1, 2)[None], floats(3, 4)[None]], [floats(5, 6)[None]])
    assert isinstance(average, np.ndarray) and average.tolist() == [[1, 2], [3, 4], [-5, -6]]


def test_average_refuses_what_does_not_fit() -> None:
    with pytest.raises(WrongInput, match="should be of the same type, either all dense"):
        average_vector([floats(1)], [floats(1)[None]])
    for positives, negatives in (([floats(1), floats(1, 2)], []), ([floats(1)], [floats(1, 2)])):
        with pytest.raises(WrongInput, match="Vector dimension error"):
            average_vector(positives, negatives)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (-0.0, "-0"), (0.1, "0.1"), (1e21, "1" + "0" * 21), (1e-7, "0.0000001"), (np.float32(0.1), "0.1"),
     (float("nan"), "NaN"), (float("inf"), "inf"), (float("-inf"), "-inf"), (1200.0, "1200")],
)  # fmt: skip
def test_numbers_print_as_in_rust(value: float, text: str) -> None:
    assert shortest(value) == text


def test_bm25_params() -> None:
    assert bm25_params(None) == bm25_params({"bm25": {}}) == (1.2, 0.75)
    assert bm25_params({"bm25": {"k": 2, "b": 0}}) == (2.0, 0.0)


@pytest.mark.parametrize("scoring", [{"bm25": {"k": -1}}, {"bm25": {"b": 1.5}}, {"tfidf": {}}])
def test_wrong_bm25_params(scoring: dict[str, dict[str, float]]) -> None:
    with pytest.raises(WrongInput):
        bm25_params(scoring)
