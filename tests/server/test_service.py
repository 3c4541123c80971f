"""What does the server say about itself?"""

from __future__ import annotations

import re
import sys
from typing import Any

import httpx
import pytest

from qdlite_server.versions import SERVER
from tests.faces import Face


def result(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()["result"]


def test_root_has_three_keys(http: httpx.Client) -> None:
    response = http.get("/")
    body = response.json()
    assert list(body) == ["title", "version", "commit"]
    assert body["title"] == "qdrant - vector search engine"
    assert body["version"] == "1.19.0"
    assert re.fullmatch("[0-9a-f]{40}", body["commit"])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/healthz", "healthz check passed"),
        ("/livez", "healthz check passed"),
        ("/readyz", "all shards are ready"),
    ],
)
def test_health(http: httpx.Client, path: str, text: str) -> None:
    response = http.get(path)
    assert (response.status_code, response.text) == (200, text)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


def test_the_header_tells_the_program(http: httpx.Client, face: Face) -> None:
    if face.name == "served":
        assert http.get("/").headers["server"] == SERVER


def test_a_single_node(http: httpx.Client) -> None:
    http.put("/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}, "shard_number": 2})
    assert result(http.get("/cluster")) == {"status": "disabled"}
    cluster = result(http.get("/collections/c/cluster"))
    assert cluster["shard_count"] == 2
    assert cluster["local_shards"][0] == {"shard_id": 0, "points_count": 0, "state": "Active"}
    assert result(http.get("/collections/c/shards")) == {}
    for method, path, body in [
        ("POST", "/cluster/recover", {}),
        ("DELETE", "/cluster/peer/1", {}),
        ("POST", "/collections/c/cluster", {"drop_replica": {"shard_id": 0, "peer_id": 1}}),
        ("PUT", "/collections/c/shards", {"shard_key": "a", "shards_number": 1, "any": 1}),
        ("PUT", "/collections/none/shards", {"shard_key": 1}),
        ("POST", "/collections/c/shards/delete", {"shard_key": "a"}),
    ]:
        response = http.request(method, path, json=body)
        assert response.status_code == 405
        assert response.json()["status"]["error"] == "Qdrant is running in standalone mode"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "cluster", {}),
        ("POST", "cluster", {"drop_sharding_key": {}}),
        ("PUT", "shards", {}),
        ("PUT", "shards", {"shard_key": 1.5}),
        ("PUT", "shards", {"shard_key": "a", "shards_number": 0}),
        ("PUT", "shards", {"shard_key": "a", "initial_state": "asleep"}),
        ("POST", "shards/delete", {"shard_key": None}),
    ],
)
def test_bodies_for_clusters_are_read(http: httpx.Client, method: str, path: str, body: dict[str, Any]) -> None:
    # `lib/collection/src/operations/cluster_ops.rs`; bodies are read before it turns out that there is no cluster.
    response = http.request(method, f"/collections/c/{path}", json=body)
    assert response.status_code == 400
    assert response.json()["status"]["error"].startswith("Format error in JSON body: ")


def test_issues_and_quotas(http: httpx.Client) -> None:
    assert result(http.get("/issues")) == {"issues": []}
    assert result(http.delete("/issues")) is True
    assert result(http.get("/quotas"))["config"] == {"enabled": False}


@pytest.mark.parametrize(
    ("level", "keys"),
    [
        (0, {"id", "app", "collections", "cluster", "requests", "quota"}),
        (
            1,
            {"id", "app", "collections", "cluster", "requests", "quota", "memory", "hardware", "search_pool"},
        ),
    ],
)
def test_telemetry_keys(http: httpx.Client, level: int, keys: set[str]) -> None:
    assert set(result(http.get("/telemetry", params={"details_level": level}))) == keys


