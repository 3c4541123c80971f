"""Large writes prepare what they can outside of the lock, and take many values at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec import Raw

from qdlite.collection.collection import Collection
from qdlite.database import Database
from qdlite.errors import UnknownVector, WrongDimension
from qdlite.models.collections import VectorNameConfig
from qdlite.models.points import Batch, UpsertPoints
from qdlite.models.reads import PointRequest
from qdlite.models.vectors import VectorObject
from qdlite.payload.column import Column
from qdlite.payload.path import parse
from qdlite.vectors import kernels
from tests.collection.test_small_writes import body, count, database

__all__ = ["database"]

DOCUMENT = {"text": "something", "model": "any"}


class Embedder:
    """Gives every document the same vector, and lets something happen before it does so for the first time."""

    def __init__(self, meanwhile: Any) -> None:
        self._meanwhile = meanwhile
        self.calls = 0

    def __call__(self, item: VectorObject) -> Any:
        self.calls += 1
        if self.calls == 1:
            self._meanwhile()
        return np.ones(4, np.float32)


def upsert(collection: Collection, embedder: Embedder) -> None:
    points = [{"id": 1, "vector": {"dense": DOCUMENT}, "payload": {"a": 1}}]
    collection.update("upsert", body(UpsertPoints, points=points), embedder)


def test_points_are_prepared_before_the_lock_is_taken(database: Database) -> None:
    collection = database.collection("c")
    embedder = Embedder(lambda: collection.read(lambda view: view.count))  # would wait for ever under the write lock
    upsert(collection, embedder)
    assert embedder.calls == 1
    assert count(database, "a", 1) == 1


def test_points_are_prepared_again_if_the_vectors_changed_meanwhile(database: Database) -> None:
    collection = database.collection("c")
    config = body(VectorNameConfig, dense={"size": 4, "distance": "Cosine"})

    def change() -> None:
        collection.delete_vector_name("dense")
        collection.create_vector_name("dense", config)

    upsert(collection, Embedder(change))
    found = database.retrieve("c", PointRequest(ids=[1], with_vector=True))
    assert bytes(found[0].vector) == b'{"dense":[0.5,0.5,0.5,0.5]}'  # type: ignore[arg-type]

    with pytest.raises(UnknownVector):
        upsert(collection, Embedder(lambda: collection.delete_vector_name("dense")))


def test_batches_with_twice_the_same_id_keep_the_last_one(database: Database) -> None:
    vectors: Any = {"dense": np.arange(12, dtype=np.float32).reshape(3, 4)}
    payloads = [Raw(b'{"a": %d}' % i) for i in range(3)]
    database.upsert("c", UpsertPoints(batch=Batch(ids=[7, 8, 7], vectors=vectors, payloads=payloads)))
    found = database.retrieve("c", PointRequest(ids=[7, 8], with_vector=True))
    assert [bytes(point.vector) for point in found] == [  # type: ignore[arg-type]
        b'{"dense":[8.0,9.0,10.0,11.0]}',
        b'{"dense":[4.0,5.0,6.0,7.0]}',
    ]
    assert [count(database, "a", value) for value in range(3)] == [0, 1, 1]


def test_a_refused_batch_changes_nothing(database: Database) -> None:
    vectors: Any = {"dense": np.ones((2, 4), np.float32), "multi": np.ones((2, 2, 3), np.float32)}
    with pytest.raises(WrongDimension):
        database.upsert("c", UpsertPoints(batch=Batch(ids=[1, 2], vectors=vectors)))
    assert database.retrieve("c", PointRequest(ids=[1, 2])) == []


def test_columns_are_up_to_date_after_a_large_write(database: Database, taken: list[int]) -> None:
    points = [{"id": i, "vector": {}, "payload": {"a": i}} for i in range(600)]
    database.upsert("c", body(UpsertPoints, points=points))
    assert taken[:4] == [250] * 4  # piece by piece, in both columns, so that readers get their turn
    assert 600 - sum(taken) // 2 < 129
    assert (count(database, "a", 0), count(database, "a", 599)) == (1, 1)
    assert sum(taken) == 2 * 600


def test_the_builder_makes_codes_ahead_of_searches(database: Database) -> None:
    if kernels.installed() is None:
        pytest.skip("scans are not compiled")
    config = body(VectorNameConfig, dense={"size": 32, "distance": "Cosine", "hnsw_config": {"m": 0}})
    database.collection("c").create_vector_name("coded", config)
    vectors: Any = {"coded": np.random.default_rng(0).standard_normal((5000, 32), np.float32)}
    database.upsert("c", UpsertPoints(batch=Batch(ids=list(range(5000)), vectors=vectors)))
    index: Any = database.collection("c")._state.vectors["coded"]
    assert database.wait_until_indexed(30)
    assert index._scan.lacking(5000) < 2048


@pytest.mark.parametrize(
    "values",
    [["x", "y", "x"], [1, 2**63 - 1, -(2**63)], [1, 2**63, 5], [1.5, float("inf"), 0.0], [True, False], [1, 1.0]],
)
def test_values_of_one_kind_are_taken_like_others(values: list[Any]) -> None:
    payloads = [{"v": value} for value in values]
    rows = list(range(len(values)))
    at_once, by_row = Column(parse("v")), Column(parse("v"))
    at_once.add([*rows, 9], [*payloads, {}])
    by_row.add([*rows, 9], [*payloads, {"v": None}])  # which makes it look at each value
    facts = [[column.facts(1 << bit, len(rows)).tolist() for bit in range(10)] for column in (at_once, by_row)]
    assert facts[0] == facts[1]
    assert at_once.texts == by_row.texts
    for left, right in zip(at_once.all_entries, by_row.all_entries, strict=True):
        assert left.rows.tolist() == right.rows.tolist()
        assert left.rows.size == 0 or left.values().tolist() == right.values().tolist()
