"""Which rows have a place inside a circle, a box or a polygon?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from qdlite.filters.sphere import Degrees, haversine
from qdlite.models.filters import GeoBoundingBox, GeoLineString, GeoPolygon, GeoRadius
from qdlite.payload.column import Column
from qdlite.payload.indexes import on_globe
from qdlite.types import BoolArray


def within_radius(circle: GeoRadius, longitudes: Degrees, latitudes: Degrees) -> BoolArray:
    """Places nearer to the centre than the radius."""
    inside: BoolArray = haversine(circle.center.lon, circle.center.lat, longitudes, latitudes) < circle.radius
    return inside


def within_box(box: GeoBoundingBox, longitudes: Degrees, latitudes: Degrees) -> BoolArray:
    """Places inside a box, its edges excluded. A box whose left edge is east of its right one crosses
    the antimeridian."""
    west, east = longitudes > box.top_left.lon, longitudes < box.bottom_right.lon
    inside = west | east if box.top_left.lon > box.bottom_right.lon else west & east
    inside &= (latitudes > box.bottom_right.lat) & (latitudes < box.top_left.lat)
    return inside


def within_polygon(polygon: GeoPolygon, longitudes: Degrees, latitudes: Degrees) -> BoolArray:
    """Places inside the exterior and in none of the holes; edges are outside."""
    inside, edge = ring(polygon.exterior, longitudes, latitudes)
    inside &= ~edge
    for hole in polygon.interiors or ():
        within, edge = ring(hole, longitudes, latitudes)
        inside &= ~within & ~edge
    return inside


def ring(line: GeoLineString, x: Degrees, y: Degrees) -> tuple[BoolArray, BoolArray]:
    """Which places a closed line goes around (a nonzero number of times), and which are on it."""
    winding = np.zeros(len(x), np.int64)
    edge = np.zeros(len(x), np.bool_)
    for x1, y1, x2, y2 in _segments(line):
        # Twice the area of the triangle; its sign says on which side of the segment the place is.
        side = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
        within = (np.minimum(x1, x2) <= x) & (x <= np.maximum(x1, x2)) & (np.minimum(y1, y2) <= y)
        edge |= (side == 0) & within & (y <= np.maximum(y1, y2))
        winding += (y1 <= y) & (y < y2) & (side > 0)
        winding -= (y2 <= y) & (y < y1) & (side < 0)
    return winding != 0, edge


def _segments(line: GeoLineString) -> Iterator[tuple[float, float, float, float]]:
    for start, end in zip(line.points, line.points[1:], strict=False):
        yield start.lon, start.lat, end.lon, end.lat


SHAPES: dict[str, Callable[[Any, Degrees, Degrees], BoolArray]] = {
    "geo_radius": within_radius,
    "geo_bounding_box": within_box,
    "geo_polygon": within_polygon,
}


def places_mask(kind: str, column: Column, shape: Any, size: int, indexed: bool = False) -> BoolArray:
    """Rows with a place inside a shape. An index knows only places on the globe."""
    inside = SHAPES[kind](shape, column.places.values(0), column.places.values(1))
    if indexed:
        inside &= on_globe(column)
    return column.places.mask(inside, size)
