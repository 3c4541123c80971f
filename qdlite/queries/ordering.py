"""In which order do results stand, and which of them are kept? Ties are settled by id, in the score's direction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdlite.queries.view import PointView
from qdlite.types import FloatArray, Hits, OffsetArray

_FEW = 256
"""Up to so many ids are sorted in Python rather than ranked through the order of all ids."""


def id_ranks(view: PointView, offsets: OffsetArray) -> OffsetArray:
    """For each offset a number that grows with its id."""
    if len(offsets) > _FEW:
        return _ranks(view.sorted_offsets(), len(view.alive))[offsets]
    ids = view.ids(offsets.tolist())
    try:
        return np.argsort(np.argsort(np.array(ids, np.uint64)))
    except ValueError:  # there are UUIDs among them, which come after the numbers
        keys = [(isinstance(point_id, str), point_id) for point_id in ids]
    return _ranks(sorted(range(len(keys)), key=keys.__getitem__), len(keys))


def _ranks(in_order: OffsetArray | list[int], size: int) -> OffsetArray:
    """For each of `size` numbers its place in an order; 0 for those that are not in it."""
    ranks = np.zeros(size, np.intp)
    ranks[in_order] = np.arange(len(in_order), dtype=np.intp)
    return ranks


def order(view: PointView, offsets: OffsetArray, keys: NDArray[Any], descending: bool) -> OffsetArray:
    """Positions sorted by key, then by id, both in the same direction."""
    by_key: OffsetArray = np.argsort(keys, kind="stable")
    sorted_keys = keys[by_key]
    if (sorted_keys[1:] == sorted_keys[:-1]).any():
        by_key = np.lexsort((id_ranks(view, offsets), keys))
    return by_key[::-1] if descending else by_key


def leading(view: PointView, offsets: OffsetArray, keys: NDArray[Any], limit: int, descending: bool) -> OffsetArray:
    """The first `limit` positions of this order. Exact, also where equal keys straddle the limit."""
    if limit >= len(keys) // 2:
        return order(view, offsets, keys, descending)[:limit]
    kept = _not_worse_than(keys, limit, descending)
    return kept[order(view, offsets[kept], keys[kept], descending)[:limit]]


def best(view: PointView, offsets: OffsetArray, scores: FloatArray, limit: int, descending: bool = True) -> Hits:
    """The best `limit` points in order."""
    positions = leading(view, offsets, scores, limit, descending)
    return Hits(offsets[positions], scores[positions])


def settle(view: PointView, hits: Hits, descending: bool) -> Hits:
    """Hits already sorted by score, their ties by id."""
    scores = hits.scores
    equal = scores[1:] == scores[:-1]
    if not np.count_nonzero(equal):
        return hits
    tied = np.zeros(len(scores), np.bool_)
    tied[1:] = equal
    tied[:-1] |= equal
    places = np.flatnonzero(tied)
    settled = places[order(view, hits.offsets[places], scores[places], descending)]
    offsets, scores = hits.offsets.copy(), scores.copy()
    offsets[places], scores[places] = hits.offsets[settled], hits.scores[settled]
    return Hits(offsets, scores)


def _not_worse_than(keys: NDArray[Any], limit: int, descending: bool) -> OffsetArray:
    """Positions of all keys at least as good as the `limit`-th best, and of NaNs."""
    if limit == 0:
        return np.empty(0, np.intp)
    if descending:
        bound = np.partition(keys, len(keys) - limit)[len(keys) - limit]
        return np.flatnonzero(~(keys < bound))
    bound = np.partition(keys, limit - 1)[limit - 1]
    return np.flatnonzero(~(keys > bound))
