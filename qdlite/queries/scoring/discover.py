"""How does a point score near a target, within the zones that context pairs draw?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qdlite.queries.scoring.sigmoid import scaled_fast_sigmoid
from qdlite.types import FloatArray


def discover(similarities: FloatArray) -> FloatArray:
    """For each pair +1 or -1 by the side on which the point lies, plus the target's similarity within (0, 1).

    similarities: (1 + 2 * pairs, points): the target, then positive and negative of each pair. Returns (points,).
    """
    ordered = _in_total_order(similarities)
    nearer, farther = ordered[1::2] > ordered[2::2], ordered[1::2] < ordered[2::2]
    rank: FloatArray = (nearer.sum(axis=0) - farther.sum(axis=0)).astype(np.float32)
    return rank + scaled_fast_sigmoid(similarities[0])


def _in_total_order(numbers: FloatArray) -> NDArray[np.int32]:
    """Integers in the order of floats where -0 is less than 0 and infinities equal themselves, as in Qdrant."""
    bits: NDArray[np.int32] = numbers.view(np.int32)
    ordered: NDArray[np.int32] = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))
    return ordered
