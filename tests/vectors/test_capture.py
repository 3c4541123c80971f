"""Does a capture stay as it is, whatever is written afterwards?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.types import Datatype, OffsetArray, SparseArray, VectorArray
from qdlite.vectors.capture import VectorCapture
from qdlite.vectors.create import Kind, create_index
from qdlite.vectors.index import VectorIndex
from qdlite.vectors.matrix import Matrix

SIZE = 3


def vectors(kind: Kind, count: int, random: np.random.Generator) -> Any:
    if kind == "dense":
        return random.integers(0, 255, (count, SIZE)).astype(np.float32)
    lengths = random.integers(1, 5, count).tolist()
    if kind == "multi":
        return [random.integers(0, 255, (length, SIZE)).astype(np.float32) for length in lengths]
    return [
        SparseArray(
            np.sort(random.choice(50, length, replace=False)).astype(np.uint32),
            random.random(length, np.float32),
        )
        for length in lengths
    ]


def numbers(vector: VectorArray) -> list[Any]:
    parts = vector if isinstance(vector, tuple) else (vector,)
    return [part.tolist() for part in parts]


def read(capture: VectorCapture) -> dict[int, list[Any]]:
    offsets = np.flatnonzero(capture.present)
    return {at: numbers(vector) for at, vector in zip(offsets.tolist(), capture.take(offsets), strict=True)}


def stored(index: VectorIndex) -> dict[int, list[Any]]:
    found = {at: index.get(at) for at in np.flatnonzero(index.present).tolist()}
    return {at: numbers(vector) for at, vector in found.items() if vector is not None}


def change(index: VectorIndex, kind: Kind, random: np.random.Generator) -> None:
    """Rewrites, adds and removes some vectors."""
    offsets: OffsetArray = np.unique(random.integers(0, 200, 30))
    index.put(offsets, index.prepare_batch(vectors(kind, len(offsets), random)))
    index.remove(np.unique(random.integers(0, 200, 10)))


@pytest.mark.parametrize("kind", ["dense", "multi", "sparse"])
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 12), datatype=st.sampled_from(["float32", "float16", "uint8"]))
def test_later_writes_do_not_show(kind: Kind, seed: int, steps: int, datatype: Datatype) -> None:
    random = np.random.default_rng(seed)
    index = create_index(kind, size=SIZE, datatype=datatype)
    captures: list[tuple[VectorCapture, dict[int, list[Any]]]] = []
    for _ in range(steps):
        change(index, kind, random)
        captures.append((index.capture(), stored(index)))
        if len(captures) > 2:
            del captures[0]
        for capture, before in captures:
            assert read(capture) == before
    for capture, before in captures:
        assert read(capture) == before


@pytest.mark.parametrize("kind", ["dense", "multi", "sparse"])
def test_sizes_count_the_numbers_of_each_vector(kind: Kind) -> None:
    index = create_index(kind, size=SIZE)
    change(index, kind, np.random.default_rng(1))
    capture = index.capture()
    offsets = np.flatnonzero(capture.present)
    taken = [vector[1] if isinstance(vector, tuple) else vector for vector in capture.take(offsets)]
    assert capture.sizes[offsets].tolist() == [values.size for values in taken]


def test_a_matrix_is_copied_only_for_captured_rows_in_use() -> None:
    matrix = Matrix(2, "float32")
    matrix.reserve(10)
    matrix.write(slice(0, 10), np.ones((10, 2), np.float32))
    capture = matrix.capture(5)
    before = matrix.slice(0, 1).base
    matrix.write(slice(5, 10), np.zeros((5, 2), np.float32))
    assert matrix.slice(0, 1).base is before, "rows behind the captured ones cost no copy"
    matrix.write(np.array([4]), np.zeros((1, 2), np.float32))
    assert matrix.slice(0, 1).base is not before
    assert capture(np.arange(5)).all()
    released = matrix.capture(10)
    before = matrix.slice(0, 1).base
    del released
    matrix.write(np.array([0]), np.zeros((1, 2), np.float32))
    assert matrix.slice(0, 1).base is before, "nobody reads the capture any more"
