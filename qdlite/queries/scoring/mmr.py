"""Which candidates are similar to the query but not to each other? Maximal marginal relevance, greedily.

J. Carbonell and J. Goldstein, "The use of MMR, diversity-based reranking" (1998).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qdlite.types import FloatArray, OffsetArray


def mmr(to_query: FloatArray, to_candidate: Callable[[int], FloatArray], relevance: float, limit: int) -> OffsetArray:
    """Positions of the chosen candidates in the order of choice.

    to_query: similarity of each candidate to the query; `to_candidate(i)`: similarity of each candidate to the
    i-th one, asked for only once it is chosen. The first is the most similar one; then always the one with the
    largest relevance * s(query) - (1 - relevance) * max s(chosen). Of equal ones the last in Qdrant's bookkeeping
    (a chosen candidate's place is taken by the last remaining one) wins.
    """
    weight = np.float32(relevance)
    remaining = np.arange(len(to_query))
    closest = np.full(len(to_query), -np.inf, np.float32)
    chosen: list[int] = []
    values = to_query
    while len(remaining) and len(chosen) < limit:
        position = len(remaining) - 1 - int(np.argmax(values[remaining][::-1]))
        pick = int(remaining[position])
        chosen.append(pick)
        remaining[position] = remaining[-1]
        remaining = remaining[:-1]
        if len(chosen) < limit:
            closest = np.maximum(closest, to_candidate(pick))
            values = weight * to_query - (np.float32(1) - weight) * closest
    return np.array(chosen, np.intp)
