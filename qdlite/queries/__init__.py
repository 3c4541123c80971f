"""How is one query request planned and executed, on whatever collection a `PointView` shows?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.lazily import offered

if TYPE_CHECKING:
    from qdlite.queries.formula import FormulaInputs, Parser
    from qdlite.queries.fusion import DEFAULT_K, dbsf, rrf
    from qdlite.queries.groups import Group, query_groups
    from qdlite.queries.matrix import DEFAULT_SAMPLE, Matrix, distance_matrix
    from qdlite.queries.scoring.context import context
    from qdlite.queries.scoring.discover import discover
    from qdlite.queries.scoring.feedback import feedback, feedback_pairs
    from qdlite.queries.scoring.formula import evaluate
    from qdlite.queries.scoring.mmr import mmr
    from qdlite.queries.scoring.order_by import from_start, without_repeats
    from qdlite.queries.scoring.recommend import average_vector, best_score, sum_scores
    from qdlite.queries.scoring.sample import sample
    from qdlite.queries.scoring.text import bm25_params

__all__ = [
    "DEFAULT_K",
    "DEFAULT_SAMPLE",
    "FormulaInputs",
    "Group",
    "Matrix",
    "Parser",
    "average_vector",
    "best_score",
    "bm25_params",
    "context",
    "dbsf",
    "discover",
    "distance_matrix",
    "evaluate",
    "feedback",
    "feedback_pairs",
    "from_start",
    "mmr",
    "query_groups",
    "rrf",
    "sample",
    "sum_scores",
    "without_repeats",
]

_HOMES = {
    "qdlite.queries.formula": ("FormulaInputs", "Parser"),
    "qdlite.queries.fusion": ("DEFAULT_K", "dbsf", "rrf"),
    "qdlite.queries.groups": ("Group", "query_groups"),
    "qdlite.queries.matrix": ("DEFAULT_SAMPLE", "Matrix", "distance_matrix"),
    "qdlite.queries.scoring.context": ("context",),
    "qdlite.queries.scoring.discover": ("discover",),
    "qdlite.queries.scoring.feedback": ("feedback", "feedback_pairs"),
    "qdlite.queries.scoring.formula": ("evaluate",),
    "qdlite.queries.scoring.mmr": ("mmr",),
    "qdlite.queries.scoring.order_by": ("from_start", "without_repeats"),
    "qdlite.queries.scoring.recommend": ("average_vector", "best_score", "sum_scores"),
    "qdlite.queries.scoring.sample": ("sample",),
    "qdlite.queries.scoring.text": ("bm25_params",),
}
__getattr__ = offered(__name__, _HOMES)
