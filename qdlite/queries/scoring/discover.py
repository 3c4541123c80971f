"""How does a point score near a target, within the zones that context pairs draw?"""

from __future__ import annotations

import numpy as np

from qdlite.queries.scoring.sigmoid import scaled_fast_sigmoid
from qdlite.types import FloatArray


def discover(similarities: FloatArray) -> FloatArray:
    """For each pair +1 or -1 by the side on which the point lies, plus the target's similarity within (0, 1).

    similarities: (1 + 2 * pairs, points): the target, then positive and negative of each pair. Returns (points,).
    """
    rank: FloatArray = np.sign(similarities[1::2] - similarities[2::2]).sum(axis=0, dtype=np.float32)
    return rank + scaled_fast_sigmoid(similarities[0])
