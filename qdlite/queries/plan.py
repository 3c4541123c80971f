"""How does a query request become a plan? Everything that can be refused is refused here, before anything runs."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from msgspec.structs import replace

from qdlite.errors import BadRequest, invalid
from qdlite.models.filters import Filter, MinShould, many
from qdlite.models.query import Prefetch, Query, QueryRequest
from qdlite.queries.collect import Request, kind_of, referenced_ids
from qdlite.queries.examples import Examples, Lookup, Resolve
from qdlite.queries.operations import Place, operation
from qdlite.queries.steps import ByField, Mmr, Operation, Plan, Scope, Step
from qdlite.queries.view import PointView

if TYPE_CHECKING:
    from qdlite.models.groups import QueryGroupsRequest

DEFAULT_LIMIT = 10
DEFAULT_GROUP_SIZE = 3
MAX_DEPTH = 64

_FUSIONS = ("fusion", "rrf")


def plan(request: QueryRequest, view: PointView, resolve: Resolve, lookup: Lookup) -> Plan:
    """The plan of a query.

    The root's filter, and the exclusion of every id used as an example, hold for all prefetches. Raises
    BadRequest, WrongInput and NotFound for whatever cannot be executed.
    """
    limit, offset = limit_of(request), request.offset or 0
    if offset and not request.prefetch and kind_of(request) == "sample":
        offset = 0
    return Plan(_Planner(view, resolve, lookup).root(request, limit, offset), offset, limit)


def plan_groups(request: QueryGroupsRequest, view: PointView, resolve: Resolve, lookup: Lookup) -> Step:
    """The root step of a query whose results are to be grouped: it returns enough points to fill all groups, and
    prefetches return `group_size` times their own limit. Raises what `plan` raises."""
    size = group_size(request)
    return _Planner(view, resolve, lookup, size).root(request, limit_of(request) * size, 0)


def group_size(request: QueryGroupsRequest) -> int:
    return DEFAULT_GROUP_SIZE if request.group_size is None else request.group_size


class _Planner:
    """Plans one request. `scale` multiplies the limits of prefetches."""

    def __init__(self, view: PointView, resolve: Resolve, lookup: Lookup, scale: int = 1) -> None:
        self.view = view
        self.resolve = resolve
        self.lookup = lookup
        self.scale = scale

    def root(self, request: QueryRequest | QueryGroupsRequest, limit: int, offset: int) -> Step:
        kind = kind_of(request)
        scope = Scope(_with((), request.filter), referenced_ids(request, self.view.name))
        sources: tuple[Step, ...] = ()
        if request.prefetch:
            # Before the root's own checks: Qdrant looks all examples up first, and so names a missing one first.
            _check_depth(request)
            sources = tuple([self._prefetch(one, scope, kind in _FUSIONS) for one in request.prefetches()])
        made = self._operation(request, kind, merged=True)
        if isinstance(made, Mmr):
            return Step(made, limit, None, scope, (_candidates(request, made, scope, sources),))
        return Step(made, limit + offset, request.score_threshold, scope, sources)

    def _prefetch(self, request: Prefetch, outer: Scope, merged: bool) -> Step:
        """`merged`: Qdrant merges the lists of its shards at this place, directly below a fusion at the root."""
        limit = limit_of(request) * self.scale
        scope = Scope(_with(outer.filters, request.filter), outer.excluded)
        sources = tuple([self._prefetch(one, scope, False) for one in request.prefetches()])
        made = self._operation(request, kind_of(request), merged)
        if isinstance(made, Mmr) and not sources:
            # As in Qdrant a prefetch without prefetches of its own only gathers the candidates.
            step = _candidates(request, made, scope, ())
            return replace(step, limit=min(step.limit, limit)) if merged else step
        return Step(made, limit, request.score_threshold, scope, sources)

    def _operation(self, request: Request, kind: str, merged: bool) -> Operation:
        _check(request, kind)
        examples = Examples.of(request, self.view, self.resolve, self.lookup)
        if request.passes_over:
            request = _with_vectors(request, examples)
        made = operation(kind, Place(request, self.view, examples))
        return replace(made, merged=merged) if isinstance(made, ByField) else made


def _with_vectors(request: Request, examples: Examples) -> Request:
    """A recommendation without the examples that lack the vector, unless it is all of them."""
    wanted = request.query.recommend if isinstance(request.query, Query) else None
    if wanted is None:
        return request
    positive = [one for one in wanted.positive or () if examples.exist(one)]
    negative = [one for one in wanted.negative or () if examples.exist(one)]
    if not positive and not negative:
        return request
    return replace(request, query=Query(recommend=replace(wanted, positive=positive, negative=negative)))


def _candidates(request: Request, mmr: Mmr, scope: Scope, sources: tuple[Step, ...]) -> Step:
    """The search from whose results MMR chooses."""
    limit = limit_of(request) if mmr.candidates is None else mmr.candidates
    return Step(mmr.nearest, limit, request.score_threshold, scope, sources)


def limit_of(request: Request) -> int:
    """How many results are wanted; of a grouped query, how many groups."""
    return DEFAULT_LIMIT if request.limit is None else request.limit


def _check(request: Request, kind: str) -> None:
    """Contradictions within one level of a request."""
    if request.prefetch and kind == "by_id":
        raise BadRequest("A query is needed to merge the prefetches. Can't have prefetches without defining a query.")
    if request.score_threshold is not None:
        if kind == "order_by":
            raise BadRequest("Can't use score_threshold with an order_by query.")
        if kind == "by_id":
            raise BadRequest(
                "A query is needed to use the score_threshold. Can't have score_threshold without defining a query."
            )
    if kind in _FUSIONS and request.using:
        raise BadRequest("Fusion queries cannot be combined with the 'using' field.")


def _check_depth(request: Request) -> None:
    depth = _depth(request)
    if depth > MAX_DEPTH:
        raise invalid(f"prefetches depth {depth} exceeds max depth {MAX_DEPTH}")


def _depth(request: Request) -> int:
    return max((1 + _depth(prefetch) for prefetch in request.prefetches()), default=0)


def _with(filters: tuple[Filter, ...], further: Filter | None) -> tuple[Filter, ...]:
    """A scope's filters with that of a prefetch. All must hold, but Qdrant joins them clause by clause: of two
    `should` lists it makes one, so that one alternative of either suffices; likewise of two `min_should`."""
    if further is None or not filters:
        return filters if further is None else (further,)
    joined = (*filters, further)
    clashes = any(sum(bool(getattr(one, clause)) for one in joined) > 1 for clause in ("should", "min_should"))
    return (reduce(_merged, joined),) if clashes else joined


def _merged(one: Filter, other: Filter) -> Filter:
    clauses = {name: many(getattr(one, name)) + many(getattr(other, name)) for name in ("must", "should", "must_not")}
    return Filter(**clauses, min_should=_least(one.min_should, other.min_should))


def _least(one: MinShould | None, other: MinShould | None) -> MinShould | None:
    if one is None or other is None:
        return other if one is None else one
    return MinShould(conditions=one.conditions + other.conditions, min_count=max(one.min_count, other.min_count))
