"""With `prevent_unoptimized` points beyond the indexing threshold stay unseen until the graph has caught up."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from qdlite.database import Database
from qdlite.models.collections import CreateCollection, UpdateCollection
from qdlite.models.decoding import decode
from qdlite.models.points import UpsertPoints
from qdlite.models.reads import CountRequest, PointRequest
from qdlite.models.updates import SetPayload

SIZE = 64
VISIBLE = 10 * 1024 // (4 * SIZE) + 1
"""A threshold of 10 KB of float32 vectors, and one more point that makes the graph wanted."""


def body(model: type[Any], **fields: Any) -> Any:
    return decode(json.dumps(fields).encode(), model)


def points(start: int, count: int) -> UpsertPoints:
    rng = np.random.default_rng(start)
    rows = rng.standard_normal((count, SIZE)).tolist()
    made: UpsertPoints = body(
        UpsertPoints, points=[{"id": start + i, "vector": row, "payload": {"n": i}} for i, row in enumerate(rows)]
    )
    return made


def created(database: Database, threads: int | None) -> None:
    optimizers = {"indexing_threshold": 10, "prevent_unoptimized": True, "max_optimization_threads": threads}
    vectors = {"size": SIZE, "distance": "Cosine"}
    database.create_collection("c", body(CreateCollection, vectors=vectors, optimizers_config=optimizers))


def count(database: Database) -> int:
    return database.count("c", CountRequest())


def test_points_beyond_the_threshold_wait_for_the_graph() -> None:
    with Database() as database:
        created(database, threads=0)
        database.upsert("c", points(0, 150), wait=False)
        database.upsert("c", points(150, 50), wait=False)
        assert count(database) == VISIBLE
        info = database.get_collection("c")
        assert (info.status, info.points_count) == ("grey", 200)
        assert (info.update_queue.length, info.update_queue.deferred_points) == (2, 200 - VISIBLE)

        database.set_payload("c", body(SetPayload, payload={"n": "later"}, points=[199]), wait=False)
        assert database.retrieve("c", PointRequest(ids=[199])) == []

        database.update_collection("c", body(UpdateCollection, optimizers_config={"max_optimization_threads": "auto"}))
        assert database.wait_until_indexed(timeout=60)
        assert count(database) == 200
        assert bytes(database.get_point("c", 199).payload) == b'{"n":"later"}'  # type: ignore[arg-type]
        info = database.get_collection("c")
        assert (info.status, info.update_queue.length) == ("green", 0)


def test_without_the_option_nothing_waits() -> None:
    with Database() as database:
        vectors = {"size": SIZE, "distance": "Cosine"}
        optimizers = {"indexing_threshold": 10, "max_optimization_threads": 0}
        database.create_collection("c", body(CreateCollection, vectors=vectors, optimizers_config=optimizers))
        database.upsert("c", points(0, 150))
        time.sleep(0.1)
        info = database.get_collection("c")
        assert (count(database), info.status, info.indexed_vectors_count) == (150, "grey", 0)


def test_turning_the_option_off_lets_everything_in() -> None:
    with Database() as database:
        created(database, threads=0)
        database.upsert("c", points(0, 150))
        change = {"prevent_unoptimized": False, "max_optimization_threads": "auto"}
        database.update_collection("c", body(UpdateCollection, optimizers_config=change))
        assert database.wait_until_indexed(timeout=60)
        assert count(database) == 150
