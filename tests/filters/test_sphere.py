"""Distances between places."""

from __future__ import annotations

import numpy as np
import pytest

from qdlite.filters.sphere import haversine


def test_from_new_york_to_london() -> None:
    """As given in the documentation of the geo library that Qdrant uses."""
    assert haversine(-74.006, 40.7128, np.array([-0.1278]), np.array([51.5074])) == pytest.approx([5_570_230], abs=10)


def test_nowhere_and_the_other_side() -> None:
    metres = haversine(10.0, 20.0, np.array([10.0, -170.0]), np.array([20.0, -20.0]))
    assert metres == pytest.approx([0, 20_015_115], abs=1)
