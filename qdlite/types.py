"""Which values does the engine pass around? Plain names for arrays, ids and JSON, used by every layer."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Json: TypeAlias = Any
"""A decoded JSON value: None, bool, int, float, str, list or dict."""

PointId: TypeAlias = int | str
"""An unsigned 64-bit integer, or a UUID as lower-case hyphenated text. Numbers sort before UUIDs; the text
form of UUIDs sorts as their bytes do."""

Offset: TypeAlias = int
"""The internal row number of a point in its collection (never shown to clients)."""

MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1
"""Integers beyond are floats to filters and indexes."""

FloatArray: TypeAlias = NDArray[np.float32]
BoolArray: TypeAlias = NDArray[np.bool_]
OffsetArray: TypeAlias = NDArray[np.intp]

Distance: TypeAlias = Literal["Cosine", "Dot", "Euclid", "Manhattan"]
Datatype: TypeAlias = Literal["float32", "float16", "uint8", "turbo4"]


class SparseArray(NamedTuple):
    """A sparse vector: ascending distinct `indices` (uint32) and their `values` (float32), of equal length."""

    indices: NDArray[np.uint32]
    values: FloatArray


VectorArray: TypeAlias = FloatArray | SparseArray
"""A vector in the engine: dense (1-D float32), multivector (2-D float32, one row a sub-vector) or sparse."""


class Hits(Struct, frozen=True, eq=False):
    """Search results: `offsets` (intp) and `scores` (float32) of equal length, best first. Unless they may be `tied`,
    no two scores are equal."""

    offsets: OffsetArray
    scores: FloatArray
    tied: bool = True
