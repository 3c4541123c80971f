"""What does a collection refuse although it could do it? Strict mode's limits, and the rates of reads and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.lazily import offered

if TYPE_CHECKING:
    from qdlite.collection.limits.costs import (
        example_ids,
        groups_cost,
        matrix_cost,
        query_cost,
        read_cost,
        write_cost,
    )
    from qdlite.collection.limits.guard import Guard
    from qdlite.collection.limits.memory import resident_percent
    from qdlite.collection.limits.verify import Request

__all__ = [
    "Guard",
    "Request",
    "example_ids",
    "groups_cost",
    "matrix_cost",
    "query_cost",
    "read_cost",
    "resident_percent",
    "write_cost",
]

_HOMES = {
    "qdlite.collection.limits.costs": (
        "example_ids",
        "groups_cost",
        "matrix_cost",
        "query_cost",
        "read_cost",
        "write_cost",
    ),
    "qdlite.collection.limits.guard": ("Guard",),
    "qdlite.collection.limits.memory": ("resident_percent",),
    "qdlite.collection.limits.verify": ("Request",),
}
__getattr__ = offered(__name__, _HOMES)
