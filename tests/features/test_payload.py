"""Feature: payload is set, overwritten, trimmed and cleared."""

from __future__ import annotations

from typing import Any

import pytest
from qdrant_client import QdrantClient, models


@pytest.fixture
def client(client: QdrantClient) -> QdrantClient:
    client.create_collection("c", vectors_config={})
    points = [models.PointStruct(id=n, vector={}, payload={"a": n, "b": {"c": [1, 2]}}) for n in (1, 2)]
    client.upsert("c", points, wait=True)
    return client


def payload(client: QdrantClient, point_id: int = 1) -> dict[str, Any] | None:
    return client.retrieve("c", [point_id])[0].payload


def test_set_merges(client: QdrantClient) -> None:
    client.set_payload("c", {"new": True, "a": None}, points=[1], wait=True)
    assert payload(client) == {"b": {"c": [1, 2]}, "new": True}
    assert payload(client, 2) == {"a": 2, "b": {"c": [1, 2]}}


def test_set_below_a_key(client: QdrantClient) -> None:
    client.set_payload("c", {"d": 5}, points=[1], key="b", wait=True)
    assert payload(client) == {"a": 1, "b": {"c": [1, 2], "d": 5}}


def test_set_by_filter(client: QdrantClient) -> None:
    rule = models.Filter(must=[models.FieldCondition(key="a", match=models.MatchValue(value=2))])
    client.set_payload("c", {"hit": 1}, points=rule, wait=True)
    assert "hit" not in (payload(client) or {})
    assert "hit" in (payload(client, 2) or {})


def test_overwrite_replaces(client: QdrantClient) -> None:
    client.overwrite_payload("c", {"only": None}, points=[1], wait=True)
    assert payload(client) == {"only": None}


def test_delete_keys(client: QdrantClient) -> None:
    client.delete_payload("c", keys=["a", "b.c"], points=[1, 2], wait=True)
    assert payload(client) == payload(client, 2) == {"b": {}}


def test_clear(client: QdrantClient) -> None:
    client.clear_payload("c", points_selector=models.PointIdsList(points=[1]), wait=True)
    assert payload(client) == {}
