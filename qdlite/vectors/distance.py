"""How similar are two dense vectors? Internal similarities, the scores shown to clients, and thresholds.

Internally larger is always better: Dot and Cosine are the dot product, Euclid is minus the squared distance and
Manhattan minus the sum of absolute differences. Everything is computed in float32, as Qdrant does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from qdlite.types import BoolArray, Datatype, Distance, FloatArray
from qdlite.vectors.products import dots

Similarity: TypeAlias = Callable[[FloatArray, FloatArray], FloatArray]
"""From queries (m, d) and rows (n, d) to internal similarities (m, n)."""

SEQUENTIAL_BELOW = 16
"""Below this many components Qdrant adds them one after the other; from here on the order is unspecified."""

BLOCK = 1 << 18
"""Floats in a temporary block: small enough to stay in the cache, large enough to hide numpy's call cost."""

_EPSILON = float(np.finfo(np.float32).eps)
_NEARLY = float(np.float32(1e-6))
_CANCELLED = np.float32(0.05)


def similarity(distance: Distance, queries: FloatArray, rows: FloatArray) -> FloatArray:
    """Internal similarity of each query (m, d) to each row (n, d): float32 (m, n), larger is better.

    Below 16 components the result is bit-exact and does not depend on the shape of the batch; from there on it
    agrees with the exact value to about 1e-6 relative, also for nearly equal vectors.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if queries.shape[1] < SEQUENTIAL_BELOW:
            return _sequential(_TERMS[distance], queries, rows, _SIGNS[distance])
        return _WIDE[distance](queries, rows)


def cosine_of_bytes(queries: FloatArray, rows: FloatArray) -> FloatArray:
    """Cosine (m, n) of vectors that were not normalised when stored; 0 where a vector has no length."""
    products = similarity("Dot", queries, rows)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = _squared_lengths(queries)[:, None] * _squared_lengths(rows)[None, :]
        cosines: FloatArray = np.divide(products, np.sqrt(squares), out=np.zeros_like(products), where=squares > 0)
    return cosines


def similarity_of(distance: Distance, datatype: Datatype) -> Similarity:
    """The function that compares rows stored as `datatype`: bytes are never normalised, so their cosine differs."""
    if distance == "Cosine" and datatype == "uint8":
        return cosine_of_bytes
    return lambda queries, rows: similarity(distance, queries, rows)


def descending(distance: Distance) -> bool:
    """Whether the best shown score is the largest one."""
    return distance in ("Cosine", "Dot")


def shown(distance: Distance, similarities: FloatArray) -> FloatArray:
    """The scores a client sees for internal similarities of a plain nearest search."""
    if distance == "Euclid":
        return np.sqrt(np.abs(similarities), dtype=np.float32)
    return np.abs(similarities) if distance == "Manhattan" else similarities


def passes(distance: Distance, shown_scores: FloatArray, threshold: float) -> BoolArray:
    """Which shown scores are strictly better than `score_threshold` (a score equal to it is dropped)."""
    bound = np.float32(threshold)
    passed: BoolArray = shown_scores > bound if descending(distance) else shown_scores < bound
    return passed


def normalise(rows: FloatArray) -> FloatArray:
    """Rows (n, d) scaled to length 1, as Qdrant does for Cosine.

    A row is left alone if its squared length is below float32's epsilon or within 1e-6 of 1, so that
    normalising twice changes nothing.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        squares = _squared_lengths(rows)
        alone = (squares < np.float32(_EPSILON)) | (np.abs(squares - np.float32(1)) <= np.float32(_NEARLY))
        lengths = np.where(alone, np.float32(1), np.sqrt(squares))
        return np.divide(rows, lengths[:, None], dtype=np.float32)


def normalised(vector: FloatArray) -> FloatArray:
    """As `normalise`, for a single vector of at least 16 components."""
    square = float(np.einsum("i,i", vector, vector))
    if not square < math.inf:
        row: FloatArray = normalise(vector[None, :])[0]
        return row
    if square < _EPSILON or abs(square - 1) <= _NEARLY:
        return vector
    # The root in float64, rounded to float32, has the same bits as a root in float32.
    scaled: FloatArray = vector / np.float32(math.sqrt(square))
    return scaled


