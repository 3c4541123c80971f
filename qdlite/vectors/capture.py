"""What are the vectors of one name at one moment? Taken under the read lock, read at leisure while writers go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from qdlite.types import BoolArray, FloatArray, OffsetArray, VectorArray

Take: TypeAlias = Callable[[OffsetArray], "Sequence[VectorArray] | FloatArray"]


class VectorCapture(NamedTuple):
    """`present`: which offsets hold a vector; `sizes`: how many numbers each of them is; `take` gives the vectors
    at offsets that are present, in the form that `VectorIndex.put` takes."""

    present: BoolArray
    sizes: NDArray[np.intp]
    take: Take
