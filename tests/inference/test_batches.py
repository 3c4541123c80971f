"""Cutting inputs into batches: limits, and the least cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.inference.batches import Shape, batches
from qdlite.inference.embedders.base import BatchLimits

SHAPES = st.lists(st.builds(Shape, st.integers(1, 4), st.integers(0, 50)), max_size=40)
LIMITS = st.builds(BatchLimits, st.integers(1, 8), st.integers(1, 200), st.booleans(), st.integers(0, 30))


def cost(cut: Sequence[Sequence[Shape]], overhead: int) -> int:
    """Of all batches: their padded tokens, and the overhead of each."""
    return sum(overhead + sum(shape.inputs for shape in batch) * max(shape.longest for shape in batch) for batch in cut)


def partitions(shapes: Sequence[Shape]) -> Iterator[list[list[Shape]]]:
    """All ways to make batches of the shapes, in whatever order."""
    if not shapes:
        yield []
        return
    for rest in partitions(shapes[1:]):
        yield [[shapes[0]], *rest]
        for at, batch in enumerate(rest):
            yield [*rest[:at], [shapes[0], *batch], *rest[at + 1 :]]


@given(SHAPES, LIMITS)
def test_batches_keep_the_limits(shapes: list[Shape], limits: BatchLimits) -> None:
    cut = batches(shapes, limits)
    assert sorted(position for batch in cut for position in batch) == list(range(len(shapes)))
    for batch in cut:
        longest = [shapes[position].longest for position in batch]
        count = sum(shapes[position].inputs for position in batch)
        assert longest == sorted(longest, reverse=True)
        assert len(batch) == 1 or (count <= limits.items and count * longest[0] <= limits.tokens)
        assert not limits.even or len(set(longest)) == 1


@given(st.lists(st.builds(Shape, st.just(1), st.integers(1, 30)), max_size=6), st.integers(0, 30))
def test_no_cut_costs_less(shapes: list[Shape], overhead: int) -> None:
    cut = [[shapes[at] for at in batch] for batch in batches(shapes, BatchLimits(overhead=overhead))]
    assert cost(cut, overhead) == min(cost(other, overhead) for other in partitions(shapes))


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([8, 8, 8], [[0, 1, 2]]),
        ([8, 200, 9, 190], [[1, 3], [2, 0]]),  # one long text does not make three of the others
        ([20, 10], [[0, 1]]),  # ten tokens of padding cost less than another batch
        ([30, 10], [[0], [1]]),
    ],
)
def test_padding_against_overhead(sizes: list[int], expected: list[list[int]]) -> None:
    assert batches([Shape(1, size) for size in sizes], BatchLimits(overhead=16)) == expected