@pytest.mark.parametrize("level", range(6))
def test_telemetry_of_a_collection(http: httpx.Client, level: int) -> None:
    http.put("/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}, "sparse_vectors": {"s": {}}})
    http.put("/collections/c/points", params={"wait": "true"}, json={"points": [{"id": 1, "vector": [1, 2]}]})
    telemetry = result(http.get("/telemetry", params={"details_level": level, "per_collection": "true"}))
    assert telemetry["collections"]["number_of_collections"] == 1
    assert telemetry["app"]["name"] == "qdlite"
    responses = telemetry["requests"]["rest"]["responses"]
    assert responses["PUT /collections/{collection_name}/points"]["200"]["count"] == 1
    by_name = telemetry["requests"]["rest"]["per_collection_responses"]
    assert by_name["c"]["PUT /collections/{collection_name}"]["200"]["count"] == 1
    shown = telemetry["collections"].get("collections")
    expected = {
        0: None,
        1: {"vectors", "optimizers_status", "params"},
        2: {"id", "init_time_ms", "config"},
    }.get(level, {"id", "init_time_ms", "config", "shards", "transfers", "resharding"})
    assert (set(shown[0]) if shown else None) == expected


def test_telemetry_counts_what_is_there(http: httpx.Client) -> None:
    vectors = {"a": {"size": 2, "distance": "Dot"}, "b": {"size": 2, "distance": "Dot"}}
    http.put("/collections/counted", json={"vectors": vectors})
    points = [{"id": 1, "vector": {"a": [1, 2], "b": [1, 2]}, "payload": {"k": 1}}, {"id": 2, "vector": {"a": [1, 2]}}]
    http.put("/collections/counted/points?wait=true", json={"points": points})
    found = result(http.get("/telemetry?details_level=10"))["collections"]["collections"]
    shard = next(entry for entry in found if entry["id"] == "counted")["shards"][0]["local"]
    assert (shard["num_points"], shard["num_vectors"]) == (2, 3)
    assert shard["num_vectors_by_name"] == {"a": 2, "b": 1}
    assert (shard["vectors_size_bytes"], shard["payloads_size_bytes"]) == (3 * 8, len('{"k":1}'))
    assert shard["update_queue"]["op_num"] == 1
    (segment,) = shard["segments"]
    assert (segment["info"]["num_points"], segment["info"]["num_deferred_points"]) == (2, 0)
    assert 'collection_vectors{collection="counted",vector="b"} 1' in http.get("/metrics").text


def test_metrics(http: httpx.Client) -> None:
    http.put("/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}})
    http.get("/collections/nothing")
    text = http.get("/metrics").text
    assert 'app_info{name="qdrant",version="1.19.0"} 1' in text
    assert 'collection_points{id="c"} 0' in text
    labels = 'method="GET",endpoint="/collections/{collection_name}",status="404"'
    assert f"rest_responses_total{{{labels}}} 1" in text
    assert 'collection="' not in "".join(re.findall("rest_.*", text))
    assert "collection_active_replicas_min 1\n" in text
    assert 'collection_update_queue_deferred_points{id="c"} 0' in text
    assert f'rest_responses_total{{{labels},collection="nothing"}} 1' in http.get("/metrics?per_collection=true").text
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) \S+ .+|[a-z_]+(\{.*\})? [0-9.e+-]+", line), line


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_metrics_of_the_process(http: httpx.Client) -> None:
    found = dict(re.findall(r"^((?:process|system)_\w+) (\d+)$", http.get("/metrics").text, re.MULTILINE))
    assert int(found["process_threads"]) >= 1
    assert 0 < int(found["process_open_fds"]) <= int(found["process_max_fds"])
    assert 0 < int(found["process_open_mmaps"]) <= int(found["system_max_mmaps"])
    assert int(found["process_minor_page_faults_total"]) > 0 <= int(found["process_major_page_faults_total"])


def test_optimizations(http: httpx.Client) -> None:
    http.put("/collections/c", json={})
    plain = result(http.get("/collections/c/optimizations"))
    assert set(plain) == {"summary", "running"}
    full = result(http.get("/collections/c/optimizations", params={"with": "queued, completed,idle_segments"}))
    assert set(full) == {"summary", "running", "queued", "completed", "idle_segments"}
    bad = http.get("/collections/c/optimizations?with=speed")
    assert bad.status_code == 400
    assert bad.json()["status"]["error"] == "Wrong input: Unknown field in 'with' parameter: speed"


def test_what_is_missing_is_named(http: httpx.Client) -> None:
    response = http.get("/stacktrace")
    assert response.status_code == 501
    reason = "they are for debugging Qdrant's own threads"
    assert response.json()["status"]["error"] == f"Not supported by qdlite: stack traces ({reason})"
