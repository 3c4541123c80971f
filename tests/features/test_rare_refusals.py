"""Refusals of requests that are seldom made, and what is let pass although it says little."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

POINTS = "/collections/c/points"


def test_a_checksum_has_64_hexadecimal_digits(http: httpx.Client) -> None:
    body = {"location": "file:///nowhere.snapshot", "checksum": "abc"}
    answer = http.put("/collections/unknown/snapshots/recover", json=body)
    assert answer.status_code == 422
    assert "checksum" in answer.json()["status"]["error"]
    assert "invalid_sha256_hash" in answer.json()["status"]["error"]
    body["checksum"] = "x" * 64
    answer = http.put("/collections/unknown/snapshots/recover", json=body)
    assert answer.status_code == 422
    assert "invalid characters" in answer.json()["status"]["error"]
    assert http.get("/collections/unknown/exists").json()["result"] == {"exists": False}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        # `PointInsertOperations` in `lib/api/src/rest/schema.rs`: the key decides, whatever stands there.
        ("PUT", POINTS, {"batch": None, "points": [{"id": 1, "vector": {}}]}, 400, "Format error in JSON body: "),
        # `do_delete_vectors` in `src/common/update.rs`, after the collection has been found.
        ("POST", f"{POINTS}/vectors/delete", {"vector": ["v"]}, 400, "Bad request: No filter or points provided"),
        ("POST", "/collections/none/points/vectors/delete", {"vector": ["v"]}, 404, "Not found: Collection `none`"),
        # What may be absent, but not null: `with_vector` of reads by id and scrolls, the tokenizer, defaults.
        ("POST", POINTS, {"ids": [1], "with_vector": None}, 400, "Format error in JSON body: "),
        ("POST", f"{POINTS}/scroll", {"with_vectors": None}, 400, "Format error in JSON body: "),
        (
            "PUT",
            "/collections/c/index",
            {"field_name": "a", "field_schema": {"type": "text", "tokenizer": None}},
            400,
            "Format error in JSON body: ",
        ),
        (
            "POST",
            f"{POINTS}/query",
            {"prefetch": {}, "query": {"formula": 1, "defaults": None}},
            400,
            "Format error in JSON body: ",
        ),
        # Options of an index are part of the body.
        (
            "PUT",
            "/collections/none/index",
            {"field_name": "a", "field_schema": {"type": "text", "stopwords": "klingon"}},
            400,
            "Format error in JSON body: data did not match any variant of untagged enum",
        ),
    ],
)
def test_what_is_said_first(http: httpx.Client, method: str, path: str, body: Any, status: int, text: str) -> None:
    http.put("/collections/c", json={"vectors": {"v": {"size": 1, "distance": "Dot"}}})
    answer = http.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.json()["status"]["error"].startswith(text)


def test_no_operations_need_no_collection(http: httpx.Client) -> None:
    answer = http.post("/collections/none/points/batch", json={"operations": []})
    assert (answer.status_code, answer.json()["result"]) == (200, [])


def test_vectors_is_another_name_of_the_vectors_to_delete(http: httpx.Client) -> None:
    http.put("/collections/c", json={"vectors": {"v": {"size": 1, "distance": "Dot"}}})
    http.put(f"{POINTS}?wait=true", json={"points": [{"id": 1, "vector": {"v": [1]}}]})
    http.post(f"{POINTS}/vectors/delete?wait=true", json={"vectors": ["v"], "points": [1]})
    assert http.get(f"{POINTS}/1").json()["result"]["vector"] == {}


def test_an_update_may_have_no_time(http: httpx.Client) -> None:
    http.put("/collections/c", json={})
    answer = http.put(f"{POINTS}?wait=true&timeout=0", json={"points": [{"id": 1, "vector": {}}]})
    assert answer.json()["result"]["status"] == "wait_timeout"
    assert http.post(f"{POINTS}/count", json={}).json()["result"]["count"] == 1
