"""Which value does a formula see at a path of one point?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from qdlite.models import datetimes
from qdlite.models.indexes import SchemaType
from qdlite.payload.indexes import FieldIndex
from qdlite.payload.path import JsonPath
from qdlite.payload.store import PayloadStore
from qdlite.payload.uuids import canonical_uuid
from qdlite.types import Json, Offset


class Absent:
    """The type of ABSENT."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
"""There is no value, so that a default applies. (Null is a value, of a wrong type.)"""


def variable(store: PayloadStore, path: JsonPath, index: FieldIndex | None, offset: Offset) -> Json | Absent:
    """The one value at a path, a list if there are several, ABSENT if there is none.

    An array counts as its elements, unless the path ends with `[]`. A path with an index has only the values that
    the index knows.
    """
    values = path.values(store.one(offset, path.key))
    if index is not None and index.schema in _KNOWN:
        known = _KNOWN[index.schema]
        values = [value for value in map(known, _flat(values)) if value is not None]
    elif not path.enters_elements:
        values = _flat(values)
    if not values:
        return ABSENT
    return values[0] if len(values) == 1 else values


def _flat(values: list[Json]) -> list[Json]:
    flat: list[Json] = []
    for value in values:
        flat.extend(value if type(value) is list else [value])
    return flat


def _integer(value: Json) -> int | None:
    if type(value) is int:
        return value
    return int(value) if type(value) is float and value.is_integer() and abs(value) <= 2**63 else None


def _number(value: Json) -> float | None:
    return float(value) if type(value) in (int, float) else None


def _text(value: Json) -> str | None:
    return value if type(value) is str else None


def _boolean(value: Json) -> bool | None:
    return value if type(value) is bool else None


def _datetime(value: Json) -> str | None:
    return value if type(value) is str and datetimes.parse(value) is not None else None


def _uuid(value: Json) -> str | None:
    return canonical_uuid(value) if type(value) is str else None


def _place(value: Json) -> Json | None:
    if type(value) is not dict:
        return None
    longitude, latitude = _number(value.get("lon")), _number(value.get("lat"))
    if longitude is None or latitude is None or abs(longitude) > 180 or abs(latitude) > 90:
        return None
    return {"lon": longitude, "lat": latitude}


_KNOWN: dict[SchemaType, Callable[[Json], Json | None]] = {
    "keyword": _text,
    "integer": _integer,
    "float": _number,
    "geo": _place,
    "bool": _boolean,
    "datetime": _datetime,
    "uuid": _uuid,
}
