"""Which queries exist on the wire? The universal query with its prefetches, and the expressions of a formula."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

from msgspec import UNSET, UnsetType
from msgspec.structs import force_setattr

from qdlite.models import paths
from qdlite.models.base import Model, OneOf, Problem, UInt, at_least, at_most, between, expect, violations
from qdlite.models.common import ShardKeys, WithPayload, WithVector, point_id
from qdlite.models.filters import Condition, Filter, GeoPoint
from qdlite.models.points import OrderBy, Record, ScoredPoint
from qdlite.models.vectors import VectorObject, multivector_problems
from qdlite.types import Json

VectorInput = list[float | list[float]] | int | str | VectorObject
"""A dense or multi vector, a point id, or an object: sparse vector or inference object. Who calls the engine from
Python may also give arrays."""


def checked_input(value: Any) -> Any:
    """A vector input with a canonical id. Raises ValueError for text that is no id and lists of mixed depth."""
    if isinstance(value, (int, str)):
        return point_id(value)
    if isinstance(value, list) and value and _is_mixed(value):
        raise ValueError("data did not match any variant of untagged enum VectorInput")
    return value


def _is_mixed(value: list[Any]) -> bool:
    """Whether there are both numbers and lists in a list."""
    if isinstance(value[0], list):
        return any(type(item) is not list for item in value)
    try:
        sum(value)  # by far the fastest way to meet every element
    except TypeError:
        return True
    return False


def input_problems(value: Any, path: str) -> Iterable[Problem]:
    """What breaks a rule in a vector input that is no model itself: a list of lists."""
    return [(f"{path}.{where}" if path else where, message) for where, message in multivector_problems(value)]


def _example_problems(value: Any) -> Iterable[Problem]:
    return violations(value, "") if isinstance(value, VectorObject) else multivector_problems(value)


class Mmr(Model, frozen=True, kw_only=True):
    diversity: float | None = None
    candidates_limit: UInt | None = None

    rules: ClassVar = {"diversity": between(0.0, 1.0), "candidates_limit": at_most(16384)}


class RecommendInput(Model, frozen=True, kw_only=True):
    positive: list[VectorInput] | None = None
    negative: list[VectorInput] | None = None
    strategy: Literal["average_vector", "best_score", "sum_scores"] | None = None

    told: ClassVar = frozenset({"positive", "negative"})

    def __post_init__(self) -> None:
        for name in ("positive", "negative"):
            examples = getattr(self, name)
            if examples is not None:
                force_setattr(self, name, [checked_input(example) for example in examples])

    def problems(self) -> Iterator[Problem]:
        if not self.positive and not self.negative:
            yield "positives, negatives", "At least one positive or negative vector/id must be provided"
        examples = [*(self.positive or ()), *(self.negative or ())]
        bad = next((problems for example in examples if (problems := list(_example_problems(example)))), [])
        yield from bad  # the first bad example's, as Qdrant says it


class ContextPair(Model, frozen=True, kw_only=True):
    positive: VectorInput
    negative: VectorInput

    def __post_init__(self) -> None:
        force_setattr(self, "positive", checked_input(self.positive))
        force_setattr(self, "negative", checked_input(self.negative))

    def problems(self) -> Iterator[Problem]:
        yield from input_problems(self.positive, "positive")
        yield from input_problems(self.negative, "negative")


ContextInput = ContextPair | list[ContextPair] | None


def pairs(context: ContextInput) -> list[ContextPair]:
    """A context as a list: Qdrant takes one pair in place of a list of one."""
    if context is None:
        return []
    return context if isinstance(context, list) else [context]


class DiscoverInput(Model, frozen=True, kw_only=True):
    target: VectorInput
    context: ContextInput | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.context is UNSET:
            raise ValueError("missing field `context`")
        force_setattr(self, "target", checked_input(self.target))

    def problems(self) -> Iterator[Problem]:
        yield from input_problems(self.target, "target")


class Rrf(Model, frozen=True, kw_only=True):
    k: UInt | None = None
    weights: list[float] | None = None

    rules: ClassVar = {"k": at_least(1)}


class FeedbackItem(Model, frozen=True, kw_only=True):
    example: VectorInput
    score: float

    def __post_init__(self) -> None:
        force_setattr(self, "example", checked_input(self.example))

    def problems(self) -> Iterator[Problem]:
        yield from input_problems(self.example, "example")


class NaiveFeedback(Model, frozen=True, kw_only=True):
    a: float
    b: float
    c: float

    rules: ClassVar = {"b": at_least(0.0)}


class FeedbackStrategy(Model, frozen=True, kw_only=True):
    naive: NaiveFeedback


class RelevanceFeedbackInput(Model, frozen=True, kw_only=True):
    target: VectorInput
    feedback: list[FeedbackItem]
    strategy: FeedbackStrategy

    def __post_init__(self) -> None:
        force_setattr(self, "target", checked_input(self.target))

    def problems(self) -> Iterator[Problem]:
        if not self.feedback:
            yield "", "feedback elements must be non-empty"
        yield from input_problems(self.target, "target")


class GeoDistanceParams(Model, frozen=True, kw_only=True):
    origin: GeoPoint
    to: str

    rules: ClassVar = {"to": paths.readable}


class DivParams(Model, frozen=True, kw_only=True):
    left: Expression
    right: Expression
    by_zero_default: float | None = None


class PowParams(Model, frozen=True, kw_only=True):
    base: Expression
    exponent: Expression


class DecayParams(Model, frozen=True, kw_only=True):
    x: Expression
    target: Expression | None = None
    scale: float | None = None
    midpoint: float | None = None


class ExpressionObject(Condition, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An operation of a formula, or a filter condition standing for 1.0 or 0.0."""

    geo_distance: GeoDistanceParams | None = None
    datetime: str | None = None
    datetime_key: str | None = None
    mult: list[Expression] | None = None
    sum: list[Expression] | None = None
    max: list[Expression] | None = None
    min: list[Expression] | None = None
    neg: Expression | None = None
    abs: Expression | None = None
    div: DivParams | None = None
    sqrt: Expression | None = None
    pow: PowParams | None = None
    exp: Expression | None = None
    log10: Expression | None = None
    ln: Expression | None = None
    acosh: Expression | None = None
    lin_decay: DecayParams | None = None
    exp_decay: DecayParams | None = None
    gauss_decay: DecayParams | None = None

    operations: ClassVar = (
        "geo_distance", "datetime", "datetime_key", "mult", "sum", "max", "min", "neg", "abs", "div", "sqrt",
        "pow", "exp", "log10", "ln", "acosh", "lin_decay", "exp_decay", "gauss_decay",
    )  # fmt: skip
    rules: ClassVar = {**Condition.rules, "datetime_key": paths.readable}
    variants: ClassVar[tuple[str, ...]] = Condition.variants + operations

    @property
    def is_condition(self) -> bool:
        return self.kind not in self.operations


