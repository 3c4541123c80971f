"""Which inputs run together? A batch costs its padded tokens, and every further batch costs something, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qdlite.inference.embedders.base import BatchLimits


class Shape(NamedTuple):
    """Inputs that stay together: how many, and the tokens of the longest."""

    inputs: int
    longest: int


def batches(shapes: Sequence[Shape], limits: BatchLimits) -> list[list[int]]:
    """Cuts positions into batches within the limits so that they cost least together; longest inputs come first.

    With positions in order of length the best batches are neighbours: the best way to cut the first n is the best
    way to cut fewer of them, and one batch of the rest.
    """
    if len(shapes) == 1:
        return [[0]]
    order = sorted(range(len(shapes)), key=lambda at: -shapes[at].longest)
    ordered = [shapes[at] for at in order]
    costs, starts = [0], [0]
    for end in range(1, len(order) + 1):
        cost, start = min((costs[start] + padded, start) for start, padded in _last_batches(ordered, end, limits))
        costs.append(cost + limits.overhead)
        starts.append(start)
    result: list[list[int]] = []
    end = len(order)
    while end:
        result.append(order[starts[end] : end])
        end = starts[end]
    return result[::-1]


def _last_batches(ordered: Sequence[Shape], end: int, limits: BatchLimits) -> Iterator[tuple[int, int]]:
    """The starts from which a batch up to `end` keeps the limits, and its padded tokens. One shape alone always may."""
    count = 0
    for start in range(end - 1, -1, -1):
        count += ordered[start].inputs
        longest = ordered[start].longest
        uneven = limits.even and longest != ordered[end - 1].longest
        if start < end - 1 and (count > limits.items or count * longest > limits.tokens or uneven):
            return
        yield start, count * longest
