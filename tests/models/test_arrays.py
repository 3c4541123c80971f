"""Wire vectors as arrays."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qdlite.errors import WrongInput
from qdlite.models.arrays import to_array
from qdlite.models.vectors import VectorObject
from qdlite.types import SparseArray


def test_dense_and_multi() -> None:
    dense, multi = to_array([1.0, 0.1]), to_array([[1.0, 2.0], [3.0, 4.0]])
    assert isinstance(dense, np.ndarray) and dense.dtype == np.float32 and dense.shape == (2,)
    assert isinstance(multi, np.ndarray) and multi.dtype == np.float32 and multi.shape == (2, 2)
    assert dense[1] == np.float32(0.1)


def test_sparse_is_sorted_by_index() -> None:
    sparse = to_array(VectorObject(indices=[7, 2, 4_294_967_295], values=[0.5, 1.5, 2.5]))
    assert isinstance(sparse, SparseArray)
    assert sparse.indices.dtype == np.uint32 and sparse.values.dtype == np.float32
    assert sparse.indices.tolist() == [2, 7, 4_294_967_295]
    assert sparse.values.tolist() == [1.5, 0.5, 2.5]


def test_empty_sparse() -> None:
    sparse = to_array(VectorObject(indices=[], values=[]))
    assert isinstance(sparse, SparseArray) and len(sparse.indices) == len(sparse.values) == 0


def test_numbers_beyond_float32_become_infinite() -> None:
    assert not np.isinf(to_array([1e30, -1e30])).any()  # though their squares are
    array = to_array([1e39, -1e300, 1.0])
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [math.inf, -math.inf, 1.0]


@pytest.mark.parametrize("vector", [[1.0, math.nan], [[1.0], [math.nan]], VectorObject(indices=[1], values=[math.nan])])
def test_nan_is_refused(vector: list[float] | list[list[float]] | VectorObject) -> None:
    with pytest.raises(WrongInput):
        to_array(vector)


def test_rows_of_different_lengths_are_refused() -> None:
    with pytest.raises(WrongInput):
        to_array([[1.0], [1.0, 2.0]])


def test_an_inference_object_is_no_vector() -> None:
    with pytest.raises(ValueError):
        to_array(VectorObject(text="hello", model="bm25"))
