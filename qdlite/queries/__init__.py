"""How is one query request planned and executed, on whatever collection a `PointView` shows?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.lazily import offered

if TYPE_CHECKING:
    from qdlite.queries.formula import FormulaInputs, Parser
    from qdlite.queries.groups import Group, query_groups
    from qdlite.queries.matrix import DEFAULT_SAMPLE, Matrix, distance_matrix
    from qdlite.queries.scoring.formula import evaluate

__all__ = [
    "DEFAULT_SAMPLE",
    "FormulaInputs",
    "Group",
    "Matrix",
    "Parser",
    "distance_matrix",
    "evaluate",
    "query_groups",
]

_HOMES = {
    "qdlite.queries.formula": ("FormulaInputs", "Parser"),
    "qdlite.queries.groups": ("Group", "query_groups"),
    "qdlite.queries.matrix": ("DEFAULT_SAMPLE", "Matrix", "distance_matrix"),
    "qdlite.queries.scoring.formula": ("evaluate",),
}
__getattr__ = offered(__name__, _HOMES)
