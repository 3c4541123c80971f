"""In which order do the values of a payload field stand?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdlite.types import BoolArray, OffsetArray


def from_start(values: NDArray[Any], start_from: float | int | None, descending: bool) -> BoolArray | None:
    """Which values lie at or behind the start in the direction of travel; None: all."""
    if start_from is None:
        return None
    return values <= start_from if descending else values >= start_from


def without_repeats(offsets: OffsetArray) -> BoolArray:
    """Keeps the first of neighbouring entries of the same point."""
    keep = np.ones(len(offsets), np.bool_)
    keep[1:] = offsets[1:] != offsets[:-1]
    return keep
