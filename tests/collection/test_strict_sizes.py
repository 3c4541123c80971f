"""Strict mode refuses vectors that are too large, and updates of a collection that is full.

Texts and rules: `lib/collection/src/operations/verification/update.rs` of Qdrant's source.
"""

from __future__ import annotations

import time

import pytest

from qdlite.collection.limits import memory
from qdlite.payload.store import RELEASE_SECONDS
from tests.collection.strict import (
    NAME,
    POINTS,
    Make,
    point,
)


def test_multivectors(make: Make) -> None:
    strict = make(multivector_config={"multi": {"max_vectors": 2}, "other": {"max_vectors": 1}, "": {}})
    text = "Bad request: Multivector 'multi' has a limit of 2 vectors, but 3 were provided!"
    small, large = {"multi": [[1, 2]] * 2}, {"multi": [[1, 2]] * 3}
    strict.call("upsert", points=[point(1, vector=small)])
    assert strict.refusal("upsert", points=[point(1), point(2, vector=large)]) == text
    columns = {name: [vector] for name, vector in large.items()}
    assert strict.refusal("upsert", batch={"ids": [1], "vectors": columns}) == text
    strict.call("update_vectors", points=[{"id": 1, "vector": small}])
    assert strict.refusal("update_vectors", points=[{"id": 1, "vector": large}]) == text


def test_sparse_vectors(make: Make) -> None:
    strict = make(sparse_config={"sparse": {"max_length": 2}, "": {"max_length": 1}})
    text = "Bad request: Sparse vector 'sparse' has a limit of 2 indices, but 3 were provided!"
    small = {"sparse": {"indices": [1, 2], "values": [1, 2]}}
    large = {"sparse": {"indices": [1, 2, 3], "values": [1, 2, 3]}}
    strict.call("upsert", points=[point(1, vector=small)])
    assert strict.refusal("upsert", points=[point(1, vector=large)]) == text
    columns = {name: [vector] for name, vector in large.items()}
    assert strict.refusal("upsert", batch={"ids": [1], "vectors": columns}) == text
    assert strict.refusal("update_vectors", points=[{"id": 1, "vector": large}]) == text


def test_points_count(make: Make) -> None:
    strict = make(max_points_count=POINTS + 1)
    strict.call("upsert", points=[point(POINTS)])
    text = f"Bad request: Max points count limit of {POINTS + 1} reached!"
    assert strict.refusal("upsert", points=[point(POINTS + 1)]) == text
    assert strict.refusal("update_vectors", points=[{"id": 1, "vector": [1, 2]}]) == text
    strict.call("set_payload", payload={"a": 1}, points=[1])
    strict.call("delete", points=[1, 2])
    strict.call("upsert", points=[point(1)])


@pytest.mark.parametrize(
    ("limit", "megabytes"), [(1, "0.0000009536743"), (240, "0.00022888184"), (320, "0.00030517578"), (321, None)]
)
def test_size_of_vectors(make: Make, limit: int, megabytes: str | None) -> None:
    # Ten points with 2 * 4 bytes dense and 2 * (4 + 4) sparse; five of them with 2 * 2 * 4 in sub-vectors: 320.
    strict = make()
    strict.call("delete_vectors", vector=["multi"], points=list(range(5)))
    strict.limit(max_collection_vector_size_bytes=limit)
    if megabytes is None:
        strict.call("upsert", points=[point(POINTS)])
        megabytes = "0.00030612946"
    text = f"Bad request: Max vector storage size limit of {megabytes}MB reached!"
    assert strict.refusal("upsert", points=[point(1)]) == text
    assert strict.refusal("update_vectors", points=[{"id": 1, "vector": [1, 2]}]) == text
    strict.call("delete", points=[1])


@pytest.mark.parametrize(("limit", "megabytes"), [(20, "0.000019073486"), (5 * 1024 * 1024, "5"), (1536 * 1024, "1.5")])
def test_size_of_payloads(make: Make, limit: int, megabytes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = make(max_collection_payload_size_bytes=limit)
    if limit > 1000:
        strict.call("set_payload", payload={"a": "x" * limit}, points=[1])
    text = f"Bad request: Max payload storage size limit of {megabytes}MB reached!"
    assert strict.refusal("upsert", points=[point(1)]) == text
    assert strict.refusal("update_vectors", points=[{"id": 1, "vector": [1, 2]}]) == text
    assert strict.refusal("set_payload", payload={"a": 1}, points=[1]) == text
    assert strict.refusal("overwrite_payload", payload={}, points=[1]) == text
    strict.call("clear_payload", points=list(range(POINTS)))
    assert strict.refusal("set_payload", payload={"a": 1}, points=[1]) == text
    later = time.monotonic() + RELEASE_SECONDS + 1
    monkeypatch.setattr("qdlite.collection.limits.sizes.time.monotonic", lambda: later)
    strict.call("set_payload", payload={"a": 1}, points=[1])


def test_replaced_payloads_count_until_they_are_released(make: Make) -> None:
    """Each of ten small payloads takes a block of 128 bytes, each replaced one keeps it for a few seconds."""
    strict = make(max_collection_payload_size_bytes=128 * 15)
    for _ in range(5):
        strict.call("overwrite_payload", payload={"a": 1}, points=[1])
    assert "Max payload storage size" in strict.refusal("upsert", points=[point(1)])


def test_number_of_payload_indexes(make: Make) -> None:
    strict = make(max_payload_index_count=1)
    strict.call("create_field_index", field_name="n", field_schema="integer")
    text = (
        "Bad request: Collection already has the maximum number of payload indices (1). "
        "Help: Please delete an existing index before creating a new one."
    )
    assert strict.refusal("create_field_index", field_name="word", field_schema="keyword") == text
    assert strict.refusal("create_field_index", field_name="n", field_schema="integer") == text
    strict.database.delete_field_index(NAME, "n")
    strict.call("create_field_index", field_name="word", field_schema="keyword")
    strict.limit(max_payload_index_count=0)
    assert "maximum number of payload indices (0)" in strict.refusal("create_field_index", field_name="x")


def test_resident_memory(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = make(max_resident_memory_percent=50)
    monkeypatch.setattr(memory, "resident_percent", lambda: 49)
    strict.call("upsert", points=[point(1)])
    monkeypatch.setattr(memory, "resident_percent", lambda: 50)
    text = (
        "Bad request: Resident memory usage is at 50% of total memory, exceeding the configured limit of 50%. Help: "
        "Reduce memory usage (e.g. delete points or drop collections), or raise `max_resident_memory_percent` in the "
        "strict mode config of this collection."
    )
    assert strict.refusal("upsert", points=[point(1)]) == text
    assert strict.refusal("set_payload", payload={"a": 1}, points=[1]) == text
    assert strict.refusal("create_field_index", field_name="n", field_schema="integer") == text
    strict.call("delete", points=[1])
    strict.call("count")
    monkeypatch.setattr(memory, "resident_percent", lambda: None)
    strict.call("upsert", points=[point(1)])


def test_measuring_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    percent = memory.resident_percent()
    assert percent is None or 0 <= percent <= 100
    monkeypatch.setattr(memory, "_STATM", "/nowhere")
    assert memory.resident_percent() is None
