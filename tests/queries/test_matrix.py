"""Distance matrices of random samples."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from qdlite.errors import WrongInput
from qdlite.models.matrix import SearchMatrixRequest
from qdlite.queries.matrix import Matrix, distance_matrix
from qdlite.queries.view import VectorTraits
from tests.queries.conftest import POINTS, UUID
from tests.queries.fake_view import FakePoint, FakeView


def matrix(view: FakeView, **fields: Any) -> Matrix:
    return distance_matrix(msgspec.convert(fields, SearchMatrixRequest), view)


def pairs(view: FakeView, found: Matrix) -> list[tuple[Any, Any, float]]:
    ids = view.ids(found.offsets.tolist())
    triples = zip(found.rows.tolist(), found.columns.tolist(), found.scores.tolist(), strict=True)
    return [(ids[row], ids[column], score) for row, column, score in triples]


def test_neighbours_within_the_sample(view: FakeView) -> None:
    found = matrix(view, using="euclid", limit=1)
    assert view.ids(found.offsets.tolist()) == [1, 3, 7, UUID]
    near = float(np.float32(np.sqrt(np.float32(10))))
    assert pairs(view, found) == [(1, 3, 1.0), (3, 1, 1.0), (7, UUID, near), (UUID, 3, 2.0)]


def test_best_neighbours_first(view: FakeView) -> None:
    rows = [row for row in pairs(view, matrix(view, limit=2)) if row[0] == 3]
    assert rows == [(3, 7, 2.0), (3, UUID, 1.0)]


def test_sparse_neighbours_share_an_index(view: FakeView) -> None:
    assert pairs(view, matrix(view, using="sparse")) == []


def test_sample_size_and_filter(view: FakeView) -> None:
    found = matrix(view, sample=3)
    assert len(found.offsets) == 3 and len(found.rows) == 6
    only = matrix(view, filter={"must": {"has_id": [1, 3]}})
    assert pairs(view, only) == [(1, 3, 0.0), (3, 1, 0.0)]


def test_fewer_than_two_points_have_no_matrix(view: FakeView) -> None:
    found = matrix(view, filter={"must": {"has_id": [1]}})
    assert [len(part) for part in (found.offsets, found.rows, found.columns, found.scores)] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("names", "using", "text"),
    [
        ([], "a", "Vectors are not configured in this collection"),
        ([""], "a", "Vector with name a is not configured in this collection"),
        (["b", "a"], "", "Collection requires specified vector name in the request, available names: a, b"),
        (["b", "a"], "c", "Vector with name `c` is not configured in this collection, available names: a, b"),
    ],
)
def test_unknown_vector(names: list[str], using: str, text: str) -> None:
    traits = {name: VectorTraits("dense", "Dot") for name in names}
    view = FakeView([FakePoint(1, {})], traits)
    with pytest.raises(WrongInput) as raised:
        matrix(view, using=using)
    assert raised.value.description == text


def test_fake_points_are_as_expected() -> None:
    assert [point.id for point in POINTS] == [3, 1, UUID, 7, 4]
