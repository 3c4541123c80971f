"""How does a vector of the wire become an array of the engine?"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from struct import error as StructError
from typing import Any, TypeAlias, cast

import numpy as np

from qdlite.errors import WrongInput, vector_contains_nan
from qdlite.models.vectors import VectorObject
from qdlite.types import FloatArray, SparseArray, VectorArray

AnyWireVector: TypeAlias = "list[float] | list[list[float]] | list[float | list[float]] | VectorObject | VectorArray"

_KEEPS_LOCK = 500
"""Comparing up to so many numbers numpy keeps the interpreter lock: who gives it up may wait long to have it back."""


def to_array(vector: AnyWireVector) -> VectorArray:
    """Dense (1-D), multi (2-D) or sparse (sorted by index), in float32.

    A number beyond float32's range becomes infinite, as in Qdrant. Raises WrongInput for NaN and for rows of
    different lengths, ValueError for an inference object: that one has to be embedded first.
    """
    if isinstance(vector, (np.ndarray, list)):
        return _without_nan(floats(vector))
    return vector if isinstance(vector, SparseArray) else _sparse(vector)


def floats(values: list[float] | list[list[float]] | list[float | list[float]] | FloatArray) -> FloatArray:
    """The same for dense and multi vectors, in which NaN is let pass."""
    if isinstance(values, np.ndarray):
        if values.dtype == np.float32:
            return values
        with np.errstate(over="ignore"):
            return values.astype(np.float32, copy=False)
    return _rows(values) if values and isinstance(values[0], list) else dense(cast("list[float]", values))


def _without_nan(array: FloatArray) -> FloatArray:
    if _has_nan(array):
        raise vector_contains_nan()
    return array


def _has_nan(array: FloatArray) -> bool:
    if array.size <= _KEEPS_LOCK:
        return b"\1" in np.isnan(array).tobytes()  # takes a third of the time of `any`
    flat = array.ravel()
    with np.errstate(over="ignore"):
        squares = flat.dot(flat)  # faster, and NaN only if one of the numbers is
    return bool(squares != squares)


def dense(values: list[float]) -> FloatArray:
    """One row in float32; a number beyond its range becomes infinite."""
    try:
        array = np.empty(len(values), np.float32)
        _layout(len(values)).pack_into(array.data, 0, *values)  # takes a third of the time that numpy needs
    except (OverflowError, StructError):
        with np.errstate(over="ignore"):
            array = np.fromiter(values, np.float32, len(values))
    return array


@lru_cache(64)
def _layout(count: int) -> Struct:
    """So many numbers in float32."""
    return Struct(f"{count}f")


def _rows(values: Any) -> FloatArray:
    try:
        with np.errstate(over="ignore"):
            return np.array(values, dtype=np.float32)
    except ValueError:
        raise WrongInput("all vectors must have the same dimension") from None


def _sparse(vector: VectorObject) -> SparseArray:
    if vector.indices is None or vector.values is None:
        raise ValueError("an inference object has no vector of its own")
    indices = np.array(vector.indices, dtype=np.uint32)
    values = _without_nan(dense(vector.values))
    if len(indices) > 1 and not (indices[1:] > indices[:-1]).all():
        order = np.argsort(indices, kind="stable")
        indices, values = indices[order], values[order]
    return SparseArray(indices, values)
