"""Which positions do many ranges of one array cover?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qdlite.types import OffsetArray


def concatenated_ranges(starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> OffsetArray:
    """All positions of the ranges [start, start + length), one range after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    positions: OffsetArray = np.arange(total, dtype=np.intp) + np.repeat(starts - (ends - lengths), lengths)
    return positions
