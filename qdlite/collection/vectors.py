"""How do vectors as sent become vectors as stored? Names and kinds are checked, columns are made, one per name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import numpy as np

from qdlite.collection.operations import VectorColumn
from qdlite.errors import BadRequest, WrongInput, model_misfit, unknown_vector, wrong_dimension
from qdlite.models.arrays import to_array
from qdlite.models.collections import VectorParams
from qdlite.models.vectors import VectorObject, WireVector
from qdlite.types import SparseArray, VectorArray
from qdlite.vectors.index import VectorIndex

Resolve = Callable[[VectorObject], VectorArray]
"""Gives the embedding of an inference object of the request."""


def columns(
    rows: Iterable[Mapping[str, WireVector]], indexes: Mapping[str, VectorIndex], resolve: Resolve
) -> dict[str, VectorColumn]:
    """Prepared columns by vector name for points in the order given.

    Raises WrongInput for an unknown name, a wrong kind or a wrong dimension.
    """
    found: dict[str, tuple[list[int], list[WireVector]]] = {}
    for row, vectors in enumerate(rows):
        for name, vector in vectors.items():
            if name not in found:
                if name not in indexes:
                    _array(name, vector, resolve)  # a sparse vector without a name is another mistake
                    raise unknown_vector(name)
                found[name] = [], []
            at, column = found[name]
            at.append(row)
            column.append(vector)
    return {
        name: VectorColumn(np.array(at, np.intp), _prepared(name, column, indexes[name], resolve))
        for name, (at, column) in found.items()
    }


def check_sizes(rows: Iterable[Mapping[str, WireVector]], params: Mapping[str, VectorParams]) -> None:
    """Raises WrongInput for a dense vector, or a row of a multivector, of another size than its name says."""
    for vectors in rows:
        for name, vector in vectors.items():
            if name not in params or isinstance(vector, (VectorObject, SparseArray)) or not len(vector):
                continue
            parts = [vector] if isinstance(vector[0], (int, float, np.float32)) else vector
            for size in (len(cast(Any, part)) for part in parts):
                if size != params[name].size:
                    raise wrong_dimension(params[name].size, size, name)


def _prepared(name: str, column: list[WireVector], index: VectorIndex, resolve: Resolve) -> Any:
    block = _dense_block(column) if len(column) > 1 else None
    if block is not None:
        if np.isnan(block.max()):
            raise WrongInput("Vector contains NaN")
        return index.prepare_batch(cast(Any, block))
    arrays = [_array(name, vector, resolve) for vector in column]
    try:
        return index.prepare_batch(arrays)
    except WrongInput:
        for vector, array in zip(column, arrays, strict=True):
            _check_fit(index, vector, array)
        raise


def _check_fit(index: VectorIndex, vector: WireVector, array: VectorArray) -> None:
    """Raises WrongInput with advice if a model made a vector that does not fit."""
    try:
        index.prepare(array)
    except WrongInput as problem:
        if isinstance(vector, VectorObject) and vector.is_inference:
            shape = None if isinstance(array, tuple) else array.shape
            raise model_misfit(problem, vector.model or "", shape) from None
        raise


def _dense_block(column: list[WireVector]) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    """One float32 array of plain dense vectors of equal size; None if the column is anything else."""
    first = column[0]
    if isinstance(first, np.ndarray):
        plain = all(type(vector) is np.ndarray and vector.shape == first.shape for vector in column)
        return np.array(column, np.float32) if plain and first.ndim == 1 and first.size else None
    if not isinstance(first, list) or not first or isinstance(first[0], list):
        return None
    size = len(first)
    if any(type(vector) is not list or len(vector) != size or type(vector[0]) is list for vector in column):
        return None
    return np.array(column, np.float32)


def _array(name: str, vector: WireVector, resolve: Resolve) -> VectorArray:
    if not (isinstance(vector, VectorObject) and vector.is_inference):
        return to_array(vector)
    embedding = resolve(vector)
    if not name and isinstance(embedding, tuple):
        kind = {"text": "document"}.get(vector.kind, vector.kind)
        raise BadRequest(f"Sparse vector from {kind} inference should be named")
    return embedding