Expression = float | str | ExpressionObject
"""A number, a variable (`$score`, `$score[i]` or a payload path), or an operation."""


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
    defaults: dict[str, Json] | None = None
    sample: Literal["random"] | None = None
    relevance_feedback: RelevanceFeedbackInput | None = None

    rules: ClassVar = {"order_by": paths.readable}
    told: ClassVar = frozenset({"nearest", "context"})
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
            for where, message in _example_problems(self.nearest):
                yield f"{path}.{where}" if path else where, message
        if not isinstance(self.context, UnsetType):
            bad = next((found for pair in pairs(self.context) if (found := list(violations(pair, "context")))), [])
            yield from bad  # the first bad pair's
        for name, value in (self.defaults or {}).items():
            problem = _default_problem(name, value)
            if problem:
                yield "defaults", problem


EXPRESSIONS = frozenset(
    {
        "formula", "mult", "sum", "max", "min", "neg", "abs", "left", "right", "sqrt", "base", "exponent", "exp",
        "log10", "ln", "acosh", "x", "target",
    }
)  # fmt: skip
"""Fields that hold expressions, some of them other things elsewhere."""

expect(EXPRESSIONS, Query.expected)


def _default_problem(name: str, value: Json) -> str | None:
    """What is wrong with a default of a formula's variable."""
    try:
        source = paths.variable(name)
    except ValueError as error:
        return str(error)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if isinstance(source, str) or is_number else "Score default must be a number"


