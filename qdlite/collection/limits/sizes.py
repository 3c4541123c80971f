"""Is the collection full? Limits of its points, vectors and payloads.

Qdrant compares statistics that it refreshes every 32 updates; here they are exact at any time, so that a limit
stops the first update that meets it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from qdlite.errors import BadRequest
from qdlite.models.collections import StrictModeConfig

if TYPE_CHECKING:
    from qdlite.collection.state import CollectionState

_MEGABYTE = np.float32(1024 * 1024)


def verify_sizes(state: CollectionState, limits: StrictModeConfig) -> None:
    """A limit is met when the collection has reached it; an update may go beyond it once."""
    vectors = limits.max_collection_vector_size_bytes
    if vectors is not None and sum(index.vector_bytes() for index in state.vectors.values()) >= vectors:
        raise BadRequest(f"Max vector storage size limit of {_megabytes(vectors)}MB reached!")
    verify_payload_size(state, limits)
    points = limits.max_points_count
    if points is not None and len(state.ids) >= points:
        raise BadRequest(f"Max points count limit of {points} reached!")


def verify_payload_size(state: CollectionState, limits: StrictModeConfig) -> None:
    payloads = limits.max_collection_payload_size_bytes
    if payloads is not None and state.payloads.storage_bytes(time.monotonic()) >= payloads:
        raise BadRequest(f"Max payload storage size limit of {_megabytes(payloads)}MB reached!")


def _megabytes(size: int) -> str:
    """As Qdrant prints it: the shortest decimal of a float32, without an exponent."""
    return np.format_float_positional(np.float32(size) / _MEGABYTE, trim="-")
