"""How are upserts decoded that hold dense vectors only, as most do? In one pass, straight to arrays."""

from __future__ import annotations

from msgspec.structs import force_setattr

from qdlite.models.arrays import dense
from qdlite.models.common import point_id
from qdlite.models.payloads import check_payload
from qdlite.models.points import PointStruct, UpsertPoints


class DensePoint(PointStruct, frozen=True, kw_only=True):
    """A point whose vectors, one or several by name, are plain lists of numbers on the wire, and arrays at once: its
    numbers become an array while they are in the processor's cache. Between two points other threads may go on."""

    vector: list[float] | dict[str, list[float]]  # type: ignore[assignment]

    def __post_init__(self) -> None:
        force_setattr(self, "id", point_id(self.id))
        named = self.vector if isinstance(self.vector, dict) else {"": self.vector}
        force_setattr(self, "vector", {name: dense(vector) for name, vector in named.items()})
        check_payload(self.payload)


class DenseUpsert(UpsertPoints, frozen=True, kw_only=True):
    """An upsert of such points; anything else fails to decode as this."""

    points: list[DensePoint] | None = None  # type: ignore[assignment]
