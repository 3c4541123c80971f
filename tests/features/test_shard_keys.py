"""Feature: shard keys exist in clusters only, and who names one is told so in Qdrant's words."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

PATH = "/collections/c/points"
READS: list[tuple[str, dict[str, Any]]] = [
    ("/points", {"ids": [1]}),
    ("/points/scroll", {}),
    ("/points/count", {}),
    ("/facet", {"key": "a"}),
    ("/points/query", {"query": [1.0]}),
    ("/points/query/groups", {"query": [1.0], "group_by": "a"}),
    ("/points/search/matrix/pairs", {}),
    ("/points/search", {"vector": [1.0], "limit": 1}),
]
WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("PUT", "", {"points": [{"id": 2, "vector": [1.0]}]}),
    ("PUT", "", {"batch": {"ids": [2], "vectors": [[1.0]]}}),
    ("POST", "/delete", {"points": [1]}),
    ("PUT", "/vectors", {"points": [{"id": 1, "vector": [5.0]}]}),
    ("POST", "/vectors/delete", {"points": [1], "vector": [""]}),
    ("POST", "/payload", {"payload": {"b": 1}, "points": [1]}),
    ("PUT", "/payload", {"payload": {"b": 1}, "points": [1]}),
    ("POST", "/payload/delete", {"keys": ["a"], "points": [1]}),
    ("POST", "/payload/clear", {"points": [1]}),
]


@pytest.fixture
def http(http: httpx.Client) -> httpx.Client:
    http.put("/collections/c", json={"vectors": {"size": 1, "distance": "Dot"}})
    http.put("/collections/k", json={"vectors": {"size": 1, "distance": "Dot"}, "sharding_method": "custom"})
    http.put(PATH, params={"wait": "true"}, json={"points": [{"id": 1, "vector": [1.0], "payload": {"a": 1}}]})
    return http


def refused(response: httpx.Response, text: str, status: int = 400) -> None:
    assert (response.status_code, response.json()["status"]["error"]) == (status, text)


@pytest.mark.parametrize(("path", "body"), READS)
@pytest.mark.parametrize("collection", ["c", "k"])
def test_reads(http: httpx.Client, collection: str, path: str, body: dict[str, Any]) -> None:
    url = f"/collections/{collection}{path}"
    refused(http.post(url, json={**body, "shard_key": "x"}), 'Bad request: Shard key "x" not found')
    refused(http.post(url, json={**body, "shard_key": [7, "x"]}), "Bad request: Shard key 7 not found")
    both = {"target": "x", "fallback": 7}
    text = 'Not found: Neither target shard key "x" nor fallback shard key 7 exist'
    refused(http.post(url, json={**body, "shard_key": both}), text, 404)


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_writes(http: httpx.Client, method: str, path: str, body: dict[str, Any]) -> None:
    before = http.get(f"{PATH}/1").json()["result"]
    keyed = http.request(method, f"{PATH}{path}", json={**body, "shard_key": "x"})
    refused(keyed, 'Wrong input: Shard key "x" not found')
    refused(
        http.request(method, f"{PATH}{path}", json={**body, "shard_key": []}), "Wrong input: Empty shard keys selection"
    )
    assert http.get(f"{PATH}/1").json()["result"] == before
    assert http.post(f"{PATH}/count", json={}).json()["result"]["count"] == 1
    unkeyed = http.request(method, f"/collections/k/points{path}", json=body)
    refused(unkeyed, "Wrong input: Shard key not specified")


def test_batches_stop_at_a_shard_key(http: httpx.Client) -> None:
    operations = [
        {"set_payload": {"payload": {"b": 2}, "points": [1]}},
        {"delete": {"points": [1], "shard_key": "x"}},
    ]
    refused(http.post(f"{PATH}/batch", json={"operations": operations}), 'Wrong input: Shard key "x" not found')
    assert http.get(f"{PATH}/1").json()["result"]["payload"] == {"a": 1, "b": 2}


def test_lookups_and_prefetches(http: httpx.Client) -> None:
    elsewhere = {"lookup_from": {"collection": "c", "shard_key": "x"}}
    text = 'Bad request: Shard key "x" not found'
    refused(http.post(f"{PATH}/query", json={"query": 1, **elsewhere}), text)
    refused(http.post(f"{PATH}/query", json={"query": [1.0], "prefetch": {"query": 1, **elsewhere}}), text)
    refused(http.post(f"{PATH}/query/batch", json={"searches": [{"shard_key": "x"}]}), text)


def test_a_collection_sharded_by_key_has_no_shards(http: httpx.Client) -> None:
    cluster = http.get("/collections/k/cluster").json()["result"]
    assert (cluster["shard_count"], cluster["local_shards"]) == (0, [])
    assert http.get("/collections/k/shards").json()["result"] == {"shard_keys": []}
    assert http.get("/collections/c/shards").json()["result"] == {}
    refused(http.put("/collections/k/shards", json={"shard_key": "x"}), "Qdrant is running in standalone mode", 405)


@pytest.mark.parametrize("key", [-1, 2**64, 1.5, [-1], {"target": -1, "fallback": "x"}])
def test_what_is_no_key(http: httpx.Client, key: Any) -> None:
    # `ShardKey` in `lib/segment/src/types.rs`: a text, or an unsigned integer of 64 bits.
    response = http.post(f"{PATH}/count", json={"shard_key": key})
    assert response.status_code == 400
    assert response.json()["status"]["error"].startswith("Format error in JSON body: ")
