"""Products of many rows with one vector: equal to float64, whichever way they are computed."""

from __future__ import annotations

import numpy as np
import pytest

from qdlite.types import FloatArray
from qdlite.vectors import products


def case(rows: int, size: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(rows * size)
    return rng.standard_normal((rows, size), np.float32), rng.standard_normal(size, np.float32)


@pytest.mark.parametrize(("rows", "size"), [(0, 16), (1, 16), (7, 384), (3000, 384), (1, 500_000), (40_000, 128)])
def test_equal_to_float64(rows: int, size: int) -> None:
    matrix, vector = case(rows, size)
    expected = matrix.astype(np.float64) @ vector.astype(np.float64)
    np.testing.assert_allclose(products.dots(matrix, vector), expected, rtol=1e-4, atol=1e-3 * np.sqrt(size))


def test_two_threads_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, vector = case(30_000, 128)
    monkeypatch.setattr(products, "_cores", lambda: 1)
    alone = products.dots(matrix, vector)
    monkeypatch.setattr(products, "_cores", lambda: 2)
    np.testing.assert_array_equal(products.dots(matrix, vector), alone)


def test_a_second_product_does_not_wait_for_the_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, vector = case(30_000, 128)
    monkeypatch.setattr(products, "_cores", lambda: 2)
    expected = products.dots(matrix, vector)
    with products._helping:
        np.testing.assert_array_equal(products.dots(matrix, vector), expected)


def test_overflow_is_silent() -> None:
    matrix = np.full((4000, 128), 3e38, np.float32)
    assert np.isinf(products.dots(matrix, matrix[0])).all()
