"""How does a request to write become an operation? Everything is checked here, before anything is changed.

Each function looks at the state, resolves conditions and filters to ids, builds what is to be stored, and returns the
operation; it raises without having changed anything. Called under the write lock, or before if there is no condition.
`resolve` gives the vectors of inference objects; the state comes last, because only the lock says which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Raw

from qdlite.collection import operations as ops
from qdlite.collection.config import named
from qdlite.collection.state import CollectionState
from qdlite.collection.vectors import Resolve, WireColumn, by_name, check_sizes, prepared
from qdlite.collection.view import CollectionView
from qdlite.errors import UnknownVector, WrongDimension, unknown_vector
from qdlite.models.checks import violations
from qdlite.models.filters import Filter
from qdlite.models.payloads import NULL, payload_object, payload_objects
from qdlite.models.points import PointStruct, UpsertPoints
from qdlite.models.updates import (
    DeletePayload,
    DeleteVectors,
    PointsSelector,
    SetPayload,
    UpdateOperation,
    UpdateVectors,
)
from qdlite.models.vectors import WireVector
from qdlite.payload import path as json_path
from qdlite.payload.store import EMPTY, deleted_keys, merging
from qdlite.types import Offset, PointId


def check_readable(operation: UpdateOperation) -> None:
    """Raises MalformedBody for payloads, paths and dates that would be looked at only when the operation is prepared,
    which is too late for those that are sent together: in Qdrant they are part of the body."""
    _, body = operation.update
    payloads = body.all_payloads() if isinstance(body, UpsertPoints) else []
    for payload in [body.payload] if isinstance(body, SetPayload) else payloads:
        payload_object(payload)
    part = body.update_filter if isinstance(body, (UpsertPoints, UpdateVectors)) else body
    for _ in violations(part, ""):
        pass  # broken rules are no concern of this place


def upsert(body: UpsertPoints, resolve: Resolve, state: CollectionState) -> ops.Upsert:
    """Points not admitted by the condition are left out without error; of equal ids the last one counts. The sizes
    of vectors are checked for all of them, and before names are."""
    ids, columns, payloads = _columns(state, body)
    if len(ids) < body.count:
        _check_sizes(state, body)
    try:
        vectors = prepared(columns, state.vectors, resolve)
    except (UnknownVector, WrongDimension):
        _check_sizes(state, body)
        raise
    return ops.Upsert(ids, vectors, _stored(payloads))


def update_vectors(body: UpdateVectors, resolve: Resolve, state: CollectionState) -> ops.UpdateVectors:
    """Several entries for one id are merged. Raises NotFound for an id that does not exist, with a filter too."""
    vectors: dict[PointId, dict[str, WireVector]] = {}
    for point in body.points:
        vectors.setdefault(point.id, {}).update(point.named_vectors())
    state.ids.required(vectors)
    if body.update_filter is not None:
        admitted = _matching(state, body.update_filter)
        vectors = {point_id: value for point_id, value in vectors.items() if admitted(point_id)}
    return ops.UpdateVectors(list(vectors), prepared(by_name(vectors.values()), state.vectors, resolve))


def delete(body: PointsSelector, resolve: Resolve, state: CollectionState) -> ops.Delete:
    """Ids that do not exist are ignored."""
    return ops.Delete(_matching_ids(state, body.filter) if body.points is None else body.points)


def delete_vectors(body: DeleteVectors, resolve: Resolve, state: CollectionState) -> ops.DeleteVectors:
    """Raises UnknownVector for a name that the collection does not have."""
    for name in body.names:
        if name not in state.vectors:
            raise unknown_vector(name)
    ids, _ = _selected(state, body.points, body.filter)
    if body.points is not None and body.filter is not None:  # unlike all other updates this one takes both
        ids = list(dict.fromkeys([*ids, *_matching_ids(state, body.filter)]))
    return ops.DeleteVectors(ids, body.names)


def set_payload(body: SetPayload, resolve: Resolve, state: CollectionState) -> ops.ReplacePayloads:
    """Merges top-level keys (null removes one), or into the object at `key`."""
    patch = bytes(body.payload)
    payload_object(patch)
    key = None if body.key is None else json_path.parse(body.key)
    return _rewritten(state, body.points, body.filter, merging(patch, key))


def overwrite_payload(body: SetPayload, resolve: Resolve, state: CollectionState) -> ops.ReplacePayloads:
    [new] = _stored([body.payload])
    return _rewritten(state, body.points, body.filter, lambda old: new)


def delete_payload(body: DeletePayload, resolve: Resolve, state: CollectionState) -> ops.ReplacePayloads:
    paths = [json_path.parse(key) for key in body.keys]
    return _rewritten(state, body.points, body.filter, lambda old: deleted_keys(old, paths))


def clear_payload(body: PointsSelector, resolve: Resolve, state: CollectionState) -> ops.ReplacePayloads:
    return _rewritten(state, body.points, body.filter, lambda old: EMPTY)


PREPARE: dict[str, Callable[[Any, Resolve, CollectionState], ops.Operation]] = {
    "upsert": upsert,
    "update_vectors": update_vectors,
    "delete": delete,
    "delete_vectors": delete_vectors,
    "set_payload": set_payload,
    "overwrite_payload": overwrite_payload,
    "delete_payload": delete_payload,
    "clear_payload": clear_payload,
}
"""By the key of the update."""


def _stored(payloads: Iterable[Raw]) -> list[bytes]:
    """The payloads' own bytes, once it is known that they can be decoded."""
    encoded = list(map(bytes, payloads))
    return [raw if found else EMPTY for raw, found in zip(encoded, payload_objects(encoded), strict=True)]


