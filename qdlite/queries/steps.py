"""What does a planned query consist of? A tree of steps, each an operation on the points of its scope or sources.

A step without sources works on all points that its scope admits; one with sources on the points these return.
Everything is validated: vectors are prepared, names exist, formulas are parsed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from qdlite.models.filters import Filter
from qdlite.types import BoolArray, FloatArray, PointId, VectorArray
from qdlite.vectors.index import SearchParams

if TYPE_CHECKING:
    from qdlite.queries.scoring.formula import Evaluator

Scoring: TypeAlias = Callable[[FloatArray], FloatArray]
"""Similarities (m, n) of m examples to n points -> scores (n,), larger is better."""


class Scope(Struct, frozen=True):
    """All points that pass every filter, but for the excluded ones, and only those `within` a mask (None: all)."""

    filters: tuple[Filter, ...] = ()
    excluded: frozenset[PointId] = frozenset()
    within: BoolArray | None = None


class Tuning(Struct, frozen=True):
    """How to search; `corpus` restricts the points over which `idf` counts."""

    params: SearchParams
    corpus: Filter | None = None


class Nearest(Struct, frozen=True):
    """Similarity to one prepared vector; shown scores in the order of the distance."""

    using: str
    vector: VectorArray
    tuning: Tuning


class Compare(Struct, frozen=True):
    """A score made of the similarities to several prepared vectors."""

    using: str
    vectors: tuple[VectorArray, ...]
    scoring: Scoring
    tuning: Tuning


class Text(Struct, frozen=True):
    """BM25 over the text index of a payload field."""

    field: str
    query: str
    k: float
    b: float
    corpus: Filter | None


class ById(Struct, frozen=True):
    """Ascending by id, every score 1."""


class ByField(Struct, frozen=True):
    """Ordered by a payload field, once per value, every score 1; from `start_from` (inclusive) on.

    `merged`: neighbours of the same point become one, as they do where Qdrant merges shards.
    """

    key: str
    descending: bool
    start_from: float | int | None
    merged: bool


class Sample(Struct, frozen=True):
    """Random points, every score 1."""


class Rrf(Struct, frozen=True):
    """Sums of reciprocal ranks in the sources; `weights` has one for each, None: all alike."""

    k: int
    weights: tuple[float, ...] | None


class Dbsf(Struct, frozen=True):
    """Sums of scores in the sources, each list brought to mean and deviation of its own."""


class Formula(Struct, frozen=True):
    """A score computed from those in the sources and from payload."""

    evaluate: Evaluator


class Mmr(Struct, frozen=True):
    """Chooses among the points of the sources for similarity to a vector and dissimilarity to each other."""

    nearest: Nearest
    relevance: float
    """Weight of the similarity to the query; 1 minus the `diversity`."""

    candidates: int | None
    """From how many points to choose; None: as many as are wanted."""


Operation: TypeAlias = Nearest | Compare | Text | ById | ByField | Sample | Rrf | Dbsf | Formula | Mmr


class Step(Struct, frozen=True):
    """Returns at most `limit` points, best first, none worse than `threshold`."""

    operation: Operation
    limit: int
    threshold: float | None
    scope: Scope
    sources: tuple[Step, ...] = ()

    def within(self, mask: BoolArray, limit: int) -> Step:
        """The same step with another limit and all scopes narrowed to a mask."""
        narrowed = tuple([source.within(mask, source.limit) for source in self.sources])
        return replace(self, limit=limit, scope=replace(self.scope, within=mask), sources=narrowed)


class Plan(Struct, frozen=True):
    """The root step, of whose results `offset` are skipped and `limit` kept."""

    root: Step
    offset: int
    limit: int
