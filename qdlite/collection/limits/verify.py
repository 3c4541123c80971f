"""Which check belongs to which request? The one entry to all limits of strict mode but the rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qdlite.collection.limits import queries, reads, updates
from qdlite.collection.limits.refusals import verify_number
from qdlite.models.collections import StrictModeConfig, VectorNameConfig
from qdlite.models.groups import QueryGroupsRequest
from qdlite.models.indexes import CreateFieldIndex
from qdlite.models.matrix import SearchMatrixRequest
from qdlite.models.query import QueryRequest, QueryRequestBatch
from qdlite.models.reads import CountRequest, FacetRequest, PointRequest, ScrollRequest
from qdlite.models.search import TranslatedGroups, TranslatedQuery
from qdlite.models.updates import UpdateOperation

if TYPE_CHECKING:
    from qdlite.collection.state import CollectionState

Request = (
    QueryRequest
    | QueryRequestBatch
    | QueryGroupsRequest
    | ScrollRequest
    | CountRequest
    | FacetRequest
    | SearchMatrixRequest
    | PointRequest
    | UpdateOperation
    | CreateFieldIndex
    | VectorNameConfig
)

_VERIFIERS: dict[type, Callable[[CollectionState, StrictModeConfig, Any], None]] = {
    QueryRequest: queries.verify_query,
    QueryRequestBatch: queries.verify_batch,
    QueryGroupsRequest: queries.verify_groups,
    TranslatedQuery: queries.verify_translated,
    TranslatedGroups: queries.verify_translated_groups,
    ScrollRequest: reads.verify_scroll,
    CountRequest: reads.verify_count,
    FacetRequest: reads.verify_facet,
    SearchMatrixRequest: reads.verify_matrix,
    PointRequest: reads.verify_retrieve,
    UpdateOperation: updates.verify_operation,
    CreateFieldIndex: updates.verify_field_index,
    VectorNameConfig: updates.verify_vector_name,
}


def verify(state: CollectionState, limits: StrictModeConfig, request: Request, timeout: float | None = None) -> None:
    """Raises BadRequest with Qdrant's text if the request breaks a limit. `timeout` is in seconds.

    The state is only read, so the collection's read lock is enough.
    """
    _VERIFIERS[type(request)](state, limits, request)
    verify_number(None if timeout is None else int(timeout), limits.max_timeout, "timeout")
