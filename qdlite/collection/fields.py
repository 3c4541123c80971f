"""How do queries see payload? The collection's field indexes, with what the query layer asks of them besides."""

from __future__ import annotations

from collections.abc import Sequence

from qdlite import payload
from qdlite.payload.fields import FieldIndexes
from qdlite.types import Json, OffsetArray


class CollectionFields(FieldIndexes):
    """Field indexes that also serve as `queries.view.PayloadFields`."""

    def values(self, path: str, offsets: OffsetArray) -> Sequence[Sequence[Json]]:
        """The values at a path of each point; an array at its end is entered one level."""
        return [_listed(value) for value in self.variables(path, offsets.tolist())]


def _listed(value: Json | payload.Absent) -> Sequence[Json]:
    if isinstance(value, payload.Absent):
        return ()
    return value if isinstance(value, list) else (value,)
