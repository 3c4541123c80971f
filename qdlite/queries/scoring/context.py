"""How far does a point lie on the wrong side of context pairs?"""

from __future__ import annotations

import numpy as np

from qdlite.queries.scoring.sigmoid import fast_sigmoid
from qdlite.types import FloatArray

MARGIN = np.float32(np.finfo(np.float32).eps)


def context(similarities: FloatArray) -> FloatArray:
    """Sum over the pairs of a loss: 0 on the positive side, falling towards -1 into the negative one.

    similarities: (2 * pairs, points): positive and negative of each pair in turn. Returns (points,).
    """
    total = np.zeros(similarities.shape[1], np.float32)
    for positive, negative in zip(similarities[::2], similarities[1::2], strict=True):
        total += fast_sigmoid(np.minimum(positive - negative - MARGIN, np.float32(0)))
    return total
