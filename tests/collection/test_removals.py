"""What was deleted is never seen again, though the parts of a collection learn of many deleted points at once."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdlite.collection.capture import restored
from qdlite.database import Database
from qdlite.errors import PointNotFound
from qdlite.models.collections import CreateCollection
from qdlite.models.indexes import CreateFieldIndex
from qdlite.models.points import Batch, UpsertPoints
from qdlite.models.query import QueryRequest
from qdlite.models.reads import CountRequest, PointRequest, ScrollRequest
from qdlite.models.updates import PointsSelector, SetPayload
from qdlite.payload.store import PayloadStore
from qdlite.vectors.dense import DenseIndex
from qdlite.vectors.multi import MultiIndex
from tests.collection.test_small_writes import body

NAME = "c"
VECTORS = {"size": 2, "distance": "Dot"}
FEW = st.lists(st.integers(0, 9), min_size=1, max_size=4)
VALUE = st.integers(0, 2)


def made(**fields: Any) -> Database:
    """A database with one collection, of which a field is indexed."""
    database = Database()
    vectors = {"": VECTORS, "multi": {**VECTORS, "multivector_config": {"comparator": "max_sim"}}}
    create = {"vectors": vectors, "sparse_vectors": {"sparse": {}}, **fields}
    database.create_collection(NAME, body(CreateCollection, **create))
    database.create_field_index(NAME, body(CreateFieldIndex, field_name="a", field_schema="integer"))
    return database


def point(identifier: int, value: int) -> dict[str, Any]:
    sparse = {"indices": [identifier % 3], "values": [1 + identifier]}
    vectors = {"": [1 + identifier, 0], "multi": [[identifier, 1]], "sparse": sparse}
    return {"id": identifier, "vector": vectors, "payload": {"a": value}}


def upsert(database: Database, values: dict[int, int]) -> None:
    points = [point(identifier, value) for identifier, value in values.items()]
    database.upsert(NAME, body(UpsertPoints, points=points))


def delete(database: Database, *ids: int) -> None:
    database.delete(NAME, PointsSelector(points=list(ids)))


def with_value(value: int) -> dict[str, Any]:
    return {"must": [{"key": "a", "match": {"value": value}}]}


def values_of(database: Database) -> dict[int, int]:
    """All points, page by page."""
    found: dict[Any, int] = {}
    after = None
    while True:
        page = database.scroll(NAME, body(ScrollRequest, limit=3, offset=after))
        for record in page.points:
            found[record.id] = int(bytes(record.payload).removeprefix(b'{"a":').removesuffix(b"}"))  # type: ignore[arg-type]
        after = page.next_page_offset
        if after is None:
            return found


def look(database: Database, expected: dict[int, int], how: str) -> None:
    if how == "scroll":
        assert values_of(database) == expected
    elif how == "count":
        for value in range(3):
            count = database.count(NAME, body(CountRequest, filter=with_value(value)))
            assert count == list(expected.values()).count(value)
    elif how == "retrieve":
        found = database.retrieve(NAME, body(PointRequest, ids=list(range(10)), with_vector=True))
        assert [record.id for record in found] == sorted(expected)
    elif how == "search":
        for using, query in ("", [1, 0]), ("multi", [[1, 0]]), ("sparse", {"indices": [0, 1, 2], "values": [1] * 3}):
            request = body(QueryRequest, query=query, using=using, limit=20)
            found_ids = [found.id for found in database.query(NAME, request).points]
            assert found_ids == sorted(expected, reverse=True)
    elif how == "filtered search":
        request = body(QueryRequest, query=[1, 0], limit=20, filter=with_value(1))
        found_ids = [found.id for found in database.query(NAME, request).points]
        assert found_ids == sorted((key for key, value in expected.items() if value == 1), reverse=True)
    elif how == "info":
        info = database.get_collection(NAME)
        assert (info.points_count, info.payload_schema["a"].points) == (len(expected), len(expected))
    else:
        capture = database.collection(NAME).capture()
        state = restored(capture.config, capture.version, capture.parts(), capture.indexes)
        assert sorted(state.ids.ids_of(state.ids.sorted_offsets().tolist())) == sorted(expected)
        assert all(index.count == len(expected) for index in state.vectors.values())


LOOKS = ["scroll", "count", "retrieve", "search", "filtered search", "info", "capture"]
STEPS = st.one_of(
    st.tuples(st.just("delete"), FEW),
    st.tuples(st.just("delete"), FEW),
    st.tuples(st.just("upsert"), st.dictionaries(st.integers(0, 9), VALUE, min_size=1, max_size=4)),
    st.tuples(st.just("delete those of"), VALUE),
    st.tuples(st.just("set"), st.tuples(FEW, VALUE)),
    st.tuples(st.just("clear those of"), VALUE),
    st.tuples(st.just("look"), st.sampled_from(LOOKS)),
)


def take(database: Database, expected: dict[int, int], step: str, given: Any) -> None:
    """One step, in the database and in a plain map of points to their values."""
    if step == "delete":
        delete(database, *given)
        for identifier in given:
            expected.pop(identifier, None)
    elif step == "upsert":
        upsert(database, given)
        expected.update(given)
    elif step == "delete those of":
        database.delete(NAME, body(PointsSelector, filter=with_value(given)))
        for identifier in [key for key, value in expected.items() if value == given]:
            del expected[identifier]
    elif step == "set":
        ids, value = given
        request = body(SetPayload, points=ids, payload={"a": value})
        if set(ids) <= expected.keys():
            database.set_payload(NAME, request)
            expected.update(dict.fromkeys(ids, value))
        else:
            with pytest.raises(PointNotFound):
                database.set_payload(NAME, request)
    elif step == "clear those of":
        request = body(SetPayload, filter=with_value(given), payload={"a": 2})
        database.set_payload(NAME, request)
        expected.update({key: 2 for key, value in expected.items() if value == given})
    else:
        look(database, expected, given)


@given(st.lists(STEPS, max_size=25))
@settings(deadline=None)
def test_what_is_deleted_is_gone_for_everybody(steps: list[tuple[str, Any]]) -> None:
    expected: dict[int, int] = {}
    with made() as database:
        for step, content in steps:
            take(database, expected, step, content)
        for how in LOOKS:
            look(database, expected, how)


def test_parts_learn_of_deleted_points_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int]] = []

    def counting(part: type, name: str, at: int) -> None:
        method = getattr(part, name)

        def counted(*given: Any) -> Any:
            told.append((part.__name__, len(given[at])))
            return method(*given)

        monkeypatch.setattr(part, name, counted)

    with made() as database:
        upsert(database, dict.fromkeys(range(300), 0))
        counting(DenseIndex, "remove", 1)
        counting(PayloadStore, "replace", 1)
        for identifier in range(100):
            delete(database, identifier)
        assert told == []
        look(database, dict.fromkeys(range(100, 300), 0), "count")
        assert told == [("DenseIndex", 100), ("PayloadStore", 100)]
        for identifier in range(100, 300):  # nobody looks, but not too many gather
            delete(database, identifier)
        assert told[2:] == [("DenseIndex", 129), ("PayloadStore", 129)]


def test_nobody_looks_while_a_reader_takes_away_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[int] = []
    remove = MultiIndex.remove
    with made() as database:
        upsert(database, {1: 0, 2: 0, 3: 0})

        def look_again() -> None:
            found.append(database.count(NAME, body(CountRequest, filter=with_value(0))))

        other = threading.Thread(target=look_again)

        def remove_and_wait(index: MultiIndex, offsets: Any) -> None:
            other.start()
            other.join(0.05)
            assert other.is_alive()
            remove(index, offsets)

        monkeypatch.setattr(MultiIndex, "remove", remove_and_wait)
        delete(database, 1)
        look_again()
        other.join()
        assert found == [2, 2]


def test_offsets_are_free_when_nothing_is_left_there() -> None:
    with made() as database:
        upsert(database, {1: 0, 2: 1})
        state = database.collection(NAME)._state
        before = state.ids.offset_of(1)
        delete(database, 1)
        assert state.removed == [before]
        upsert(database, {3: 2})
        assert (state.ids.offset_of(3), state.removed) == (before, [])
        look(database, {2: 1, 3: 2}, "count")


def test_ids_of_operations_count_on() -> None:
    with made() as database:
        upsert(database, {1: 0, 2: 1})
        results = [database.delete(NAME, PointsSelector(points=[identifier])) for identifier in (1, 1, 2)]
        assert [result.operation_id for result in results] == [3, 4, 5]
        assert database.collection(NAME).version == 5


def test_graphs_lose_deleted_points_without_being_asked() -> None:
    config = {"vectors": {"size": 64, "distance": "Dot"}, "optimizers_config": {"indexing_threshold": 10}}
    with Database() as database:
        database.create_collection(NAME, body(CreateCollection, **config))
        rows: Any = {"": np.random.default_rng(0).standard_normal((400, 64), np.float32)}
        database.upsert(NAME, UpsertPoints(batch=Batch(ids=list(range(400)), vectors=rows)))
        assert database.wait_until_indexed(30)
        delete(database, 5)
        assert database.collection(NAME).has_work
        assert database.wait_until_indexed(30)
        index: Any = database.collection(NAME)._state.vectors[""]
        assert (index.count, index.indexed_count, index._graph.dying) == (399, 399, 0)


def test_small_collections_need_no_thread_after_deleting() -> None:
    with made() as database:
        upsert(database, {1: 0, 2: 1})
        delete(database, 1)
        assert not database.collection(NAME).has_work


def test_readers_see_all_of_a_deletion_or_nothing_of_it() -> None:
    """Points come and go in pairs with equal values, while others read."""
    pairs = [(identifier, identifier + 1) for identifier in range(0, 40, 2)]
    wrong: list[Any] = []
    writing = threading.Event()
    writing.set()
    request = body(QueryRequest, query=[1, 0], limit=50, params={"exact": True})
    with made() as database:
        upsert(database, dict.fromkeys(range(40), 1))

        def read() -> None:
            while writing.is_set():
                counts = [
                    database.count(NAME, body(CountRequest, filter=with_value(1))),
                    database.count(NAME, body(CountRequest)),
                    len(database.query(NAME, request).points),
                    len(database.scroll(NAME, body(ScrollRequest, limit=100)).points),
                ]
                if any(count % 2 for count in counts):
                    wrong.append(counts)

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        try:
            for number in range(150):
                for pair in (pairs[number % 20], pairs[(number * 7 + 3) % 20]):
                    delete(database, *pair)
                upsert(database, dict.fromkeys(pairs[(number * 3) % 20], 1))
        finally:
            writing.clear()
            for reader in readers:
                reader.join()
    assert wrong == []
