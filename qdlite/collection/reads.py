"""How are stored points read? Records by id or in order, counts, and the JSON of payloads and vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import orjson
from msgspec import UNSET, Raw, UnsetType

from qdlite.collection.state import CollectionState
from qdlite.collection.view import CollectionView
from qdlite.errors import NotFound, unknown_vector
from qdlite.models.common import PayloadSelector, WithPayload, WithVector
from qdlite.models.query import ScoredPoint
from qdlite.models.reads import Record
from qdlite.payload import path as json_path
from qdlite.queries.execute import Ranked
from qdlite.types import FloatArray, Offset, PointId, SparseArray, VectorArray

Render = Callable[[Offset], "Raw | UnsetType"]
"""Gives the JSON of one stored part of a point."""

_decode_floats = msgspec.json.Decoder(list[float]).decode
_EMPTY_MAP = Raw(b"{}")


def json_floats(values: FloatArray) -> bytes:
    """A JSON list in which every number is the shortest decimal that reads back as the same float32."""
    return orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)


def shortest_floats(values: FloatArray) -> list[float]:
    """Python floats that print as the shortest decimals of the float32 values; infinities and NaNs stay as they are."""
    try:
        return _decode_floats(json_floats(values))
    except msgspec.ValidationError:  # JSON has no number for what is not finite
        floats: list[float] = values.tolist()
        finite = np.flatnonzero(np.isfinite(values))
        for at, number in zip(finite.tolist(), _decode_floats(json_floats(values[finite])), strict=True):
            floats[at] = number
        return floats


def absent(offset: Offset) -> UnsetType:
    """Renders what was not asked for."""
    return UNSET


def payload_renderer(state: CollectionState, wanted: WithPayload | None) -> Render:
    """Renders the payload as selected; None and False leave it out."""
    if wanted is None or wanted is False:
        return absent
    raw = state.payloads.raw
    if wanted is True:
        return lambda offset: Raw(raw(offset))
    selector = wanted if isinstance(wanted, PayloadSelector) else PayloadSelector(include=wanted)
    select = json_path.selection(selector)
    return lambda offset: Raw(select(raw(offset)))


def vector_renderer(state: CollectionState, wanted: WithVector | None) -> Render:
    """Renders the vectors asked for. Raises WrongInput for a name the collection does not have."""
    if wanted is None or wanted is False:
        return absent
    names = list(state.vectors) if wanted is True else list(dict.fromkeys(wanted))
    for name in names:
        if name not in state.vectors:
            raise unknown_vector(name)

    def render(offset: Offset) -> Raw:
        stored = {name: state.vectors[name].get(offset) for name in names}
        present = {name: vector_json(vector) for name, vector in stored.items() if vector is not None}
        if not present:
            return _EMPTY_MAP
        if list(present) == [""]:
            return Raw(present[""])
        return Raw(msgspec.json.encode({name: Raw(part) for name, part in present.items()}))

    return render


def vector_json(vector: VectorArray) -> bytes:
    """The wire form of a stored vector."""
    if isinstance(vector, SparseArray):
        indices = orjson.dumps(np.ascontiguousarray(vector.indices), option=orjson.OPT_SERIALIZE_NUMPY)
        return b'{"indices":' + indices + b',"values":' + json_floats(vector.values) + b"}"
    return json_floats(vector)


def records(
    state: CollectionState,
    offsets: Sequence[Offset],
    with_payload: WithPayload | None,
    with_vector: WithVector | None,
    order_values: Sequence[int | float] | None = None,
) -> list[Record]:
    """Records of stored points, in the order given."""
    payload, vector = payload_renderer(state, with_payload), vector_renderer(state, with_vector)
    id_of = state.ids.id_of
    if order_values is None:
        return [Record(id=id_of(at), payload=payload(at), vector=vector(at)) for at in offsets]
    return [
        Record(id=id_of(at), payload=payload(at), vector=vector(at), order_value=value)
        for at, value in zip(offsets, order_values, strict=True)
    ]


def scored(
    view: CollectionView,
    ranked: Ranked,
    with_payload: WithPayload | None,
    with_vector: WithVector | None,
    versions: bool,
) -> list[ScoredPoint]:
    """Query results as points. `versions`: show each point's version, else 0 (as Qdrant does without a search)."""
    state, at = view.state, ranked.offsets.tolist()
    ids, scores = state.ids.ids_of(at), shortest_floats(ranked.scores)
    numbers = state.ids.versions[ranked.offsets].tolist() if versions else [0] * len(at)
    payload, vector = payload_renderer(state, with_payload), vector_renderer(state, with_vector)
    if payload is absent and vector is absent and ranked.order_values is None:
        return list(map(ScoredPoint, ids, numbers, scores))
    values = [None] * len(at) if ranked.order_values is None else ranked.order_values.tolist()
    return [
        ScoredPoint(
            id=ids[row],
            version=numbers[row],
            score=score,
            payload=payload(at[row]),
            vector=vector(at[row]),
            order_value=values[row],
        )
        for row, score in enumerate(scores)
    ]


def retrieve(
    state: CollectionState, ids: Sequence[PointId], with_payload: WithPayload | None, with_vector: WithVector | None
) -> list[Record]:
    """Records of the ids that exist, each once, in the order asked for."""
    offsets = state.ids.offsets_of(dict.fromkeys(ids)).tolist()
    return records(state, offsets, with_payload, with_vector)


def point(state: CollectionState, point_id: PointId) -> Record:
    """One record with payload and vectors. Raises NotFound."""
    found = retrieve(state, [point_id], True, True)
    if not found:
        raise NotFound(f"Point with id {point_id} does not exists!")
    return found[0]
