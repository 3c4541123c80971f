"""How did queries look before the universal query? Search, recommend and discover bodies that old clients send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from msgspec.structs import force_setattr

from qdlite.models import paths
from qdlite.models.base import Model, Problem, UInt, UInt32, at_least
from qdlite.models.common import ShardKeys, WithPayload, WithVector
from qdlite.models.examples import ContextPair, VectorInput, checked_input
from qdlite.models.filters import Filter
from qdlite.models.groups import QueryGroupsRequest, WithLookup, group_problems
from qdlite.models.params import SearchParams
from qdlite.models.query import LookupLocation, QueryRequest
from qdlite.models.vectors import VectorObject

_STRATEGIES = ("average_vector", "best_score", "sum_scores")


class NamedVector(Model, frozen=True, kw_only=True):
    """A dense or sparse query vector with the name of the vector it is meant for."""

    name: str
    vector: list[float] | VectorObject

    def __post_init__(self) -> None:
        if isinstance(self.vector, VectorObject) and self.vector.is_inference:
            raise ValueError("data did not match any variant of untagged enum NamedVectorStruct")


class _Common(Model, frozen=True, kw_only=True):
    """What all of these requests share. `top` is the old name of `limit`."""

    filter: Filter | None = None
    params: SearchParams | None = None
    limit: UInt | None = None
    top: UInt | None = None
    offset: UInt | None = None
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None
    with_vectors: WithVector | None = None
    shard_key: ShardKeys | None = None

    rules: ClassVar = {"limit": at_least(1), "with_payload": paths.readable}

    def __post_init__(self) -> None:
        if self.limit is None:
            if self.top is None:
                raise ValueError("missing field `limit`")
            force_setattr(self, "limit", self.top)
        if self.with_vector is None:
            force_setattr(self, "with_vector", self.with_vectors)

    def common(self) -> dict[str, Any]:
        """The fields that the universal query has under the same names."""
        names = ("filter", "params", "limit", "offset", "with_payload", "with_vector", "shard_key")
        return {name: getattr(self, name) for name in names}


class SearchRequest(_Common, frozen=True, kw_only=True):
    vector: list[float] | NamedVector
    score_threshold: float | None = None

    path_prefix: ClassVar = "search_request"


class SearchRequestBatch(Model, frozen=True, kw_only=True):
    searches: list[SearchRequest]


class SearchGroupsRequest(SearchRequest, frozen=True, kw_only=True):
    group_by: str
    group_size: UInt32
    limit: UInt32 | None = None
    with_lookup: str | WithLookup | None = None

    rules: ClassVar = {"group_by": paths.readable, "with_payload": paths.readable}
    path_prefix: ClassVar = "search_group_request"

    def problems(self) -> Iterator[Problem]:
        yield from group_problems(self.limit, self.group_size)


class RecommendRequest(_Common, frozen=True, kw_only=True):
    positive: list[VectorInput] | None = None
    negative: list[VectorInput] | None = None
    strategy: str | None = None
    score_threshold: float | None = None
    using: str | None = None
    lookup_from: LookupLocation | None = None

    path_prefix: ClassVar = "recommend_request"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strategy is not None and self.strategy not in _STRATEGIES:
            expected = ", ".join(f"`{name}`" for name in _STRATEGIES)
            raise ValueError(f"unknown variant `{self.strategy}`, expected one of {expected}")
        force_setattr(self, "positive", [_example(value) for value in self.positive or ()])
        force_setattr(self, "negative", [_example(value) for value in self.negative or ()])


class RecommendRequestBatch(Model, frozen=True, kw_only=True):
    searches: list[RecommendRequest]


class RecommendGroupsRequest(RecommendRequest, frozen=True, kw_only=True):
    """Qdrant leaves the numbers unchecked here: with 0 groups, or groups of 0, the answer is empty."""

    group_by: str
    group_size: UInt32
    limit: UInt32 | None = None
    with_lookup: str | WithLookup | None = None

    rules: ClassVar = {"group_by": paths.readable, "with_payload": paths.readable}
    path_prefix: ClassVar = "recommend_group_request"


class DiscoverRequest(_Common, frozen=True, kw_only=True):
    target: VectorInput | None = None
    context: list[ContextPair] | None = None
    using: str | None = None
    lookup_from: LookupLocation | None = None

    path_prefix: ClassVar = "discover_request"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target is not None:
            force_setattr(self, "target", _example(self.target))
        for pair in self.context or ():
            _example(pair.positive)
            _example(pair.negative)


class DiscoverRequestBatch(Model, frozen=True, kw_only=True):
    searches: list[DiscoverRequest]


def _example(value: Any) -> Any:
    """An id, dense or sparse vector; these requests know neither multivectors nor inference objects."""
    checked = checked_input(value)
    nested = isinstance(checked, list) and checked and isinstance(checked[0], list)
    if nested or (isinstance(checked, VectorObject) and checked.is_inference):
        raise ValueError("data did not match any variant of untagged enum RecommendExample")
    return checked


class TranslatedQuery(QueryRequest, frozen=True, kw_only=True):
    """One of these requests as a universal query. Strict mode asks less of it than of others."""

    passes_over: ClassVar = True


class TranslatedGroups(QueryGroupsRequest, frozen=True, kw_only=True):
    """The same in groups. Qdrant looks at the field that makes the groups of a search, but not of a recommendation."""

    is_search: bool = True

    passes_over: ClassVar = True