QueryInterface = list[float | list[float]] | int | str | Query


class QuantizationSearchParams(Model, frozen=True, kw_only=True):
    ignore: bool = False
    rescore: bool | None = None
    oversampling: float | None = None

    rules: ClassVar = {"oversampling": at_least(1.0)}


class AcornSearchParams(Model, frozen=True, kw_only=True):
    enable: bool = False
    max_selectivity: float | None = None

    rules: ClassVar = {"max_selectivity": between(0.0, 1.0)}


class IdfCorpus(Model, frozen=True, kw_only=True):
    corpus: Filter


class SearchParams(Model, frozen=True, kw_only=True):
    hnsw_ef: UInt | None = None
    exact: bool = False
    quantization: QuantizationSearchParams | None = None
    indexed_only: bool = False
    acorn: AcornSearchParams | None = None
    idf: Literal["global"] | IdfCorpus | None = None

    rules: ClassVar = {"hnsw_ef": at_least(1)}


class LookupLocation(Model, frozen=True, kw_only=True):
    collection: str
    vector: str | None = None
    shard_key: ShardKeys | None = None


class _QueryCore(Model, frozen=True, kw_only=True):
    """What a query and a prefetch have in common."""

    prefetch: Prefetch | list[Prefetch] | None = None
    query: QueryInterface | None = None
    using: str | None = None
    filter: Filter | None = None
    params: SearchParams | None = None
    score_threshold: float | None = None
    limit: UInt | None = None
    lookup_from: LookupLocation | None = None

    rules: ClassVar = {"limit": at_least(1)}

    def __post_init__(self) -> None:
        if self.query is not None and not isinstance(self.query, Query):
            force_setattr(self, "query", checked_input(self.query))

    def problems(self) -> Iterable[Problem]:
        return input_problems(self.query, "query") if isinstance(self.query, list) else ()

    def prefetches(self) -> list[Prefetch]:
        """The prefetches as a list: Qdrant takes one object in place of a list of one."""
        if self.prefetch is None:
            return []
        return self.prefetch if isinstance(self.prefetch, list) else [self.prefetch]


class Prefetch(_QueryCore, frozen=True, kw_only=True):
    """A query whose results feed the query above it."""


class QueryRequest(_QueryCore, frozen=True, kw_only=True):
    offset: UInt | None = None
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None
    with_vectors: WithVector | None = None
    shard_key: ShardKeys | None = None

    rules: ClassVar = {**_QueryCore.rules, "with_payload": paths.readable}
    path_prefix: ClassVar = "internal"


class QueryRequestBatch(Model, frozen=True, kw_only=True):
    searches: list[QueryRequest]


class WithLookup(Model, frozen=True, kw_only=True):
    collection: str
    with_payload: WithPayload | None = True
    with_vectors: WithVector | None = None
    with_vector: WithVector | None = None

    rules: ClassVar = {"with_payload": paths.readable}


def group_problems(limit: int | None, group_size: int | None) -> Iterator[Problem]:
    """What breaks a rule in the part of requests for groups that Qdrant calls `group_request`."""
    for name, number in (("group_size", group_size), ("limit", limit)):
        problem = None if number is None else at_least(1)(number)
        if problem:
            yield f"group_request.{name}", problem


class QueryGroupsRequest(_QueryCore, frozen=True, kw_only=True):
    group_by: str
    group_size: UInt | None = None
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None
    with_vectors: WithVector | None = None
    with_lookup: str | WithLookup | None = None
    shard_key: ShardKeys | None = None

    rules: ClassVar = {"group_by": paths.readable, "with_payload": paths.readable}
    path_prefix: ClassVar = "search_group_request"

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from group_problems(self.limit, self.group_size)


class QueryResponse(Model, frozen=True, kw_only=True, omit_defaults=False):
    points: list[ScoredPoint]


class PointGroup(Model, frozen=True, kw_only=True):
    id: int | str
    hits: list[ScoredPoint]
    lookup: Record | None = None


class GroupsResult(Model, frozen=True, kw_only=True, omit_defaults=False):
    groups: list[PointGroup]
