"""On which data, in which process and for which engines is each question measured?"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.data import Shape
from benchmarks.questions import churn, dense, exact, filtered, growth, hybrid, load, loading, small_operations, sparse
from benchmarks.questions.subject import Question
from benchmarks.timing import Effort

QUESTIONS: dict[str, Question] = {
    "load": load.ask,
    "dense": dense.ask,
    "filtered": filtered.ask,
    "exact": exact.ask,
    "small operations": small_operations.ask,
    "sparse": sparse.ask,
    "hybrid": hybrid.ask,
    "loading": loading.ask,
    "churn": churn.ask,
    "growth": growth.ask,
}

_PLAIN = "qdrant-edge, no payload index"
_NATIVE = ("qdlite", "qdrant-edge")
_ALL = (*_NATIVE, "qdrant-client :memory:", "qdlite, stock client", "chroma", "lancedb", "milvus-lite")
_SPARSE = (*_NATIVE, _PLAIN, "qdrant-client :memory:", "milvus-lite")


@dataclass(frozen=True)
class Group:
    """Questions asked one after the other of one engine in one process. The first loads the data, or each does it by
    itself."""

    questions: tuple[str, ...]
    shape: Shape
    engines: tuple[str, ...]
    title: str = ""
    """Put before the cases, to tell groups with the same question apart."""


@dataclass(frozen=True)
class Form:
    """How much is measured: sizes, effort, and how often everything is repeated."""

    points: int
    growth: tuple[int, ...]
    effort: Effort
    repeats: int
    cold_starts: int
    served_seconds: float

    def groups(self) -> dict[str, Group]:
        """All groups by name, the most telling first."""
        small, whole = Shape(10_000), Shape(self.points)
        both = Shape(self.points, sparse=True)
        groups = {
            "main": Group(("load", "dense", "filtered", "exact", "small operations"), whole, _ALL),
            "plain": Group(("load", "dense", "exact", "small operations"), whole, (_PLAIN,)),
            "sparse": Group(("load", "sparse", "hybrid"), both, _SPARSE, "dense and sparse: "),
            "exact": Group(("load", "exact"), small, (*_ALL, _PLAIN), "10k: "),
            "loading": Group(("loading",), whole, _NATIVE),
            "churn": Group(("churn",), whole, _NATIVE),
        }
        sizes = {f"growth {points}": Group(("growth",), Shape(points, 128, 200), _NATIVE) for points in self.growth}
        return {**groups, **sizes}


QUICK = Form(20_000, (10_000, 30_000), Effort(2, 1.0), 1, 3, 2.0)
FULL = Form(100_000, (10_000, 100_000, 1_000_000), Effort(3, 5.0), 3, 5, 5.0)
FORMS = {"quick": QUICK, "full": FULL}
