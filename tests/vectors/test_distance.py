"""Are similarities bit-exact where Qdrant's are, precise elsewhere, and shown as clients expect?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.types import Distance, FloatArray
from qdlite.vectors.distance import (
    cosine_of_bytes,
    descending,
    normalise,
    passes,
    shown,
    similarity,
    squared_lengths,
)
from tests.vectors.naive import SIMILARITIES, byte_cosine

DISTANCES: list[Distance] = ["Dot", "Cosine", "Euclid", "Manhattan"]


def one_after_the_other(distance: Distance, left: FloatArray, right: FloatArray) -> np.float32:
    total: np.float32 = np.float32(0)
    for a, b in zip(left, right, strict=True):
        if distance in ("Dot", "Cosine"):
            total = np.float32(total + a * b)
        else:
            total = np.float32(total + ((a - b) * (a - b) if distance == "Euclid" else abs(a - b)))
    return total if descending(distance) else np.float32(-total)


@pytest.mark.parametrize("distance", DISTANCES)
@given(size=st.integers(1, 15), seed=st.integers(0, 2**32))
def test_small_vectors_are_summed_in_order(distance: Distance, size: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    queries, rows = (random.normal(0, 10, (count, size)).astype(np.float32) for count in (3, 40))
    found = similarity(distance, queries, rows)
    assert found.dtype == np.float32
    expected = [[one_after_the_other(distance, query, row) for row in rows] for query in queries]
    np.testing.assert_array_equal(found, np.array(expected))
    np.testing.assert_array_equal(found[1:2, 7:8], similarity(distance, queries[1:2], rows[7:8]))


def test_small_vectors_keep_the_sign_of_zero() -> None:
    """Only products that are all -0 sum up to -0."""
    queries, rows = np.array([[-1, -1], [-1, 1]], np.float32), np.zeros((1, 2), np.float32)
    assert np.signbit(similarity("Dot", queries, rows)).tolist() == [[True], [False]]


@pytest.mark.parametrize("distance", DISTANCES)
@given(size=st.integers(16, 80), seed=st.integers(0, 2**32), count=st.integers(1, 5))
def test_large_vectors_are_precise(distance: Distance, size: int, seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    queries, rows = (random.normal(0, 3, (number, size)).astype(np.float32) for number in (count, 30))
    expected = [[SIMILARITIES[distance](query, row) for row in rows] for query in queries]
    np.testing.assert_allclose(similarity(distance, queries, rows), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("count", [1, 40])
def test_distances_do_not_cancel(count: int) -> None:
    """Far from the origin, a distance made of norms would consist of rounding errors alone."""
    random = np.random.default_rng(1)
    rows = (1000 + random.normal(0, 0.01, (2000, 32))).astype(np.float32)
    queries = rows[:count] + random.normal(0, 0.01, (count, 32)).astype(np.float32)
    expected = -np.sum((queries[:, None].astype(np.float64) - rows[None]) ** 2, axis=2)
    np.testing.assert_allclose(similarity("Euclid", queries, rows), expected, rtol=1e-5)
    assert similarity("Euclid", rows[:count], rows)[0, 0] == 0


@given(size=st.integers(1, 40), seed=st.integers(0, 2**32), scale=st.sampled_from([1e-5, 1e-3, 1.0, 1e4]))
def test_normalising(size: int, seed: int, scale: float) -> None:
    rows = np.random.default_rng(seed).normal(0, scale, (20, size)).astype(np.float32)
    once = normalise(rows)
    tiny = squared_lengths(rows) < np.finfo(np.float32).eps
    np.testing.assert_array_equal(once[tiny], rows[tiny])
    np.testing.assert_allclose(np.linalg.norm(once[~tiny].astype(np.float64), axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(normalise(once), once)


def test_normalised_enough_is_left_alone() -> None:
    rows = np.array([[1.0000004, 0], [1.000002, 0], [0, 0]], np.float32)
    np.testing.assert_array_equal(normalise(rows), np.array([[1.0000004, 0], [1, 0], [0, 0]], np.float32))


@pytest.mark.parametrize("size", [3, 100])
def test_cosine_of_bytes(size: int) -> None:
    rows = np.trunc(np.random.default_rng(2).uniform(0, 256, (20, size))).astype(np.float32)
    rows[4] = 0
    expected = [[byte_cosine(query, row) for row in rows] for query in rows[:6]]
    np.testing.assert_allclose(cosine_of_bytes(rows[:6], rows), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("distance", "internal", "visible", "better"),
    [
        ("Dot", [3, -1], [3, -1], [True, False]),
        ("Cosine", [0.75, 0.5], [0.75, 0.5], [True, False]),
        ("Euclid", [-4, -0.25], [2, 0.5], [False, True]),
        ("Manhattan", [-4, -0.25], [4, 0.25], [False, True]),
    ],
)
def test_shown_scores_and_thresholds(
    distance: Distance, internal: list[float], visible: list[float], better: list[bool]
) -> None:
    scores = shown(distance, np.array(internal, np.float32))
    assert scores.tolist() == visible
    middle = sum(visible) / 2
    assert passes(distance, scores, middle).tolist() == better
    assert not passes(distance, scores, visible[0])[0]  # strict: equal is dropped
