"""How do masks of differing lengths meet offsets, and each other? What lies beyond a mask's end is False."""

from __future__ import annotations

from typing import Any

from qdlite.types import BoolArray, OffsetArray


def held(mask: BoolArray, offsets: OffsetArray) -> BoolArray:
    """What a mask says about each offset; beyond its end it is False."""
    if len(mask) and (not len(offsets) or offsets.max() < len(mask)):
        return mask[offsets]
    inside = offsets < len(mask)
    inside[inside] = mask[offsets[inside]]
    return inside


def both(left: BoolArray | None, right: BoolArray | None) -> Any:
    """What two masks have in common; a missing tail is False, a missing mask all True."""
    if left is None or right is None:
        return right if left is None else left
    length = min(len(left), len(right))
    return left[:length] & right[:length]
