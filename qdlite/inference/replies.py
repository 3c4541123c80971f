"""What do the answers of other services mean: vectors in JSON, and when to come back?"""

from __future__ import annotations

import math
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import numpy as np

from qdlite.inference.http import Reply
from qdlite.types import Json, SparseArray, VectorArray


@np.errstate(over="ignore")  # what is beyond float32 becomes infinite, and is refused as such
def vector_of(value: Json) -> VectorArray:
    """A dense vector, a multivector or {indices, values} by its shape. Raises ValueError or TypeError."""
    if isinstance(value, dict):
        return _sparse(value["indices"], value["values"])
    if not isinstance(value, list):
        raise ValueError("an embedding must be a list or {indices, values}")
    vector = np.asarray(value, dtype=np.float32)
    if vector.ndim not in (1, 2) or not np.isfinite(vector).all():
        raise ValueError("an embedding must be a list of finite numbers, or of such lists of one length")
    return vector


def _sparse(indices: list[Any], values: list[Any]) -> SparseArray:
    numbers, weights = np.asarray(indices, dtype=np.int64), np.asarray(values, dtype=np.float32)
    if len(numbers) != len(values) or len(set(indices)) != len(indices):
        raise ValueError("indices of a sparse vector must be distinct, one for each value")
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < 2**32:
        raise ValueError("indices of a sparse vector must be unsigned 32-bit integers")
    if (numbers != indices).any() or not np.isfinite(weights).all():
        raise ValueError("indices of a sparse vector must be whole numbers, and its values finite")
    order = np.argsort(numbers)
    return SparseArray(numbers[order].astype(np.uint32), weights[order])


def retry_after(reply: Reply) -> int | None:
    """Seconds named by the Retry-After header, given as such or as a date; None without a usable one."""
    told = reply.headers.get("retry-after", "").strip()
    if not told:
        return None
    try:
        return max(0, math.ceil(float(told)))
    except (ValueError, OverflowError):
        return _seconds_until(told)


def _seconds_until(date: str) -> int | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0, math.ceil((moment - datetime.now(timezone.utc)).total_seconds()))
