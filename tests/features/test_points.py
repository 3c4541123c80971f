"""Feature: points are written, read, listed, counted and deleted."""

from __future__ import annotations

import json
from uuid import UUID

import httpx
import pytest
from qdrant_client import QdrantClient, models

SIMPLE = "0123456789abcdef0123456789abcdef"
UUID_ID = str(UUID(SIMPLE))


@pytest.fixture
def client(client: QdrantClient) -> QdrantClient:
    client.create_collection("c", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
    return client


def points(*ids: int | str) -> list[models.PointStruct]:
    return [
        models.PointStruct(id=id_, vector=[float(place), 1.0], payload={"n": place}) for place, id_ in enumerate(ids)
    ]


def test_write_and_read(client: QdrantClient) -> None:
    result = client.upsert("c", points(3, 1, 2), wait=True)
    assert result.status == models.UpdateStatus.COMPLETED
    records = client.retrieve("c", [2, 9, 3, 2], with_vectors=True)
    assert [(record.id, record.payload, record.vector) for record in records] == [
        (2, {"n": 2}, [2.0, 1.0]),
        (3, {"n": 0}, [0.0, 1.0]),
    ]


def test_without_waiting_the_write_is_acknowledged(client: QdrantClient) -> None:
    assert client.upsert("c", points(1), wait=False).status == models.UpdateStatus.ACKNOWLEDGED
    assert client.count("c").count == 1


def test_an_upsert_replaces_the_whole_point(client: QdrantClient) -> None:
    client.upsert("c", points(1), wait=True)
    client.upsert("c", [models.PointStruct(id=1, vector=[5.0, 5.0])], wait=True)
    (record,) = client.retrieve("c", [1], with_vectors=True)
    assert (record.payload, record.vector) == ({}, [5.0, 5.0])


def test_points_in_columns(client: QdrantClient) -> None:
    batch = models.Batch(ids=[1, 2], vectors=[[1.0, 2.0], [3.0, 4.0]], payloads=[{"a": 1}, {"a": 2}])
    client.upsert("c", batch, wait=True)
    assert [record.payload for record in client.retrieve("c", [1, 2])] == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("form", [SIMPLE, UUID_ID, UUID_ID.upper(), f"urn:uuid:{UUID_ID}", f"{{{UUID_ID}}}"])
def test_every_form_of_a_uuid_is_one_id(client: QdrantClient, form: str) -> None:
    client.upsert("c", [models.PointStruct(id=form, vector=[1.0, 2.0])], wait=True)
    assert [record.id for record in client.retrieve("c", [SIMPLE])] == [UUID_ID]


def test_the_largest_number_is_an_id(client: QdrantClient) -> None:
    client.upsert("c", points(2**64 - 1), wait=True)
    assert client.retrieve("c", [2**64 - 1])[0].id == 2**64 - 1


def test_scroll_goes_through_all_ids_in_order(client: QdrantClient) -> None:
    ids: list[int | str] = [7, 3, UUID_ID, 2**63, 1]
    client.upsert("c", points(*ids), wait=True)
    seen: list[int | str | UUID] = []
    offset: models.ExtendedPointId | None = None
    while True:
        records, offset = client.scroll("c", limit=2, offset=offset)
        seen += [record.id for record in records]
        if offset is None:
            break
    assert seen == [1, 3, 7, 2**63, UUID_ID]


def test_scroll_ordered_by_a_field(client: QdrantClient) -> None:
    client.upsert("c", points(5, 4, 3, 2), wait=True)
    client.create_payload_index("c", "n", models.PayloadSchemaType.INTEGER, wait=True)
    order = models.OrderBy(key="n", direction=models.Direction.DESC, start_from=2)
    records, offset = client.scroll("c", order_by=order, limit=2)
    assert ([record.id for record in records], offset) == ([3, 4], None)


def test_delete_by_id_and_by_filter(client: QdrantClient) -> None:
    client.upsert("c", points(1, 2, 3, 4), wait=True)
    client.delete("c", [1, 99], wait=True)
    rule = models.Filter(must=[models.FieldCondition(key="n", range=models.Range(gte=2))])
    client.delete("c", models.FilterSelector(filter=rule), wait=True)
    assert [record.id for record in client.scroll("c")[0]] == [2]


def test_payload_comes_back_as_it_was(http: httpx.Client) -> None:
    http.put("/collections/c", json={})
    payload = (
        '{"z":1,"a":{"big":123456789012345678901234567890,"float":10.0,"tiny":1e-300},'
        '"text":"snow ☃ \\u0000 \\"quoted\\"","list":[null,[],{},true]}'
    )
    body = f'{{"points":[{{"id":1,"vector":{{}},"payload":{payload}}}]}}'
    assert http.put("/collections/c/points?wait=true", content=body.encode()).status_code == 200
    shown = http.get("/collections/c/points/1").json()["result"]["payload"]
    assert shown == json.loads(payload)
    assert list(shown) == ["z", "a", "text", "list"]


def test_vectors_come_back_as_shortest_float32(http: httpx.Client) -> None:
    http.put("/collections/c", json={"vectors": {"size": 3, "distance": "Dot"}})
    body = {"points": [{"id": 1, "vector": [0.1, 1.4063001, 1e-7]}]}
    http.put("/collections/c/points?wait=true", json=body)
    assert '"vector":[0.1,1.4063001,' in http.get("/collections/c/points/1").text


def test_parts_of_payload_and_vectors(client: QdrantClient) -> None:
    payload = {"a": {"b": 1, "c": 2}, "d": 3}
    client.upsert("c", [models.PointStruct(id=1, vector=[1.0, 2.0], payload=payload)], wait=True)
    included = client.retrieve("c", [1], with_payload=["a.b"])[0].payload
    excluded = client.retrieve("c", [1], with_payload=models.PayloadSelectorExclude(exclude=["a"]))[0].payload
    assert (included, excluded) == ({"a": {"b": 1}}, {"d": 3})
    assert client.retrieve("c", [1], with_payload=False)[0].payload is None


def test_vectors_are_updated_and_deleted_by_name(client: QdrantClient) -> None:
    vectors = {name: models.VectorParams(size=1, distance=models.Distance.DOT) for name in "ab"}
    client.create_collection("named", vectors_config=vectors)
    client.upsert("named", [models.PointStruct(id=1, vector={"a": [1.0]}, payload={"x": 1})], wait=True)
    client.update_vectors("named", [models.PointVectors(id=1, vector={"b": [2.0]})], wait=True)
    assert client.retrieve("named", [1], with_vectors=True)[0].vector == {"a": [1.0], "b": [2.0]}
    client.delete_vectors("named", ["a"], [1], wait=True)
    (record,) = client.retrieve("named", [1], with_vectors=True)
    assert (record.vector, record.payload) == ({"b": [2.0]}, {"x": 1})


def test_vectors_is_another_name_of_vector(http: httpx.Client) -> None:
    http.put("/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}})
    for number, path in enumerate(("/collections/c/points", "/collections/c/points/vectors"), 3):
        body = {"points": [{"id": 1, "vectors": [number, 1]}]}
        assert http.put(path, params={"wait": "true"}, json=body).status_code == 200
    assert http.get("/collections/c/points/1").json()["result"]["vector"] == [4.0, 1.0]
