"""How does relevance feedback on earlier results change a point's score? Qdrant's naive strategy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np

from qdlite.types import FloatArray


class FeedbackPair(NamedTuple):
    """Positions of a better and a worse example, and how much their contrast counts."""

    better: int
    worse: int
    weight: np.float32


def feedback_pairs(scores: Sequence[float], b: float, c: float) -> list[FeedbackPair]:
    """Every ordered pair of feedback items with a positive difference d of their scores; its weight is d^b * c."""
    given = np.array(scores, np.float32)
    power, factor = np.float32(b), np.float32(c)
    return [
        FeedbackPair(better, worse, np.power(given[better] - given[worse], power) * factor)
        for better, worse in permutations(range(len(given)), 2)
        if given[better] - given[worse] > 0
    ]


def feedback(similarities: FloatArray, a: float, found: Sequence[FeedbackPair]) -> FloatArray:
    """a * s(target) + sum of weight * (s(better) - s(worse)).

    similarities: (1 + items, points): the target, then the feedback examples. Returns (points,).
    """
    score: FloatArray = np.float32(a) * similarities[0]
    for pair in found:
        score += pair.weight * (similarities[1 + pair.better] - similarities[1 + pair.worse])
    return score
