"""How do several ranked lists become one? Pure functions on arrays, in float32 like Qdrant.

Sources of the formulas: G. V. Cormack et al., "Reciprocal Rank Fusion outperforms Condorcet" (2009), with Qdrant's
weights; distribution-based score fusion as Qdrant does it (no clipping).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qdlite.types import FloatArray, Hits, OffsetArray

DEFAULT_K = 2

_ONE_PASS = 1024
"""Up to so many scores mean and variance are computed one by one, as Qdrant does; beyond, in float64 at once."""


def rrf(lists: Sequence[OffsetArray], k: int = DEFAULT_K, weights: Sequence[float] | None = None) -> Hits:
    """Reciprocal rank fusion: sums 1 / ((position + 1) / weight + k - 1) over the lists, positions from 0.

    A list of weight 0 or less adds nothing. Points in the order of first appearance, not sorted.
    """
    shares = [
        _position_scores(len(ranked), k, weight) for ranked, weight in zip(lists, _weights(lists, weights), strict=True)
    ]
    return summed(lists, shares)


def dbsf(lists: Sequence[Hits]) -> Hits:
    """Distribution-based score fusion: per list (score - (mean - 3 sd)) / (6 sd), summed over the lists.

    A list whose scores do not vary counts 0.5 for each. Points in the order of first appearance, not sorted.
    """
    return summed([ranked.offsets for ranked in lists], [_normalised(ranked.scores) for ranked in lists])


def summed(lists: Sequence[OffsetArray], shares: Sequence[FloatArray]) -> Hits:
    """Sums of what each list gives to a point, added in the order of the lists."""
    if not lists:
        return Hits(np.empty(0, np.intp), np.empty(0, np.float32))
    offsets, contributions = np.concatenate(lists), np.concatenate(shares)
    distinct, first, inverse = np.unique(offsets, return_index=True, return_inverse=True)
    scores = np.zeros(len(distinct), np.float32)
    np.add.at(scores, inverse, contributions)
    appearance = np.argsort(first)
    return Hits(distinct[appearance], scores[appearance])


def _weights(lists: Sequence[OffsetArray], weights: Sequence[float] | None) -> Sequence[float]:
    return [1.0] * len(lists) if weights is None else weights


def _position_scores(count: int, k: int, weight: float) -> FloatArray:
    if weight <= 0:
        return np.zeros(count, np.float32)
    positions = np.arange(1, count + 1, dtype=np.float32)
    one = np.float32(1)
    with np.errstate(divide="ignore"):
        scores: FloatArray = one / (positions / np.float32(weight) + np.float32(k) - one)
    return scores


def _normalised(scores: FloatArray) -> FloatArray:
    if len(scores) < 2:
        return np.full(len(scores), 0.5, np.float32)
    mean, variance = _mean_and_variance(scores)
    spread = np.float32(3) * np.sqrt(variance)
    low, high = mean - spread, mean + spread
    if low == high:
        return np.full(len(scores), 0.5, np.float32)
    normalised: FloatArray = (scores - low) / (high - low)
    return normalised


def _mean_and_variance(scores: FloatArray) -> tuple[np.float32, np.float32]:
    """Mean and sample variance (n - 1), by Welford's method while that is quick enough."""
    if len(scores) > _ONE_PASS:
        wide = scores.astype(np.float64)
        return np.float32(wide.mean()), np.float32(wide.var(ddof=1))
    mean = squares = np.float32(0)
    for count, score in zip(np.arange(1, len(scores) + 1, dtype=np.float32), scores, strict=True):
        before = score - mean
        mean = mean + before / count
        squares = squares + before * (score - mean)
    return mean, squares / np.float32(len(scores) - 1)
