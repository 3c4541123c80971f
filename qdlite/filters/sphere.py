"""How far apart are places on the Earth?"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS = 6371008.8
"""Mean radius in metres (IUGG: (2a + b) / 3)."""

Degrees: TypeAlias = NDArray[np.float64]


def haversine(longitude: float, latitude: float, longitudes: Degrees, latitudes: Degrees) -> NDArray[np.float64]:
    """Great-circle distances in metres from one place to others, all in degrees."""
    here, there = np.radians(latitude), np.radians(latitudes)
    a = np.sin((there - here) / 2) ** 2
    b = np.sin(np.radians(longitudes - longitude) / 2) ** 2
    distances: Degrees = 2 * EARTH_RADIUS * np.arcsin(np.minimum(np.sqrt(a + np.cos(here) * np.cos(there) * b), 1))
    return distances
