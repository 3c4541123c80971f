"""Which functions squeeze a similarity into a bounded range? Qdrant's substitutes for the sigmoid, in float32."""

from __future__ import annotations

import numpy as np

from qdlite.types import FloatArray


def fast_sigmoid(values: FloatArray) -> FloatArray:
    """x / (1 + |x|), in (-1, 1)."""
    with np.errstate(invalid="ignore"):
        squeezed: FloatArray = values / (np.float32(1) + np.abs(values))
    return squeezed


def scaled_fast_sigmoid(values: FloatArray) -> FloatArray:
    """The same, moved to (0, 1)."""
    moved: FloatArray = np.float32(0.5) * (fast_sigmoid(values) + np.float32(1))
    return moved