def squared_lengths(rows: FloatArray) -> FloatArray:
    """Squared Euclidean length of each row (n, d): float32 (n,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _squared_lengths(rows)


def _squared_lengths(rows: FloatArray) -> FloatArray:
    if rows.shape[1] < SEQUENTIAL_BELOW:
        total = np.zeros(len(rows), np.float32)
        for column in rows.T:
            total += column * column
        return total
    lengths: FloatArray = np.einsum("ij,ij->i", rows, rows)
    return lengths


def _sequential(term: Similarity, queries: FloatArray, rows: FloatArray, sign: int) -> FloatArray:
    # The neutral element: nothing but -0 sums up to -0, as in Qdrant, which tells it from 0 in discover queries.
    total = np.full((len(queries), len(rows)), -0.0, np.float32)
    for component in range(queries.shape[1]):
        total += term(queries[:, component, None], rows[None, :, component])
    return np.negative(total, out=total) if sign < 0 else total


def _product(left: FloatArray, right: FloatArray) -> FloatArray:
    products: FloatArray = left * right
    return products


def _squared_difference(left: FloatArray, right: FloatArray) -> FloatArray:
    difference = left - right
    squares: FloatArray = difference * difference
    return squares


def _absolute_difference(left: FloatArray, right: FloatArray) -> FloatArray:
    differences: FloatArray = np.abs(left - right)
    return differences


def _dot(queries: FloatArray, rows: FloatArray) -> FloatArray:
    products: FloatArray = dots(rows, queries[0])[None, :] if len(queries) == 1 else queries @ rows.T
    return products


def _euclid(queries: FloatArray, rows: FloatArray) -> FloatArray:
    """Sums of squared differences for small batches; by norms for large ones, repaired where they cancel."""
    if len(queries) <= 2 or queries.shape[1] * len(queries) * len(rows) <= 4 * BLOCK:
        return _by_blocks(queries, rows, lambda difference: np.einsum("ij,ij->i", difference, difference))
    norms = _squared_lengths(queries)[:, None] + _squared_lengths(rows)[None, :]
    distances: FloatArray = norms - 2 * (queries @ rows.T)
    # The error of this shortcut is a few units in the last place of the norms: harmless unless the distance is
    # much smaller than they are (or not a number).
    query_at, row_at = np.nonzero(~(distances > _CANCELLED * norms))
    step = max(1, BLOCK // queries.shape[1])
    for start in range(0, len(query_at), step):
        left, right = query_at[start : start + step], row_at[start : start + step]
        difference = queries[left] - rows[right]
        distances[left, right] = np.einsum("ij,ij->i", difference, difference)
    return -distances


def _manhattan(queries: FloatArray, rows: FloatArray) -> FloatArray:
    ones = np.ones(queries.shape[1], np.float32)
    return _by_blocks(queries, rows, lambda difference: np.abs(difference, out=difference) @ ones)


def _by_blocks(queries: FloatArray, rows: FloatArray, total: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Minus `total` of the differences of each pair, in blocks that stay in the cache."""
    result = np.empty((len(queries), len(rows)), np.float32)
    step = max(1, BLOCK // queries.shape[1])
    scratch = np.empty((min(step, len(rows)), queries.shape[1]), np.float32)
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        for position, query in enumerate(queries):
            difference = np.subtract(block, query, out=scratch[: len(block)])
            np.negative(total(difference), out=result[position, start : start + len(block)])
    return result


_TERMS: dict[Distance, Similarity] = {
    "Dot": _product,
    "Cosine": _product,
    "Euclid": _squared_difference,
    "Manhattan": _absolute_difference,
}
_SIGNS: dict[Distance, int] = {"Dot": 1, "Cosine": 1, "Euclid": -1, "Manhattan": -1}
_WIDE: dict[Distance, Similarity] = {"Dot": _dot, "Cosine": _dot, "Euclid": _euclid, "Manhattan": _manhattan}
