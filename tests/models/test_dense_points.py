"""Is what is decoded in one pass equal to what takes two, and does the longer way get the rest?"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import InvalidBody, MalformedBody, WrongInput
from qdlite.models.arrays import to_array
from qdlite.models.checks import check
from qdlite.models.decoding import decode
from qdlite.models.dense_points import DenseUpsert
from qdlite.models.points import UpsertPoints

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.floats(width=32, allow_nan=False), st.integers(-(2**70), 2**70)
).filter(lambda number: abs(number) < 1e308)
DENSE = st.lists(NUMBERS, max_size=8)
OTHERS: list[Any] = [
    [[1, 2], [3, 4]],
    [[1], [2, 3]],
    [],
    {},
    {"": [1.0]},
    {"a": [1.0], "b": []},
    {"a": [[1.0]], "b": [2.0]},
    {"a": {"indices": [1], "values": [1.0]}},
    {"indices": [1], "values": [1.0]},
    {"model": [1.0]},
    {"text": "a", "model": "m"},
    {"a": {"text": "a", "model": "m"}},
    None,
    "a",
    [1, "a"],
    [None],
    1,
]
VECTORS = st.one_of(DENSE, st.dictionaries(st.text(max_size=3), DENSE, max_size=3), st.sampled_from(OTHERS))
IDS = st.sampled_from(
    [0, 7, 2**64 - 1, "0b44ab7c-9d63-4d0c-8d0f-5d5d1e6c1d3c", "0B44AB7C9D634D0C8D0F5D5D1E6C1D3C", -1, "x"]
)
POINTS = st.fixed_dictionaries(
    {"id": IDS, "vector": VECTORS},
    optional={"payload": st.sampled_from([{"a": 1}, None, [], "a"]), "vectors": VECTORS, "unknown": st.just(1)},
)


def outcome(body: bytes, usual: Any) -> Any:
    """All that can be told of the points of a body, or why it is refused."""
    try:
        upsert = decode(body, UpsertPoints, usual)
        check(upsert)
    except (MalformedBody, InvalidBody) as error:
        return type(error), str(error)
    return [
        (point.id, bytes(point.payload), {name: told(vector) for name, vector in point.named_vectors().items()})
        for point in upsert.all_points()
    ]


def told(vector: Any) -> Any:
    try:
        return to_array(vector).tobytes()  # type: ignore[union-attr]
    except (AttributeError, ValueError):
        return vector
    except WrongInput as error:
        return str(error)


@given(st.lists(POINTS, max_size=3))
def test_both_ways_give_the_same(points: list[dict[str, Any]]) -> None:
    body = json.dumps({"points": points}).encode()
    assert outcome(body, DenseUpsert) == outcome(body, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}",
        b'{"points": null}',
        b'{"points": []}',
        b'{"points": [{"id": 1, "vector": [1e400]}]}',
        b'{"points": [{"id": 1, "vector": [1, 2,]}]}',
        b'{"points": [{"id": 1}]}',
        b'{"points": [{"id": 1, "vector": [1], "vector": [2]}], "update_mode": "insert_only"}',
        b'{"batch": {"ids": [1, 2], "vectors": [[1], [2]]}}',
        b'{"points": [{"id": 1, "vector": [1]}], "batch": {"ids": [1], "vectors": {"a": [[1]]}}}',
        b'{"points": [{"id": 1, "vector": [1]}], "update_mode": "x"}',
        b'{"points": [{"id": 1, "vector": [' + b"[" * 2000 + b"]" * 2000 + b"]}]}",
    ],
)
def test_bodies_as_they_come(body: bytes) -> None:
    assert outcome(body, DenseUpsert) == outcome(body, None)


def test_arrays_at_once() -> None:
    upsert = decode(b'{"points": [{"id": 1, "vector": [0.1, 2, 1e39]}]}', UpsertPoints, DenseUpsert)
    (point,) = upsert.all_points()
    array = point.named_vectors()[""]
    assert isinstance(array, np.ndarray)
    assert array.dtype == np.float32
    assert array.tolist() == [float(np.float32(0.1)), 2.0, float("inf")]