def _columns(state: CollectionState, body: UpsertPoints) -> tuple[list[PointId], dict[str, WireColumn], Sequence[Raw]]:
    """Ids, vectors by name and payloads of the points that are to be stored."""
    batch = body.batch
    if batch is not None and batch.is_even and not body.is_conditional:
        rows = range(len(batch.ids))
        columns = {name: WireColumn(rows, column) for name, column in batch.columns().items()}
        return batch.ids, columns, batch.payloads or [NULL] * len(rows)
    points = _admitted(state, list({point.id: point for point in body.all_points()}.values()), body)
    vectors = by_name(point.named_vectors() for point in points)
    return [point.id for point in points], vectors, [point.payload for point in points]


def _check_sizes(state: CollectionState, body: UpsertPoints) -> None:
    check_sizes((point.named_vectors() for point in body.all_points()), named(state.config.params.vectors))


def _admitted(state: CollectionState, points: list[PointStruct], body: UpsertPoints) -> list[PointStruct]:
    """Those points that `update_mode` and `update_filter` let through (Qdrant's conditional upsert)."""
    mode = body.update_mode or "upsert"
    if mode == "insert_only":
        return [point for point in points if point.id not in state.ids]
    if mode == "update_only":
        points = [point for point in points if point.id in state.ids]
    if body.update_filter is None:
        return points
    matches = _matching(state, body.update_filter)
    return [point for point in points if point.id not in state.ids or matches(point.id)]


def _matching(state: CollectionState, condition: Filter) -> Callable[[PointId], bool]:
    mask = CollectionView(state).mask(condition)

    def matches(point_id: PointId) -> bool:
        offset = state.ids.offset_of(point_id)
        return offset is not None and (mask is None or bool(mask[offset]))

    return matches


def _selected(
    state: CollectionState, points: Sequence[PointId] | None, condition: Filter | None
) -> tuple[Sequence[PointId], Sequence[Offset]]:
    """The distinct ids a selector means, and where they are. Raises PointNotFound for an id that does not exist."""
    if points is None:
        offsets = CollectionView(state).matching(condition).tolist()
        return state.ids.ids_of(offsets), offsets
    distinct = points if len(points) == 1 else list(dict.fromkeys(points))
    return distinct, state.ids.required(distinct)


def _matching_ids(state: CollectionState, condition: Filter | None) -> list[PointId]:
    return state.ids.ids_of(CollectionView(state).matching(condition).tolist())


def _rewritten(
    state: CollectionState,
    points: Sequence[PointId] | None,
    condition: Filter | None,
    rewrite: Callable[[bytes], bytes],
) -> ops.ReplacePayloads:
    ids, offsets = _selected(state, points, condition)
    stored = state.payloads.raw
    return ops.ReplacePayloads(ids, [rewrite(stored(offset)) for offset in offsets])
