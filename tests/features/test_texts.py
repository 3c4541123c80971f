"""Feature: what a refused request is told. Status and text of Qdrant, for the in-process and the served face alike.

The texts stand in Qdrant's sources; nothing may have changed after any of these requests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

C = "/collections/c"
P = f"{C}/points"
Q = f"{P}/query"
SMALL = {"size": 2, "distance": "Dot"}
CASES = json.loads((Path(__file__).parent / "refusals.json").read_text(encoding="utf-8"))
"""[method, path, body, status, text] of requests that are refused."""

UNRULY = [case for case in CASES if case[0] == "PUT" and case[1].startswith(P) and case[3] == 422]
"""Updates that break a rule."""


@pytest.fixture
def http(http: httpx.Client) -> httpx.Client:
    """A collection with every kind of vector and one point, one with an unnamed vector, and an alias."""
    multi = {**SMALL, "multivector_config": {"comparator": "max_sim"}}
    body = {"vectors": {"d": SMALL, "m": multi}, "sparse_vectors": {"s": {}, "i": {"modifier": "idf"}}}
    assert http.put(C, json=body).status_code == 200
    assert http.put("/collections/u", json={"vectors": SMALL}).status_code == 200
    assert http.put("/collections/none", json={}).status_code == 200
    alias = {"create_alias": {"collection_name": "c", "alias_name": "a"}}
    http.post("/collections/aliases", json={"actions": [alias]})
    vector = {"d": [1, 2], "m": [[1, 2], [3, 4]], "s": {"indices": [1], "values": [1]}}
    point = {"id": 1, "vector": vector, "payload": {"k": "x", "n": 5}}
    assert http.put(P, params={"wait": "true"}, json={"points": [point]}).status_code == 200
    return http


def state(http: httpx.Client) -> Any:
    """All that a refused request could have changed."""
    everything = http.post(f"{P}/scroll", json={"with_vector": True}).json()["result"]
    infos = [http.get(path).json()["result"] for path in (C, "/collections/u", "/collections", "/aliases")]
    return everything, infos


def check(http: httpx.Client, method: str, path: str, body: Any, status: int, text: str, wait: str = "true") -> None:
    before = state(http)
    response = http.request(method, path, params={"wait": wait} if path.startswith(C) else None, json=body)
    assert (response.status_code, response.json()["status"]["error"]) == (status, text)
    assert response.json().keys() == {"status", "time"}
    assert state(http) == before


@pytest.mark.parametrize(("method", "path", "body", "status", "text"), CASES)
def test_refusals(http: httpx.Client, method: str, path: str, body: Any, status: int, text: str) -> None:
    check(http, method, path, body, status, text)


@pytest.mark.parametrize(("method", "path", "body", "status", "text"), UNRULY)
def test_broken_rules_are_told_without_waiting(
    http: httpx.Client, method: str, path: str, body: Any, status: int, text: str
) -> None:
    check(http, method, path, body, status, text, wait="false")


@pytest.mark.parametrize("path", [P, f"{P}/vectors"])
@pytest.mark.parametrize(
    ("vector", "text"),
    [
        ({"d": [1, 2, 3]}, "Vector dimension error: expected dim: 2, got 3 for vector 'd'"),
        ({"m": [[1, 2, 3]]}, "Vector dimension error: expected dim: 2, got 3 for vector 'm'"),
        ({"d": {"indices": [1], "values": [1]}}, "Conversion between sparse and regular vectors failed"),
        ({"s": [1, 2]}, "Conversion between sparse and regular vectors failed"),
    ],
)
def test_vectors_that_do_not_fit_are_told_without_waiting(
    http: httpx.Client, path: str, vector: Any, text: str
) -> None:
    """Qdrant tells of sizes in upserts alone, and drops the rest later."""
    text = text.partition(" for vector")[0] if path != P else text
    check(http, "PUT", path, {"points": [{"id": 1, "vector": vector}]}, 400, f"Wrong input: {text}", wait="false")


@pytest.mark.parametrize(
    ("method", "end", "body"),
    [
        ("PUT", "", {"points": [{"id": 1, "vector": {"nope": [1, 2]}}]}),
        ("PUT", "/vectors", {"points": [{"id": 9, "vector": {"d": [1, 2]}}]}),
        ("POST", "/payload", {"points": [9], "payload": {"a": 1}}),
        ("POST", "/vectors/delete", {"points": [1], "vector": ["nope"]}),
    ],
)
def test_names_and_points_that_are_not_there_are_told_to_who_waits(
    http: httpx.Client, method: str, end: str, body: Any
) -> None:
    before = state(http)
    answer = http.request(method, f"{P}{end}?wait=false", json=body)
    assert (answer.status_code, answer.json()["result"]["status"]) == (200, "acknowledged")
    assert state(http) == before


def test_a_multivector_beyond_all_bounds(http: httpx.Client) -> None:
    body = {"points": [{"id": 2, "vector": {"m": [[0.0] * 1024] * 1024}}]}
    rule = "Total size of all vectors (1048576) must be less than 1048576"
    check(http, "PUT", P, body, 422, f"Validation error in JSON body: [points[0].vector.?.data: {rule}]")


def test_too_many_levels_of_prefetches(http: httpx.Client) -> None:
    query: dict[str, Any] = {"query": [1, 2], "using": "d"}
    for _ in range(65):
        query = {"prefetch": query, "query": [1, 2], "using": "d"}
    check(http, "POST", Q, query, 400, "Wrong input: Validation failed: prefetches depth 65 exceeds max depth 64")


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("timeout=x", 400, "Deserialize error in query parameters: invalid digit found in string"),
        ("wait=maybe", 400, "Deserialize error in query parameters: provided string was not `true` or `false`"),
        (
            "ordering=x",
            400,
            "Deserialize error in query parameters: unknown variant `x`, expected one of `weak`, `medium`, `strong`",
        ),
    ],
)
def test_parameters_of_updates(http: httpx.Client, query: str, status: int, text: str) -> None:
    response = http.post(f"{P}/delete?{query}", json={"points": [1]})
    assert (response.status_code, response.json()["status"]["error"]) == (status, text)
    assert http.post(f"{P}/count", json={}).json()["result"]["count"] == 1


@pytest.mark.parametrize("query", ["timeout=0", "consistency=0", "consistency=some", "timeout=-1"])
def test_parameters_of_reads(http: httpx.Client, query: str) -> None:
    response = http.post(f"{P}/count?{query}", content=json.dumps({}))
    assert response.status_code == 400
    assert response.json()["status"]["error"].startswith("Deserialize error in query parameters: ")


@pytest.mark.parametrize(
    "query",
    ["consistency=", "consistency=all", "consistency=majority", "consistency=quorum", "consistency=2", "timeout=5"],
)
def test_parameters_that_are_taken(http: httpx.Client, query: str) -> None:
    assert http.post(f"{P}/count?{query}", json={}).json()["result"] == {"count": 1}
