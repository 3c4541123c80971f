"""Small writes touch only what they change; who calls the engine directly may bring vectors as arrays."""

from __future__ import annotations

import json
import threading
from typing import Any, cast

import numpy as np
import pytest
from msgspec import Raw

from qdlite.database import Database
from qdlite.errors import WrongInput
from qdlite.models.collections import CreateCollection
from qdlite.models.decoding import decode
from qdlite.models.indexes import CreateFieldIndex
from qdlite.models.points import Batch, UpsertPoints
from qdlite.models.query import QueryRequest
from qdlite.models.reads import CountRequest, PointRequest
from qdlite.models.updates import PointsSelector, SetPayload
from qdlite.payload.column import Column
from qdlite.payload.store import changed_keys
from qdlite.types import SparseArray


def body(model: type[Any], **fields: Any) -> Any:
    return decode(json.dumps(fields).encode(), model)


@pytest.fixture
def database() -> Any:
    with Database() as database:
        vectors = {"dense": {"size": 4, "distance": "Dot"}, "multi": {"size": 2, "distance": "Dot"}}
        vectors["multi"]["multivector_config"] = {"comparator": "max_sim"}
        create = body(CreateCollection, vectors=vectors, sparse_vectors={"sparse": {}})
        database.create_collection("c", create)
        for field in ("a", "b"):
            database.create_field_index("c", body(CreateFieldIndex, field_name=field, field_schema="integer"))
        yield database


def count(database: Database, key: str, value: Any) -> int:
    request: CountRequest = body(CountRequest, filter={"must": [{"key": key, "match": {"value": value}}]})
    return database.count("c", request)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"{}", b"{}", set()),
        (b"{}", b"null", set()),
        (b'{"a":1}', b'{"a":1}', set()),
        (b'{"a":1}', b'{"a":true}', {"a"}),
        (b'{"a":1}', b'{"a":1.0}', {"a"}),
        (b'{"a":1,"b":{"c":[1]}}', b'{"b":{"c":[2]},"a":1}', {"b"}),
        (b'{"a":1}', b'{"b":1}', {"a", "b"}),
        (b'{"a":null}', b"{}", {"a"}),
    ],
)
def test_changed_keys(old: bytes, new: bytes, expected: set[str]) -> None:
    assert changed_keys(old, new) == expected


def test_only_columns_of_changed_keys_are_touched(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [{"id": i, "vector": {}, "payload": {"a": i, "b": i, "c": i}} for i in range(20)]
    database.upsert("c", body(UpsertPoints, points=points))
    assert count(database, "a", 3) == 1
    touched: list[str] = []
    remove = Column.remove

    def counting(column: Column, rows: Any) -> None:
        touched.append(str(column.path))
        remove(column, rows)

    monkeypatch.setattr(Column, "remove", counting)
    database.set_payload("c", body(SetPayload, points=[3], payload={"c": 100}))
    assert (count(database, "a", 3), touched) == (1, [])
    database.set_payload("c", body(SetPayload, points=[3], payload={"a": 100}))
    assert (count(database, "a", 3), count(database, "a", 100), count(database, "b", 3)) == (0, 1, 1)
    assert touched == ["a"]
    database.upsert("c", body(UpsertPoints, points=[{"id": 3, "vector": {}, "payload": {"b": 3}}]))
    assert (count(database, "a", 100), count(database, "b", 3), count(database, "c", 100)) == (0, 1, 0)
    assert touched == ["a", "a"]


def test_columns_take_in_many_small_writes_at_once(database: Database, taken: list[int]) -> None:
    for point in range(100):
        database.upsert("c", body(UpsertPoints, points=[{"id": point, "vector": {}, "payload": {"a": 1}}]))
    for point in range(50):
        database.set_payload("c", body(SetPayload, points=[point], payload={"a": 2}))
    database.delete("c", body(PointsSelector, points=list(range(40, 60))))
    assert taken == []
    assert (count(database, "a", 1), count(database, "a", 2)) == (40, 40)
    assert taken == [100, 100]  # once in each column
    for point in range(1000):
        database.set_payload("c", body(SetPayload, points=[point % 10], payload={"a": point}))
    assert (count(database, "a", 999), len(taken)) == (1, 3)


def test_arrays_are_stored_and_asked_for_like_lists(database: Database) -> None:
    rng = np.random.default_rng(0)
    dense, multi = rng.standard_normal((5, 4), np.float32), rng.standard_normal((5, 3, 2), np.float32)
    sparse = [SparseArray(np.array([7, 2 + i], np.uint32), np.array([1.0, 2.0], np.float32)) for i in range(5)]
    columns: Any = {"dense": dense, "multi": list(multi), "sparse": sparse}
    payloads = [Raw(b'{"a": %d}' % i) for i in range(5)]
    database.upsert("c", UpsertPoints(batch=Batch(ids=[0, 1, 2, 3, 4], vectors=columns, payloads=payloads)))
    written = {
        "dense": dense.tolist(),
        "multi": multi.tolist(),
        "sparse": [{"indices": one.indices.tolist(), "values": one.values.tolist()} for one in sparse],
    }
    batch = {"ids": [10, 11, 12, 13, 14], "vectors": written, "payloads": [{"a": i} for i in range(5)]}
    database.upsert("c", body(UpsertPoints, batch=batch))
    for identifier in range(5):
        pair = database.retrieve("c", PointRequest(ids=[identifier, identifier + 10], with_vector=True))
        assert bytes(cast(Raw, pair[0].vector)) == bytes(cast(Raw, pair[1].vector))
        assert bytes(cast(Raw, pair[0].payload)) == bytes(cast(Raw, pair[1].payload))
    for using, column in columns.items():
        given = QueryRequest(query=column[2], using=using, limit=3)
        read = body(QueryRequest, query=written[using][2], using=using, limit=3)
        answers = [database.query("c", request).points for request in (given, read)]
        assert answers[0] == answers[1]
        assert answers[0][0].id in (2, 12)


def test_arrays_are_checked(database: Database) -> None:
    def stored(**columns: Any) -> None:
        database.upsert("c", UpsertPoints(batch=Batch(ids=[1], vectors=columns)))  # type: ignore[arg-type]

    with pytest.raises(WrongInput, match="dimension"):
        stored(dense=np.zeros((1, 5), np.float32))
    with pytest.raises(WrongInput, match="NaN"):
        stored(multi=[np.full((2, 2), np.nan, np.float32)])
    with pytest.raises(WrongInput, match="NaN"):
        stored(dense=np.full((1, 4), np.nan, np.float32))
    assert database.retrieve("c", PointRequest(ids=[1])) == []


def test_readers_always_see_columns_of_all_writes(database: Database) -> None:
    """Every point has one of two values at any time, so that both together are always all points."""
    points = [{"id": i, "vector": {}, "payload": {"a": 0}} for i in range(20)]
    database.upsert("c", body(UpsertPoints, points=points))
    either = [{"key": "a", "match": {"value": value}} for value in (0, 1)]
    wrong: list[int] = []
    writing = threading.Event()
    writing.set()

    def read() -> None:
        while writing.is_set():
            found = database.count("c", body(CountRequest, filter={"should": either}))
            if found != len(points):
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(400):
        database.set_payload("c", body(SetPayload, points=[number % 20], payload={"a": number // 20 % 2}))
    writing.clear()
    for reader in readers:
        reader.join()
    assert wrong == []
