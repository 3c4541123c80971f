"""How do positive and negative examples score a point, or make one query vector?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from qdlite.errors import WrongInput, wrong_dimension
from qdlite.queries.scoring.sigmoid import scaled_fast_sigmoid
from qdlite.types import FloatArray, SparseArray, VectorArray


def best_score(similarities: FloatArray, positives: int) -> FloatArray:
    """By the most similar example of all: positive if that one is positive.

    similarities: (examples, points), the first `positives` rows being the positive ones. Returns (points,).
    """
    positive = similarities[:positives].max(axis=0, initial=-np.inf)
    negative = similarities[positives:].max(axis=0, initial=-np.inf)
    return np.where(positive > negative, scaled_fast_sigmoid(positive), -scaled_fast_sigmoid(negative))


def sum_scores(similarities: FloatArray, positives: int) -> FloatArray:
    """Sum over the positive examples minus sum over the negative ones; arrays as in `best_score`."""
    return _sum(similarities[:positives]) - _sum(similarities[positives:])


def average_vector(positives: Sequence[VectorArray], negatives: Sequence[VectorArray]) -> VectorArray:
    """The query vector avg(positives) + avg(positives) - avg(negatives), or avg(positives) without negatives.

    Multivectors are not averaged: all positives' sub-vectors, then the negatives' with their signs turned.
    Raises WrongInput without positives, for examples of different kinds and of different dimensions.
    """
    positive = _average(positives)
    if not negatives:
        return positive
    negative = _average(negatives)
    if _kind(positive) != _kind(negative):
        raise WrongInput(
            "Positive and negative vectors should be of the same type, either all dense or all sparse or all multi"
        )
    return _MERGE[_kind(positive)](positive, negative)


def _sum(rows: FloatArray) -> FloatArray:
    total = np.zeros(rows.shape[1], np.float32)
    for row in rows:
        total += row
    return total


def _kind(vector: VectorArray) -> str:
    if isinstance(vector, SparseArray):
        return "sparse"
    return "dense" if vector.ndim == 1 else "multi"


def _average(vectors: Sequence[VectorArray]) -> VectorArray:
    if not vectors:
        raise WrongInput("Positive vectors should not be empty with `average` strategy")
    kinds = {_kind(vector) for vector in vectors}
    if len(kinds) > 1:
        raise WrongInput("Can't average vectors with different types")
    return _AVERAGE[kinds.pop()](vectors)


def _average_dense(vectors: Sequence[FloatArray]) -> FloatArray:
    for vector in vectors:
        if len(vector) != len(vectors[0]):
            raise wrong_dimension(len(vectors[0]), len(vector))
    average: FloatArray = _sum(np.array(vectors, np.float32)) / np.float32(len(vectors))
    return average


def _average_sparse(vectors: Sequence[SparseArray]) -> SparseArray:
    total = vectors[0]
    for vector in vectors[1:]:
        total = _combine(vector, total, lambda one, other: one + other)
    return SparseArray(total.indices, total.values / np.float32(len(vectors)))


def _average_multi(vectors: Sequence[FloatArray]) -> FloatArray:
    return _stacked([*vectors])


def _stacked(vectors: list[FloatArray]) -> FloatArray:
    for vector in vectors:
        if vector.shape[1] != vectors[0].shape[1]:
            raise wrong_dimension(vectors[0].shape[1], vector.shape[1])
    return np.concatenate(vectors)


def _merge_dense(positive: FloatArray, negative: FloatArray) -> FloatArray:
    if len(positive) != len(negative):
        raise wrong_dimension(len(positive), len(negative))
    return positive + positive - negative


def _merge_sparse(positive: SparseArray, negative: SparseArray) -> SparseArray:
    return _combine(positive, negative, lambda one, other: one + one - other)


def _combine(
    left: SparseArray, right: SparseArray, merge: Callable[[FloatArray, FloatArray], FloatArray]
) -> SparseArray:
    """Values of the union of the indices; an absent one counts 0."""
    indices = np.union1d(left.indices, right.indices)
    sides = np.zeros((2, len(indices)), np.float32)
    for side, vector in zip(sides, (left, right), strict=True):
        side[np.searchsorted(indices, vector.indices)] = vector.values
    return SparseArray(indices, merge(sides[0], sides[1]))


_AVERAGE: dict[str, Callable[..., VectorArray]] = {
    "dense": _average_dense,
    "sparse": _average_sparse,
    "multi": _average_multi,
}
_MERGE: dict[str, Callable[..., VectorArray]] = {
    "dense": _merge_dense,
    "sparse": _merge_sparse,
    "multi": lambda positive, negative: _stacked([positive, -negative]),
}
