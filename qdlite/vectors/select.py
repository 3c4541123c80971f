"""Which entries of a score array are the best ones?"""

from __future__ import annotations

import numpy as np

from qdlite.types import BoolArray, FloatArray, Hits, OffsetArray

_SORTABLE = 2048
_SAMPLE = 2048


def best(scores: FloatArray, limit: int, allowed: BoolArray | None = None) -> OffsetArray:
    """Positions of the `limit` largest scores among the `allowed` ones, best first, equal ones by position.

    Cuts at a sampled threshold and sorts the rest: partitioning mostly equal scores would be many times slower
    than partitioning distinct ones.
    """
    if allowed is None:
        return best_among(scores, limit)
    scores = scores[: len(allowed)]
    step = max(1, len(allowed) // _SAMPLE)
    sample = np.sort(scores[::step][allowed[::step]])[::-1]
    rank = int(1.5 * limit / step) + 4
    if rank < len(sample):
        positions = np.flatnonzero((scores >= sample[rank]) & allowed)
        if len(positions) >= limit:
            return best_among(scores, limit, positions)
    return best_among(scores, limit, np.flatnonzero(allowed))


def best_among(scores: FloatArray, limit: int, positions: OffsetArray | None = None) -> OffsetArray:
    """The same among ascending `positions` (all of them if None)."""
    if limit <= 0:
        return np.empty(0, np.intp)
    values = scores if positions is None else scores[positions]
    kept = _reduce(values, limit)
    values = values if kept is None else values[kept]
    order = np.argsort(-values, kind="stable")[:limit]
    if kept is not None:
        order = kept[order]
    return order if positions is None else positions[order]


def no_hits() -> Hits:
    return Hits(np.empty(0, np.intp), np.empty(0, np.float32))


def _reduce(values: FloatArray, limit: int) -> OffsetArray | None:
    """Ascending positions that contain the best `limit` ones, few enough to sort; None means all."""
    kept: OffsetArray | None = None
    while len(values) > max(_SORTABLE, 2 * limit):
        threshold, chosen = _reached(values, limit)
        if threshold is None:
            break
        small = len(chosen) <= max(_SORTABLE, 4 * limit)
        if not small:
            chosen, small = _split(values, threshold, limit)
        kept = chosen if kept is None else kept[chosen]
        if small:
            break
        values = values[chosen]
    return kept


def _split(values: FloatArray, threshold: np.float32, limit: int) -> tuple[OffsetArray, bool]:
    """Positions above the threshold, and whether they are the final choice (then filled up with equal ones)."""
    above = np.flatnonzero(values > threshold)
    if len(above) >= limit:
        return above, False
    equal = np.flatnonzero(values == threshold)[: limit - len(above)]
    return np.sort(np.concatenate((above, equal))), True


def _reached(values: FloatArray, limit: int) -> tuple[np.float32 | None, OffsetArray]:
    """A threshold that at least `limit` values reach and not many more, estimated from a sample, and the positions
    of these; no threshold if there are NaNs."""
    sample = np.sort(values[:: max(1, len(values) // _SAMPLE)])[::-1]
    rank = int(1.5 * limit * len(sample) / len(values)) + 4
    while rank < len(sample):
        positions = np.flatnonzero(values >= sample[rank])
        if len(positions) >= limit:
            return sample[rank], positions
        rank *= 3
    lowest: np.float32 = values.min()
    return (None if np.isnan(lowest) else lowest), np.arange(len(values))
