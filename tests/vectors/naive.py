"""What the vectors layer should answer, said in the plainest way: float64, one point at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from qdlite.types import BoolArray, Distance, FloatArray, Hits, SparseArray, VectorArray

Score = Callable[[VectorArray], float | None]

SIMILARITIES: dict[Distance, Callable[[FloatArray, FloatArray], float]] = {
    "Dot": lambda left, right: float(left.astype(np.float64) @ right.astype(np.float64)),
    "Cosine": lambda left, right: float(left.astype(np.float64) @ right.astype(np.float64)),
    "Euclid": lambda left, right: -float(np.sum((left.astype(np.float64) - right) ** 2)),
    "Manhattan": lambda left, right: -float(np.sum(np.abs(left.astype(np.float64) - right))),
}


def byte_cosine(left: FloatArray, right: FloatArray) -> float:
    lengths = float(np.linalg.norm(left.astype(np.float64)) * np.linalg.norm(right.astype(np.float64)))
    return SIMILARITIES["Dot"](left, right) / lengths if lengths else 0.0


def max_sim(distance: Distance, query: FloatArray, rows: FloatArray) -> float:
    return sum(max(SIMILARITIES[distance](part, row) for row in rows) for part in query)


def sparse_dot(query: SparseArray, stored: SparseArray) -> float | None:
    """None if no index is shared."""
    weights = dict(zip(query.indices.tolist(), query.values.tolist(), strict=True))
    pairs = zip(stored.indices.tolist(), stored.values.tolist(), strict=True)
    products = [weights[index] * value for index, value in pairs if index in weights]
    return sum(products) if products else None


def ranking(
    stored: Mapping[int, VectorArray], score: Score, limit: int, mask: BoolArray | None
) -> list[tuple[int, float]]:
    """The best (offset, score), equal ones by offset."""
    allowed = [at for at in stored if mask is None or (at < len(mask) and mask[at])]
    scored = [(at, value) for at in allowed if (value := score(stored[at])) is not None]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:limit]


def assert_same(hits: Hits, expected: list[tuple[int, float]], score_of: Callable[[int], float | None]) -> None:
    """Same scores position by position; offsets may only be swapped where scores are equal but for rounding."""
    scores = [value for _, value in expected]
    assert len(hits.offsets) == len(hits.scores) == len(expected)
    assert len(set(hits.offsets.tolist())) == len(expected)
    np.testing.assert_allclose(hits.scores, scores, rtol=2e-5, atol=2e-5)
    found = np.array([score_of(at) for at in hits.offsets.tolist()], np.float64)
    np.testing.assert_allclose(found, scores, rtol=2e-5, atol=2e-5)
    assert np.all(np.diff(hits.scores) <= 0)
