"""Payloads: JSON values, where they are stored, and the columns that filters look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.lazily import offered

if TYPE_CHECKING:
    from qdlite.payload.column import Column
    from qdlite.payload.entries import DEAD, Array, Entries, rows_mask
    from qdlite.payload.facets import FacetValue, Groups, facet, groups
    from qdlite.payload.indexes import ORDERED, FieldIndex, can_count, can_order, distinct, text_options
    from qdlite.payload.ranking import Bm25, ranked
    from qdlite.payload.variables import Absent, variable

__all__ = [
    "DEAD",
    "ORDERED",
    "Absent",
    "Array",
    "Bm25",
    "Column",
    "Entries",
    "FacetValue",
    "FieldIndex",
    "Groups",
    "can_count",
    "can_order",
    "distinct",
    "facet",
    "groups",
    "ranked",
    "rows_mask",
    "text_options",
    "variable",
]

_HOMES = {
    "qdlite.payload.column": ("Column",),
    "qdlite.payload.entries": ("DEAD", "Array", "Entries", "rows_mask"),
    "qdlite.payload.facets": ("FacetValue", "Groups", "facet", "groups"),
    "qdlite.payload.indexes": ("ORDERED", "FieldIndex", "can_count", "can_order", "distinct", "text_options"),
    "qdlite.payload.ranking": ("Bm25", "ranked"),
    "qdlite.payload.variables": ("Absent", "variable"),
}
__getattr__ = offered(__name__, _HOMES)
