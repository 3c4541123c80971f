"""Feature: several operations travel in one request, and a refused request changes nothing."""

from __future__ import annotations

import json

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse


@pytest.fixture
def client(client: QdrantClient) -> QdrantClient:
    client.create_collection("c", vectors_config=models.VectorParams(size=1, distance=models.Distance.DOT))
    client.upsert("c", [models.PointStruct(id=1, vector=[1.0], payload={"a": 1})], wait=True)
    return client


def test_operations_run_in_order(client: QdrantClient) -> None:
    results = client.batch_update_points(
        "c",
        [
            models.UpsertOperation(upsert=models.PointsList(points=[models.PointStruct(id=2, vector=[2.0])])),
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"b": 2}, points=[1, 2])),
            models.DeleteOperation(delete=models.PointIdsList(points=[1])),
        ],
        wait=True,
    )
    assert [result.status for result in results] == [models.UpdateStatus.COMPLETED] * 3
    assert [(record.id, record.payload) for record in client.scroll("c")[0]] == [(2, {"b": 2})]


BAD_PATH = {"must": {"key": "a b", "match": {"value": 1}}}


@pytest.mark.parametrize(
    "malformed",
    [
        {"set_payload": {"payload": {"a": 2}, "filter": BAD_PATH}},
        {"overwrite_payload": {"payload": {"a": 2}, "filter": {"should": [{"is_empty": {"key": "a b"}}]}}},
        {"set_payload": {"payload": {"a": 2}, "points": [2], "key": "a b"}},
        {"delete_payload": {"keys": ["a", "a b"], "points": [2]}},
        {"clear_payload": {"filter": {"must": {"key": "a", "range": {"gt": "yesterday"}}}}},
        {"delete": {"filter": {"must_not": [{"nested": {"key": "a", "filter": BAD_PATH}}]}}},
        {"delete": {"filter": {"must_not": [{"nested": {"key": "a b", "filter": {}}}]}}},
        {"delete_vectors": {"vector": [""], "filter": {"must": [{"must": BAD_PATH}]}}},
        {"upsert": {"points": [], "update_filter": {"min_should": {"conditions": [BAD_PATH], "min_count": 1}}}},
        {"update_vectors": {"points": [{"id": 2, "vector": [1]}], "update_filter": BAD_PATH}},
    ],
)
def test_a_malformed_operation_stops_those_before_it(http: httpx.Client, malformed: dict[str, object]) -> None:
    stops_those_before_it(http, json.dumps(malformed))


@pytest.mark.parametrize(
    "malformed",
    [
        '{"upsert": {"points": [{"id": 3, "vector": [3], "payload": {"a": 1e400}}]}}',
        '{"upsert": {"batch": {"ids": [3], "vectors": [[3]], "payloads": [{"a": 1e400}]}}}',
        '{"set_payload": {"points": [2], "payload": {"a": 1e400}}}',
        '{"upsert": {"batch": {"ids": [3], "vectors": [[3]], "payloads": [5]}}}',
    ],
)
def test_so_does_a_payload_that_is_none(http: httpx.Client, malformed: str) -> None:
    stops_those_before_it(http, malformed)


def stops_those_before_it(http: httpx.Client, malformed: str) -> None:
    http.put("/collections/c", json={"vectors": {"size": 1, "distance": "Dot"}})
    points = [{"id": n, "vector": [n], "payload": {"a": n}} for n in (1, 2)]
    http.put("/collections/c/points?wait=true", json={"points": points})
    operations = f'{{"operations": [{{"delete": {{"points": [1]}}}}, {malformed}]}}'
    answer = http.post("/collections/c/points/batch", content=operations)
    assert (answer.status_code, answer.json()["status"]["error"][:20]) == (400, "Format error in JSON")
    assert http.post("/collections/c/points/count", json={}).json()["result"]["count"] == 2


def test_ids_leave_the_filter_of_a_selector_unread(http: httpx.Client) -> None:
    http.put("/collections/c", json={})
    operations = {"operations": [{"delete": {"points": [1], "filter": BAD_PATH}}]}
    assert http.post("/collections/c/points/batch", json=operations).status_code == 200


def test_an_upsert_is_whole_or_not_at_all(client: QdrantClient) -> None:
    points = [models.PointStruct(id=1, vector=[9.0]), models.PointStruct(id=2, vector=[1.0, 2.0])]
    with pytest.raises(UnexpectedResponse, match="expected dim: 1, got 2"):
        client.upsert("c", points, wait=True)
    (record,) = client.scroll("c", with_vectors=True)[0]
    assert (record.id, record.vector, record.payload) == (1, [1.0], {"a": 1})


@pytest.mark.parametrize("payload", [5, "x", [], True])
def test_a_column_of_what_is_no_payload(http: httpx.Client, payload: object) -> None:
    http.put("/collections/c", json={})
    batch = {"ids": [1], "vectors": {}, "payloads": [payload]}
    answer = http.put("/collections/c/points", json={"batch": batch})
    assert (answer.status_code, "expected a map as payload" in answer.json()["status"]["error"]) == (400, True)


def test_conditional_upsert(http: httpx.Client) -> None:
    http.put("/collections/c", json={})
    first = {"points": [{"id": 1, "vector": {}, "payload": {"v": 1}}]}
    http.put("/collections/c/points?wait=true", json=first)
    both = [{"id": 1, "vector": {}, "payload": {"v": 2}}, {"id": 2, "vector": {}, "payload": {"v": 2}}]
    http.put("/collections/c/points?wait=true", json={"points": both, "update_mode": "insert_only"})
    payloads = [http.get(f"/collections/c/points/{n}").json()["result"]["payload"]["v"] for n in (1, 2)]
    assert payloads == [1, 2]


def test_uploading_in_parallel_batches(client: QdrantClient) -> None:
    client.upload_points("c", (models.PointStruct(id=n, vector=[float(n)]) for n in range(300)), batch_size=32)
    assert client.count("c").count == 300
