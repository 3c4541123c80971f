"""Does an update keep strict mode's limits? The size of batches, vectors and the collection, and filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from qdlite.collection.limits.filters import verify_filter
from qdlite.collection.limits.memory import verify_memory
from qdlite.collection.limits.refusals import refusal, verify_number
from qdlite.collection.limits.sizes import verify_payload_size, verify_sizes
from qdlite.errors import BadRequest
from qdlite.models.collections import StrictModeConfig, VectorNameConfig
from qdlite.models.indexes import CreateFieldIndex
from qdlite.models.points import UpsertPoints
from qdlite.models.updates import (
    DeletePayload,
    DeleteVectors,
    PointsSelector,
    SetPayload,
    UpdateOperation,
    UpdateVectors,
)
from qdlite.models.vectors import VectorObject, WireVector

if TYPE_CHECKING:
    from qdlite.collection.state import CollectionState

Limits = StrictModeConfig
_NamedVectors = Iterable[tuple[str, WireVector]]


def verify_operation(state: CollectionState, limits: Limits, operation: UpdateOperation) -> None:
    """Raises BadRequest, as all of these do."""
    kind, body = operation.update
    _BY_KIND[kind](state, limits, body)


def verify_upsert(state: CollectionState, limits: Limits, body: UpsertPoints) -> None:
    """An `update_filter` is not looked at: it is evaluated on few points."""
    size = len(body.batch.ids) if body.batch is not None else len(body.points or ())
    verify_number(size, limits.upsert_max_batchsize, "upsert limit")
    verify_sizes(state, limits)
    _verify_vectors(limits, lambda: _upserted(body))
    verify_memory(limits)


def verify_update_vectors(state: CollectionState, limits: Limits, body: UpdateVectors) -> None:
    verify_number(len(body.points), limits.upsert_max_batchsize, "update limit")
    verify_sizes(state, limits)
    _verify_vectors(limits, lambda: (one for point in body.points for one in point.named_vectors().items()))
    verify_memory(limits)


def verify_set_payload(state: CollectionState, limits: Limits, body: SetPayload) -> None:
    """The filter is checked even if ids are given, which then count."""
    verify_payload_size(state, limits)
    _verify_filter(state, limits, body)
    verify_memory(limits)


def verify_selected(
    state: CollectionState, limits: Limits, body: PointsSelector | DeleteVectors | DeletePayload
) -> None:
    """Updates that only remove. Of a plain selector with ids the filter is not even read."""
    if not (isinstance(body, PointsSelector) and body.points is not None):
        _verify_filter(state, limits, body)


def verify_field_index(state: CollectionState, limits: Limits, body: CreateFieldIndex) -> None:
    """The limit also stops the replacement of an index that exists."""
    most = limits.max_payload_index_count
    if most is not None and len(state.fields.indexes) >= most:
        raise refusal(
            f"Collection already has the maximum number of payload indices ({most})",
            "Please delete an existing index before creating a new one.",
        )
    verify_memory(limits)


def verify_vector_name(state: CollectionState, limits: Limits, body: VectorNameConfig) -> None:
    verify_memory(limits)


def _verify_filter(
    state: CollectionState, limits: Limits, body: PointsSelector | DeleteVectors | DeletePayload | SetPayload
) -> None:
    verify_filter(body.filter, limits.unindexed_filtering_update is False, limits, state.fields.indexes)


def _upserted(body: UpsertPoints) -> _NamedVectors:
    if body.batch is not None:
        return ((name, vector) for name, column in body.batch.columns().items() for vector in column)
    return (one for point in body.points or () for one in point.named_vectors().items())


def _verify_vectors(limits: Limits, vectors: Callable[[], _NamedVectors]) -> None:
    """Limits of multivectors and sparse vectors by name, on the vectors as they were sent."""
    multi = _given(limits.multivector_config, "max_vectors")
    if multi:
        for name, vector in vectors():
            _verify_multivector(name, vector, multi.get(name))
    sparse = _given(limits.sparse_config, "max_length")
    if sparse:
        for name, vector in vectors():
            _verify_sparse(name, vector, sparse.get(name))


def _given(config: Mapping[str, Any] | None, field: str) -> dict[str, int]:
    named = {name: getattr(one, field) for name, one in (config or {}).items()}
    return {name: most for name, most in named.items() if most is not None}


def _verify_multivector(name: str, vector: WireVector, most: int | None) -> None:
    if most is None or not isinstance(vector, list) or not isinstance(next(iter(vector), None), list):
        return
    if len(vector) > most:
        raise BadRequest(f"Multivector '{name}' has a limit of {most} vectors, but {len(vector)} were provided!")


def _verify_sparse(name: str, vector: WireVector, most: int | None) -> None:
    if most is None or not isinstance(vector, VectorObject) or vector.indices is None:
        return
    if max(len(vector.indices), len(vector.values or ())) > most:
        raise BadRequest(
            f"Sparse vector '{name}' has a limit of {most} indices, but {len(vector.indices)} were provided!"
        )


_BY_KIND: dict[str, Callable[[CollectionState, Limits, Any], None]] = {
    "upsert": verify_upsert,
    "update_vectors": verify_update_vectors,
    "set_payload": verify_set_payload,
    "overwrite_payload": verify_set_payload,
    "delete": verify_selected,
    "delete_vectors": verify_selected,
    "delete_payload": verify_selected,
    "clear_payload": verify_selected,
}
