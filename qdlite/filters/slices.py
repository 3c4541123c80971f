"""Which points belong to a slice of the id space? SipHash-2-4 over the bytes of ids, many at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qdlite.models.filters import Slice
from qdlite.types import BoolArray, PointId

Words = NDArray[np.uint64]

# The initial state of SipHash for the key zero (Aumasson, Bernstein: "SipHash: a fast short-input PRF").
_INITIAL = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def slice_mask(ids: Sequence[PointId], part: Slice) -> BoolArray:
    """Which of the ids are in a slice."""
    hashes = np.empty(len(ids), np.uint64)
    is_uuid = np.fromiter((isinstance(point_id, str) for point_id in ids), np.bool_, len(ids))
    numbers = np.array([point_id for point_id in ids if not isinstance(point_id, str)], np.uint64)
    hashes[~is_uuid] = siphash(numbers.reshape(-1, 1))
    if is_uuid.any():
        digits = "".join(point_id for point_id in ids if isinstance(point_id, str)).replace("-", "")
        hashes[is_uuid] = siphash(np.frombuffer(bytes.fromhex(digits), "<u8").reshape(-1, 2))
    members: BoolArray = hashes % np.uint64(part.total) == np.uint64(part.index)
    return members


def siphash(messages: Words) -> Words:
    """SipHash-2-4 with the key zero of each row of 64-bit words, read as little-endian bytes."""
    rows, words = messages.shape
    state = [np.full(rows, word, np.uint64) for word in _INITIAL]
    length = np.full(rows, (words * 8 % 256) << 56, np.uint64)
    for block in (*messages.T.astype(np.uint64), length):
        state[3] = state[3] ^ block
        _rounds(state, 2)
        state[0] = state[0] ^ block
    state[2] = state[2] ^ np.uint64(0xFF)
    _rounds(state, 4)
    hashes: Words = state[0] ^ state[1] ^ state[2] ^ state[3]
    return hashes


def _rounds(state: list[Words], count: int) -> None:
    v0, v1, v2, v3 = state
    for _ in range(count):
        v0 = v0 + v1
        v1 = _rotated(v1, 13) ^ v0
        v0 = _rotated(v0, 32)
        v2 = v2 + v3
        v3 = _rotated(v3, 16) ^ v2
        v0 = v0 + v3
        v3 = _rotated(v3, 21) ^ v0
        v2 = v2 + v1
        v1 = _rotated(v1, 17) ^ v2
        v2 = _rotated(v2, 32)
    state[:] = v0, v1, v2, v3


def _rotated(words: Words, bits: int) -> Words:
    rotated: Words = (words << np.uint64(bits)) | (words >> np.uint64(64 - bits))
    return rotated
