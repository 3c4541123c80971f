"""Five points on a plane, with everything queries can ask for."""

from __future__ import annotations

import pytest

from qdlite.queries.view import VectorTraits
from tests.queries.fake_view import FakePoint, FakeView

UUID = "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"

TRAITS = {
    "": VectorTraits("dense", "Dot"),
    "euclid": VectorTraits("dense", "Euclid"),
    "multi": VectorTraits("multi", "Dot"),
    "sparse": VectorTraits("sparse", "Dot"),
    "idf": VectorTraits("sparse", "Dot", idf=True),
}

POINTS = [
    FakePoint(
        3,
        {"": [1.0, 0.0], "euclid": [0.0, 0.0], "multi": [[1.0, 0.0], [0.0, 1.0]], "sparse": {1: 1.0}, "idf": {1: 1.0}},
        {"price": 10, "colour": "red", "title": "quick fox", "many": [1, 2], "mixed": ["a", 1]},
    ),
    FakePoint(1, {"": [0.0, 1.0], "euclid": [1.0, 0.0], "multi": [[2.0, 0.0]]}, {"price": 30, "colour": "red"}),
    FakePoint(UUID, {"": [1.0, 1.0], "euclid": [0.0, 2.0], "sparse": {2: 3.0}}, {"price": 20, "title": "lazy dog"}),
    FakePoint(7, {"": [2.0, 0.0], "euclid": [3.0, 3.0]}, {"price": 5, "colour": "blue", "many": [2], "text": "10"}),
    FakePoint(4, {"": [1.0, 0.0]}, {"colour": "blue", "many": [], "mixed": [1, "b"]}),
]


@pytest.fixture
def view() -> FakeView:
    return FakeView(POINTS, TRAITS)
