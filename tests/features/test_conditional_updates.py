"""Feature: upserts that insert only, update only, or replace what matches a filter; updates of vectors likewise."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from qdrant_client import QdrantClient, models

P = "/collections/c/points"
SENT = {"points": [{"id": 1, "vector": [9, 9], "payload": {"v": 10}}, {"id": 3, "vector": [3, 3]}]}
COLUMNS = {"batch": {"ids": [1, 3], "vectors": [[9, 9], [3, 3]], "payloads": [{"v": 10}, None]}}
OLD: Any = ([1.0, 1.0], {"v": 1})
NEW: Any = ([9.0, 9.0], {"v": 10})
SECOND: Any = ([2.0, 2.0], {"v": 2})
THIRD: Any = ([3.0, 3.0], {})


def matching(value: int) -> dict[str, Any]:
    return {"update_filter": {"must": [{"key": "v", "match": {"value": value}}]}}


CASES: list[tuple[dict[str, Any], dict[int, Any]]] = [
    ({}, {1: NEW, 2: SECOND, 3: THIRD}),
    ({"update_mode": None, "update_filter": None}, {1: NEW, 2: SECOND, 3: THIRD}),
    ({"update_mode": "upsert"}, {1: NEW, 2: SECOND, 3: THIRD}),
    ({"update_mode": "insert_only"}, {1: OLD, 2: SECOND, 3: THIRD}),
    ({"update_mode": "insert_only", **matching(1)}, {1: OLD, 2: SECOND, 3: THIRD}),
    ({"update_mode": "insert_only", **matching(99)}, {1: OLD, 2: SECOND, 3: THIRD}),
    ({"update_mode": "update_only"}, {1: NEW, 2: SECOND}),
    ({"update_mode": "update_only", **matching(1)}, {1: NEW, 2: SECOND}),
    ({"update_mode": "update_only", **matching(99)}, {1: OLD, 2: SECOND}),
    (matching(1), {1: NEW, 2: SECOND, 3: THIRD}),
    ({"update_mode": "upsert", **matching(99)}, {1: OLD, 2: SECOND, 3: THIRD}),
    ({"update_filter": {"must": {"has_id": [1]}}}, {1: NEW, 2: SECOND, 3: THIRD}),
    ({"update_filter": {}}, {1: NEW, 2: SECOND, 3: THIRD}),
]


@pytest.fixture
def http(http: httpx.Client) -> httpx.Client:
    http.put("/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}})
    points = [{"id": 1, "vector": [1, 1], "payload": {"v": 1}}, {"id": 2, "vector": [2, 2], "payload": {"v": 2}}]
    http.put(P, params={"wait": "true"}, json={"points": points})
    return http


def stored(http: httpx.Client) -> dict[int, Any]:
    records = http.post(f"{P}/scroll", json={"with_vector": True}).json()["result"]["points"]
    return {record["id"]: (record["vector"], record["payload"]) for record in records}


@pytest.mark.parametrize(("condition", "expected"), CASES)
@pytest.mark.parametrize("sent", [SENT, COLUMNS], ids=["points", "batch"])
def test_upserts(http: httpx.Client, sent: Any, condition: Any, expected: Any) -> None:
    result = http.put(P, params={"wait": "true"}, json={**sent, **condition}).json()["result"]
    assert result["status"] == "completed"
    assert stored(http) == expected


@pytest.mark.parametrize(("condition", "expected"), CASES)
def test_upserts_within_a_batch(http: httpx.Client, condition: Any, expected: Any) -> None:
    operations = [{"upsert": {**SENT, **condition}}]
    http.post(f"{P}/batch", params={"wait": "true"}, json={"operations": operations})
    assert stored(http) == expected


@pytest.mark.parametrize("mode", ["insert_only", "update_only", "upsert"])
def test_sizes_are_checked_for_what_is_left_out_too(http: httpx.Client, mode: str) -> None:
    before = stored(http)
    points = [{"id": 1, "vector": [1]}, {"id": 9, "vector": [1, 2, 3]}]
    response = http.put(P, json={"points": points, "update_mode": mode})
    assert response.status_code == 400
    assert response.json()["status"]["error"] == "Wrong input: Vector dimension error: expected dim: 2, got 1"
    assert stored(http) == before


def test_an_unknown_mode(http: httpx.Client) -> None:
    response = http.put(P, json={**SENT, "update_mode": "replace"})
    assert response.status_code == 400
    assert response.json()["status"]["error"].startswith("Format error in JSON body: ")


def test_vectors_of_points_that_match(http: httpx.Client) -> None:
    body = {"points": [{"id": 1, "vector": [7, 7]}, {"id": 2, "vector": [8, 8]}], **matching(2)}
    assert http.put(f"{P}/vectors", params={"wait": "true"}, json=body).json()["result"]["status"] == "completed"
    assert stored(http) == {1: OLD, 2: ([8.0, 8.0], {"v": 2})}


def test_the_stored_point_counts_not_the_new_one(http: httpx.Client) -> None:
    """As a version counter for optimistic locking is used."""
    for version, expected in ((5, 1), (1, 2), (1, 2)):
        points = [{"id": 1, "vector": [4, 4], "payload": {"v": 2}}]
        http.put(P, params={"wait": "true"}, json={"points": points, **matching(version)})
        assert stored(http)[1][1] == {"v": expected}


def test_through_the_client(http: httpx.Client, client: QdrantClient) -> None:
    point = models.PointStruct(id=1, vector=[9.0, 9.0], payload={"v": 10})
    client.upsert("c", [point], update_mode=models.UpdateMode.INSERT_ONLY)
    assert stored(http)[1] == OLD
    rule = models.Filter(must=models.FieldCondition(key="v", match=models.MatchValue(value=1)))
    client.upsert("c", [point], update_filter=rule)
    assert stored(http)[1] == NEW
