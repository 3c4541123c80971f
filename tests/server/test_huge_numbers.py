"""What becomes of numbers beyond float32? They are infinite, as in Qdrant, and what is not finite is shown as null.

Answers are not held against the OpenAPI file, which knows no null there; Qdrant itself sends it.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from qdlite import Database
from qdlite_server.inprocess import URL, InProcessTransport

P = "/collections/c/points"


@pytest.fixture
def http(database: Database) -> httpx.Client:
    http = httpx.Client(base_url=URL, transport=InProcessTransport(database))
    http.put("/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}})
    points = [{"id": n, "vector": [n / 10, 1], "payload": {"n": n}} for n in (1, 2)]
    http.put(f"{P}?wait=true", json={"points": [*points, {"id": 3, "vector": [1e39, 0], "payload": {"n": 3}}]})
    return http


def result(http: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    response = http.post(f"{P}/{path}", json=body)
    assert response.status_code == 200, response.text
    return response.json()["result"]


def scores(points: list[dict[str, Any]]) -> list[tuple[int, float | None]]:
    return [(point["id"], point["score"]) for point in points]


def test_a_stored_infinity_is_null(http: httpx.Client) -> None:
    assert http.get(f"{P}/3").json()["result"]["vector"] == [None, 0.0]


def test_other_scores_stay_the_shortest_decimals(http: httpx.Client) -> None:
    found = result(http, "query", {"query": [1.1, 0.1]})["points"]
    assert scores(found) == [(3, None), (2, 0.32000002), (1, 0.21000001)]


@pytest.mark.parametrize("query", [[1e39, 0], {"recommend": {"positive": [3], "strategy": "best_score"}}])
def test_queries_that_overflow(http: httpx.Client, query: Any) -> None:
    found = result(http, "query", {"query": query})["points"]
    assert None in [point["score"] for point in found]


def test_old_searches_groups_and_matrices(http: httpx.Client) -> None:
    assert scores(result(http, "search", {"vector": [1, 0], "limit": 1})) == [(3, None)]
    groups = result(http, "query/groups", {"query": [1, 0], "group_by": "n"})["groups"]
    assert [group["hits"][0]["score"] for group in groups] == [None, 0.2, 0.1]
    assert None in [pair["score"] for pair in result(http, "search/matrix/pairs", {})["pairs"]]
    assert None in result(http, "search/matrix/offsets", {})["scores"]


@pytest.mark.parametrize("fusion", ["rrf", "dbsf"])
def test_fusion(http: httpx.Client, fusion: str) -> None:
    found = result(http, "query", {"prefetch": [{"query": [1, 0]}], "query": {"fusion": fusion}})["points"]
    assert {point["id"] for point in found} == {1, 2, 3}
