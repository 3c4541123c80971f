"""How does a one-dimensional array grow without copying at each step?"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

_SMALLEST = 64


def grown(array: NDArray[Scalar], length: int, fill: float) -> NDArray[Scalar]:
    """The array itself if it has `length` entries, else a copy of at least twice its size, padded with `fill`."""
    if length <= len(array):
        return array
    larger = np.full(max(length, 2 * len(array), _SMALLEST), fill, array.dtype)
    larger[: len(array)] = array
    return larger
