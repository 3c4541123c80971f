"""Does a query keep strict mode's limits? Queries with their prefetches, groups, and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.collection.config import named, sparse_params
from qdlite.collection.limits.capabilities import Indexes, supports_match
from qdlite.collection.limits.filters import conditions, targeted_field, verify_indexed, verify_read_filter
from qdlite.collection.limits.formulas import unindexed_variables
from qdlite.collection.limits.refusals import refusal, verify_exact, verify_number
from qdlite.models.collections import HnswConfigDiff, StrictModeConfig
from qdlite.models.filters import Filter
from qdlite.models.groups import QueryGroupsRequest
from qdlite.models.params import IdfCorpus, SearchParams
from qdlite.models.query import Prefetch, Query, QueryRequest, QueryRequestBatch
from qdlite.models.search import TranslatedGroups, TranslatedQuery
from qdlite.payload.path import parse
from qdlite.queries.plan import group_size, limit_of

if TYPE_CHECKING:
    from qdlite.collection.state import CollectionState

_BY_VECTORS = ("nearest", "recommend", "discover", "context", "relevance_feedback")

_AnyQuery = QueryRequest | QueryGroupsRequest | Prefetch


def verify_batch(state: CollectionState, limits: StrictModeConfig, request: QueryRequestBatch) -> None:
    """Raises BadRequest, as all of these do."""
    verify_number(len(request.searches), limits.search_max_batchsize, "search batch size")
    for search in request.searches:
        verify_one = verify_translated if isinstance(search, TranslatedQuery) else verify_query
        verify_one(state, limits, search)


def verify_query(state: CollectionState, limits: StrictModeConfig, request: QueryRequest | Prefetch) -> None:
    """With all of its prefetches, the innermost first."""
    for prefetch in request.prefetches():
        verify_query(state, limits, prefetch)
    _verify_search(state, limits, request)
    _verify_common(state, limits, request, limit_of(request))


def verify_groups(state: CollectionState, limits: StrictModeConfig, request: QueryGroupsRequest) -> None:
    """As in Qdrant the prefetches of a grouped query are not looked at."""
    _verify_search(state, limits, request)
    _verify_grouping(state, limits, request)
    _verify_common(state, limits, request, _limit_of_groups(request))


def verify_translated(state: CollectionState, limits: StrictModeConfig, request: QueryRequest | Prefetch) -> None:
    """The requests from before the universal query may search without an index."""
    _verify_common(state, limits, request, limit_of(request))


def verify_translated_groups(state: CollectionState, limits: StrictModeConfig, request: TranslatedGroups) -> None:
    if request.is_search:
        _verify_grouping(state, limits, request)
    _verify_common(state, limits, request, _limit_of_groups(request))


def verify_params(state: CollectionState, limits: StrictModeConfig, params: SearchParams | None) -> None:
    if params is None:
        return
    oversampling = params.quantization.oversampling if params.quantization is not None else None
    verify_number(oversampling, limits.search_max_oversampling, "oversampling")
    verify_number(params.hnsw_ef, limits.search_max_hnsw_ef, "hnsw_ef")
    corpus = params.idf.corpus if isinstance(params.idf, IdfCorpus) else None
    verify_read_filter(corpus, limits, state.fields.indexes)
    verify_exact(params.exact, limits)


def _limit_of_groups(request: QueryGroupsRequest) -> int:
    return limit_of(request) * group_size(request)


def _verify_common(state: CollectionState, limits: StrictModeConfig, request: _AnyQuery, limit: int) -> None:
    verify_number(limit, limits.max_query_limit, "limit")
    verify_read_filter(request.filter, limits, state.fields.indexes)
    verify_params(state, limits, request.params)


def _verify_search(state: CollectionState, limits: StrictModeConfig, request: _AnyQuery) -> None:
    """No search of a vector without an index, no formula over fields without one."""
    query = request.query
    if query is None:
        return
    # A query over prefetches rescores what they found, unless it is a prefetch itself: Qdrant checks these always.
    searches = isinstance(request, Prefetch) or not request.prefetches()
    kind = query.kind if isinstance(query, Query) else "nearest"
    if searches and kind in _BY_VECTORS and limits.search_allow_exact is False:
        _verify_vector_index(state, request.using or "", request.filter)
    formula = query.formula if isinstance(query, Query) else None
    if formula is not None and limits.unindexed_filtering_retrieve is False:
        remedy = "Create an index for this key or use a different formula expression."
        verify_indexed(unindexed_variables(formula, state.fields.indexes), remedy)


def _verify_vector_index(state: CollectionState, using: str, condition: Filter | None) -> None:
    """Refuses a search that the configuration (`m`, `payload_m`) makes an exact one."""
    if using in sparse_params(state.config):
        return
    config = state.config.hnsw_config
    params = named(state.config.params.vectors).get(using)
    own = (params.hnsw_config if params is not None else None) or HnswConfigDiff()
    m = config.m if own.m is None else own.m
    if m > 0:
        return
    where = f" on '{using}'" if using else ""
    if not _selects_tenant(condition, state.fields.indexes):
        raise refusal(
            f"Request is forbidden{where} because global vector indexing is disabled (hnsw_config.m = 0)",
            "Use tenant-specific filter, enable global vector indexing or enable strict mode "
            "`search_allow_exact` option",
        )
    payload_m = next((given for given in (own.payload_m, config.payload_m) if given is not None), m)
    if payload_m == 0:
        raise refusal(
            f"Request is forbidden{where} because vector indexing is disabled "
            "(hnsw_config.m = 0 and hnsw_config.payload_m = 0)",
            "Enable vector indexing, use a prefetch query with indexed vectors or enable strict mode "
            "`search_allow_exact` option",
        )


def _selects_tenant(condition: Filter | None, indexes: Indexes) -> bool:
    """Whether a direct condition of the filter is on a field whose index has `is_tenant`."""
    if condition is None:
        return False
    targets = (targeted_field(one) for one in conditions(condition))
    found = (indexes.get(path) for path in targets if path is not None)
    return any(index is not None and index.enabled("is_tenant", False) for index in found)


def _verify_grouping(state: CollectionState, limits: StrictModeConfig, request: QueryGroupsRequest) -> None:
    if limits.unindexed_filtering_retrieve is not False:
        return
    path = parse(request.group_by)
    index = state.fields.indexes.get(path)
    remedy = "Create an index supporting `match` for this key."
    if index is None:
        raise refusal(f'Index required but not found for "{path}"', remedy)
    if not supports_match(index):
        raise refusal(f'Index of type "{index.schema.capitalize()}" found for "{path}"', remedy)
