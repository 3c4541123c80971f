"""Refusals of requests that are seldom made: checksums that are none."""

from __future__ import annotations

import httpx


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
