"""How do vectors as sent become vectors as stored? Names and kinds are checked, columns are made, one per name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from msgspec import Struct

from qdlite.collection.operations import VectorColumn
from qdlite.errors import BadRequest, WrongInput, model_misfit, unknown_vector, vector_contains_nan, wrong_dimension
from qdlite.models.arrays import dense, to_array
from qdlite.models.collections import VectorParams
from qdlite.models.vectors import VectorObject, WireVector
from qdlite.types import FloatArray, OffsetArray, SparseArray, VectorArray
from qdlite.vectors.index import VectorIndex

Resolve = Callable[[VectorObject], VectorArray]
"""Gives the embedding of an inference object of the request."""


class WireColumn(Struct, frozen=True):
    """Vectors of one name as sent: `rows` are positions among the points sent."""

    rows: Sequence[int]
    vectors: Sequence[WireVector]


def by_name(points: Iterable[Mapping[str, WireVector]]) -> dict[str, WireColumn]:
    """The vectors of points, one column for each name."""
    found: dict[str, tuple[list[int], list[WireVector]]] = {}
    for row, vectors in enumerate(points):
        for name, vector in vectors.items():
            if name not in found:
                found[name] = [], []
            rows, column = found[name]
            rows.append(row)
            column.append(vector)
    return {name: WireColumn(rows, column) for name, (rows, column) in found.items()}


def prepared(
    columns: Mapping[str, WireColumn], indexes: Mapping[str, VectorIndex], resolve: Resolve
) -> dict[str, VectorColumn]:
    """The columns as they are stored. Raises WrongInput for an unknown name, a wrong kind or a wrong dimension."""
    for name, column in columns.items():
        if name not in indexes:
            _array(name, column.vectors[0], resolve)  # a sparse vector without a name is another mistake
            raise unknown_vector(name)
    return {
        name: VectorColumn(_numbers(column.rows), _prepared(name, column.vectors, indexes[name], resolve))
        for name, column in columns.items()
    }


def _numbers(rows: Sequence[int]) -> OffsetArray:
    if isinstance(rows, range):
        return np.arange(rows.start, rows.stop)  # a range is read number by number else
    return np.array(rows, np.intp)


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


def _prepared(name: str, column: Sequence[WireVector], index: VectorIndex, resolve: Resolve) -> Any:
    block = _dense_block(column) if len(column) > 1 else None
    if block is not None:
        if np.isnan(block.max()):
            raise vector_contains_nan()
        made = index.prepare_batch(cast(Any, block))
        return np.array(made) if made is column else made  # who gave it may go on to change it
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


def _dense_block(column: Sequence[WireVector]) -> FloatArray | None:
    """One float32 array of plain dense vectors of equal size; None if the column is anything else."""
    if isinstance(column, np.ndarray):
        return np.asarray(column, np.float32) if column.ndim == 2 and column.size else None
    first = column[0]
    if isinstance(first, np.ndarray):
        plain = all(type(vector) is np.ndarray and vector.shape == first.shape for vector in column)
        return np.array(column, np.float32) if plain and first.ndim == 1 and first.size else None
    if not isinstance(first, list) or not first or isinstance(first[0], list):
        return None
    size = len(first)
    if any(type(vector) is not list or len(vector) != size or type(vector[0]) is list for vector in column):
        return None
    return np.array([dense(cast(list[float], vector)) for vector in column])


def _array(name: str, vector: WireVector, resolve: Resolve) -> VectorArray:
    if not (isinstance(vector, VectorObject) and vector.is_inference):
        return to_array(vector)
    embedding = resolve(vector)
    if not name and isinstance(embedding, tuple):
        kind = {"text": "document"}.get(vector.kind, vector.kind)
        raise BadRequest(f"Sparse vector from {kind} inference should be named")
    return embedding
