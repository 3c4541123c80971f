"""Feature: limits of the whole node, and reports of what it uses."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from qdlite.collection import limits

UPSERT = {"points": [{"id": 1, "vector": {"d": [1.0]}, "payload": {"a": 1}}]}
CONSUMING: list[tuple[str, str, dict[str, Any]]] = [
    ("PUT", "/points", UPSERT),
    ("PUT", "/points/vectors", {"points": [{"id": 1, "vector": {"d": [2.0]}}]}),
    ("POST", "/points/payload", {"payload": {"b": 1}, "points": [1]}),
    ("PUT", "/points/payload", {"payload": {"b": 1}, "points": [1]}),
    ("POST", "/points/batch", {"operations": [{"upsert": UPSERT}]}),
    ("PUT", "/index", {"field_name": "a", "field_schema": "integer"}),
    ("PUT", "/vectors/v", {"dense": {"size": 1, "distance": "Dot"}}),
]
FREEING: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/points/payload/clear", {"points": [1]}),
    ("POST", "/points/payload/delete", {"keys": ["a"], "points": [1]}),
    ("POST", "/points/vectors/delete", {"points": [1], "vector": ["d"]}),
    ("POST", "/points/delete", {"points": [1]}),
]


@pytest.fixture
def http(http: httpx.Client) -> httpx.Client:
    vectors = {"d": {"size": 1, "distance": "Dot"}}
    http.put("/collections/c", json={"vectors": vectors, "sparse_vectors": {"s": {}}})
    http.put("/collections/c/points", params={"wait": "true"}, json=UPSERT)
    return http


def use(patch: pytest.MonkeyPatch, percent: int | None) -> None:
    patch.setattr(limits, "resident_percent", lambda: percent)


def test_quotas_are_kept_and_shown(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, 12)
    nothing = {"config": {"enabled": False}, "usage": {"resident_memory_percent": 12, "disk_usage_percent": None}}
    assert http.get("/quotas").json()["result"] == nothing
    config = {
        "enabled": True,
        "max_resident_memory_percent": 90,
        "max_disk_usage_percent": 80,
        "release_margin_percent": 0,
    }
    assert http.put("/quotas", json=config).json()["result"] is True
    assert http.get("/quotas").json()["result"]["config"] == config
    assert http.put("/quotas", params={"wait": "true"}, json={}).status_code == 200
    assert http.get("/quotas").json()["result"] == nothing


@pytest.mark.parametrize("name", ["max_resident_memory_percent", "max_disk_usage_percent", "release_margin_percent"])
def test_limits_are_percentages(http: httpx.Client, name: str) -> None:
    assert http.put("/quotas", json={name: 101}).status_code == 422
    assert http.put("/quotas", json={name: -1}).status_code == 400
    assert http.put("/quotas", json={name: 0}).status_code == (200 if name == "release_margin_percent" else 422)


@pytest.mark.parametrize(("method", "path", "body"), CONSUMING)
def test_updates_that_store_are_refused(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: dict[str, Any]
) -> None:
    before = http.get("/collections/c/points/1").json()["result"]
    http.put("/quotas", json={"enabled": True, "max_resident_memory_percent": 50})
    use(monkeypatch, 50)
    response = http.request(method, f"/collections/c{path}", json=body)
    assert response.status_code == 507
    assert response.json()["status"]["error"] == (
        "Insufficient storage: Resident memory usage is at 50% of total memory, exceeding the configured limit of 50%. "
        "Help: Reduce memory usage (e.g. delete points or drop collections), or raise `max_resident_memory_percent` "
        "in the global quota config."
    )
    assert http.get("/collections/c/points/1").json()["result"] == before


@pytest.mark.parametrize(("method", "path", "body"), FREEING)
def test_updates_that_remove_are_not(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: dict[str, Any]
) -> None:
    http.put("/quotas", json={"enabled": True, "max_resident_memory_percent": 50})
    use(monkeypatch, 99)
    assert http.request(method, f"/collections/c{path}", json=body).status_code == 200


def test_a_limit_once_reached_is_released_below_the_margin(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    http.put("/quotas", json={"enabled": True, "max_resident_memory_percent": 50})
    statuses = []
    for used in (49, 50, 49, 45, 44, 49):
        use(monkeypatch, used)
        response = http.put("/collections/c/points", json=UPSERT)
        statuses.append(response.status_code)
        if used == 45:
            told = response.json()["status"]["error"]
            assert "It reached the configured limit of 50% and has to fall below 45% before this node takes" in told
    assert statuses == [200, 507, 507, 507, 200, 200]


def test_quotas_in_telemetry_and_metrics(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "quota_exceeded" not in http.get("/metrics").text
    config = {"enabled": True, "max_resident_memory_percent": 50}
    http.put("/quotas", json=config)
    for used, exceeded in ((49, False), (50, True), (46, True), (44, False)):
        use(monkeypatch, used)
        told = http.get("/telemetry").json()["result"]["quota"]
        assert told == {"config": config, "exceeded": {"resident_memory": exceeded, "disk_usage": None}}
        assert f'quota_exceeded{{resource="memory"}} {int(exceeded)}\n' in http.get("/metrics").text


def test_what_is_off_or_unmeasured_limits_nothing(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, 99)
    http.put("/quotas", json={"enabled": False, "max_resident_memory_percent": 50})
    assert http.put("/collections/c/points", json=UPSERT).status_code == 200
    http.put("/quotas", json={"enabled": True, "max_resident_memory_percent": 50})
    use(monkeypatch, None)
    assert http.put("/collections/c/points", json=UPSERT).status_code == 200


def test_memory_by_part(http: httpx.Client) -> None:
    http.put("/collections/c/index", json={"field_name": "a", "field_schema": "integer"})
    report = http.get("/collections/c/memory").json()["result"]
    assert set(report) == {"total", "vectors", "sparse_vectors", "payload", "payload_index", "other"}
    assert [vector["name"] for vector in report["vectors"]] == ["d"]
    assert [vector["name"] for vector in report["sparse_vectors"]] == ["s"]
    assert [index["name"] for index in report["payload_index"]] == ["a"]
    assert report["vectors"][0]["storage"]["ram_bytes"] == 4
    assert report["total"]["ram_bytes"] > report["payload"]["ram_bytes"] > 0
    assert report["total"]["disk_bytes"] == 0
    assert http.get("/collections/none/memory").status_code == 404


@pytest.mark.parametrize("path", ["/cluster/metadata/keys", "/cluster/metadata/keys/k"])
def test_metadata_of_a_cluster(http: httpx.Client, path: str) -> None:
    response = http.get(path)
    assert (response.status_code, response.json()["status"]["error"]) == (405, "Qdrant is running in standalone mode")
