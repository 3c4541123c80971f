"""Feature: bodies are read to the 127th level, wherever it is, as serde_json reads Qdrant's."""

from __future__ import annotations

import httpx
import pytest

from qdlite.models.depth import DEEPEST
from tests.models.test_depth import nested


@pytest.mark.parametrize(
    ("method", "path", "body", "levels"),
    [
        ("PUT", "points?wait=true", '{"points":[{"id":1,"vector":[1],"payload":%s}]}', 3),
        ("PUT", "points?wait=true", '{"points":[{"id":1,"vector":{"":[1]},"payload":%s}],"update_mode":"upsert"}', 3),
        ("PUT", "points?wait=true", '{"batch":{"ids":[1],"vectors":[[1]],"payloads":[%s]}}', 3),
        ("POST", "points/payload?wait=true", '{"points":[1],"payload":%s}', 1),
        ("POST", "points/batch", '{"operations":[{"set_payload":{"points":[1],"payload":%s}}]}', 4),
    ],
)
def test_payloads(http: httpx.Client, method: str, path: str, body: str, levels: int) -> None:
    http.put("/collections/c", json={"vectors": {"size": 1, "distance": "Dot"}})
    http.put("/collections/c/points?wait=true", json={"points": [{"id": 1, "vector": [1]}]})
    deepest = body % nested(DEEPEST - levels)
    assert http.request(method, f"/collections/c/{path}", content=deepest).status_code == 200
    answer = http.request(method, f"/collections/c/{path}", content=body % nested(DEEPEST + 1 - levels))
    assert answer.status_code == 400
    assert "recursion limit exceeded" in answer.json()["status"]["error"]


def test_where_it_is(http: httpx.Client) -> None:
    answer = http.post("/collections/c/points/count", content="\n" + "[" * 200 + "]" * 200)
    assert answer.json()["status"]["error"] == (
        "Format error in JSON body: recursion limit exceeded at line 2 column 128"
    )
