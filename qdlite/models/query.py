"""Which queries exist on the wire? The universal query with its prefetches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

from msgspec import UNSET, Raw, UnsetType, field
from msgspec.structs import force_setattr

from qdlite.models import paths
from qdlite.models.base import Model, OneOf, Problem, UInt, at_least, at_most, between
from qdlite.models.checks import violations
from qdlite.models.common import ShardKeys, WithPayload, WithVector
from qdlite.models.decoding import expect
from qdlite.models.examples import (
    ContextInput,
    DiscoverInput,
    RecommendInput,
    RelevanceFeedbackInput,
    VectorInput,
    checked_input,
    example_problems,
    input_problems,
    pairs,
)
from qdlite.models.filters import Filter
from qdlite.models.formulas import EXPRESSIONS, Expression, ExpressionObject, default_problem
from qdlite.models.params import SearchParams
from qdlite.models.reads import OrderBy
from qdlite.models.vectors import VectorObject
from qdlite.types import Json, PointId


class Mmr(Model, frozen=True, kw_only=True):
    diversity: float | None = None
    candidates_limit: UInt | None = None

    rules: ClassVar = {"diversity": between(0.0, 1.0), "candidates_limit": at_most(16384)}


class Rrf(Model, frozen=True, kw_only=True):
    k: UInt | None = None
    weights: list[float] | None = None

    rules: ClassVar = {"k": at_least(1)}


class TextQueryInput(Model, frozen=True, kw_only=True):
    """Text to rank by BM25 over a full-text payload index (Qdrant 1.20)."""

    query: str
    scoring: dict[str, Json] | None = None


class Query(OneOf, frozen=True, kw_only=True):
    """Everything a `query` object can be: a vector object, or one of the query kinds."""

    indices: list[UInt] | None = None
    values: list[float] | None = None
    text: str | TextQueryInput | None = None
    image: Json = None
    object: Json = None
    model: str | None = None
    options: dict[str, Json] | None = None
    nearest: VectorInput | None = None
    mmr: Mmr | None = None
    recommend: RecommendInput | None = None
    discover: DiscoverInput | None = None
    context: ContextInput | UnsetType = UNSET
    order_by: str | OrderBy | None = None
    fusion: Literal["rrf", "dbsf"] | None = None
    rrf: Rrf | None = None
    formula: Expression | None = None
    defaults: dict[str, Json] = field(default_factory=dict)
    sample: Literal["random"] | None = None
    relevance_feedback: RelevanceFeedbackInput | None = None

    rules: ClassVar = {"order_by": paths.readable}
    told: ClassVar = frozenset({"nearest", "context", "formula"})
    queries: ClassVar = (
        "nearest", "recommend", "discover", "context", "order_by", "fusion", "rrf", "formula", "sample",
        "relevance_feedback",
    )  # fmt: skip
    expected: ClassVar = "Expected some form of vector, id, or a type of query"

    def __post_init__(self) -> None:
        kind = self.kind
        if not kind:
            raise ValueError(self.expected)
        if kind == "vector":
            force_setattr(self, "nearest", self._vector())
        elif kind == "nearest":
            force_setattr(self, "nearest", checked_input(self.nearest))

    @property
    def kind(self) -> str:
        """One of `queries`, `text` (BM25 over a payload field), or `vector` before the object has become `nearest`."""
        if self.nearest is not None:
            return "nearest"
        if self._vector_like():
            return "vector"
        if self.context is not UNSET:
            return "context"
        return next(
            (name for name in self.queries if name != "context" and getattr(self, name) is not None),
            "text" if self.text is not None else "",
        )

    def _vector_like(self) -> bool:
        if self.indices is not None:
            return self.values is not None
        content = isinstance(self.text, str) or self.image is not None or self.object is not None
        return content and self.model is not None

    def _vector(self) -> VectorObject:
        return VectorObject(
            indices=self.indices,
            values=self.values,
            text=self.text if isinstance(self.text, str) else None,
            image=self.image,
            object=self.object,
            model=self.model,
            options=self.options,
        )

    def problems(self) -> Iterator[Problem]:
        if self.nearest is not None:
            path = "" if self._vector_like() else "nearest"
            for where, message in example_problems(self.nearest):
                yield f"{path}.{where}" if path else where, message
        if not isinstance(self.context, UnsetType):
            examples = [example for pair in pairs(self.context) for example in (pair.positive, pair.negative)]
            bad = next((found for example in examples if (found := list(example_problems(example)))), [])
            for where, message in bad:  # the first bad example's, without the pair
                yield f"context.{where}", message
        if isinstance(self.formula, ExpressionObject):
            yield from violations(self.formula, "")  # as in Qdrant without `formula`
        for name, value in self.defaults.items():
            problem = default_problem(name, value)
            if problem:
                yield "defaults", problem


expect(EXPRESSIONS, Query.expected)


QueryInterface = list[float | list[float]] | int | str | Query


class LookupLocation(Model, frozen=True, kw_only=True):
    collection: str
    vector: str | None = None
    shard_key: ShardKeys | None = None


class QueryCore(Model, frozen=True, kw_only=True):
    """What a query and a prefetch have in common."""

    prefetch: Prefetch | list[Prefetch] | None = None
    query: QueryInterface | None = None
    using: str | None = None
    filter: Filter | None = None
    params: SearchParams | None = None
    score_threshold: float | None = None
    limit: UInt | None = None
    lookup_from: LookupLocation | None = None

    passes_over: ClassVar[bool] = False
    """Whether examples of a recommendation that lack the vector are passed over, as in requests of old clients."""
    rules: ClassVar = {"limit": at_least(1)}

    def __post_init__(self) -> None:
        given = self.query
        if given is None or isinstance(given, Query):
            return
        checked = checked_input(given)
        if checked is not given:
            force_setattr(self, "query", checked)

    def problems(self) -> Iterable[Problem]:
        return input_problems(self.query, "query") if isinstance(self.query, list) else ()

    def prefetches(self) -> list[Prefetch]:
        """The prefetches as a list: Qdrant takes one object in place of a list of one."""
        if self.prefetch is None:
            return []
        return self.prefetch if isinstance(self.prefetch, list) else [self.prefetch]


class Prefetch(QueryCore, frozen=True, kw_only=True):
    """A query whose results feed the query above it."""


class QueryRequest(QueryCore, frozen=True, kw_only=True):
    offset: UInt | None = None
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None
    with_vectors: WithVector | None = None
    shard_key: ShardKeys | None = None

    rules: ClassVar = {**QueryCore.rules, "with_payload": paths.readable}
    path_prefix: ClassVar = "internal"


class QueryRequestBatch(Model, frozen=True, kw_only=True):
    searches: list[QueryRequest]


class ScoredPoint(Model, frozen=True):
    """A query result. `score` is the shortest decimal that reads back as the float32 score."""

    id: PointId
    version: int
    score: float
    payload: Raw | UnsetType = UNSET
    vector: Raw | UnsetType = UNSET
    order_value: int | float | None = None


class QueryResponse(Model, frozen=True, kw_only=True, omit_defaults=False):
    points: list[ScoredPoint]
