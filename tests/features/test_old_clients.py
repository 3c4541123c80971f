"""Feature: requests of old clients, from before the universal query, are answered."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

POINTS = "/collections/c/points"


@pytest.fixture
def http(http: httpx.Client) -> httpx.Client:
    vectors = {"size": 2, "distance": "Dot"}
    http.put("/collections/c", json={"vectors": {"": vectors, "v": vectors}, "sparse_vectors": {"s": {}}})
    points = [
        {
            "id": n,
            "vector": {"": [n, 1], "v": [1, n], "s": {"indices": [n], "values": [1.0]}},
            "payload": {"g": n % 2},
        }
        for n in (1, 2, 3)
    ]
    assert http.put(f"{POINTS}?wait=true", json={"points": points}).status_code == 200
    return http


def result(http: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    response = http.post(f"{POINTS}/{path}", json=body)
    assert response.status_code == 200, response.text
    return response.json()["result"]


def found(points: list[dict[str, Any]]) -> list[tuple[int, float]]:
    return [(point["id"], point["score"]) for point in points]


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        ([1, 0], [(3, 3.0), (2, 2.0)]),
        ({"name": "v", "vector": [1, 1]}, [(3, 4.0), (2, 3.0)]),
        ({"name": "s", "vector": {"indices": [2], "values": [4.0]}}, [(2, 4.0)]),
    ],
)
def test_search(http: httpx.Client, vector: Any, expected: list[tuple[int, float]]) -> None:
    assert found(result(http, "search", {"vector": vector, "limit": 2})) == expected
    assert found(result(http, "search", {"vector": vector, "top": 2})) == expected


def test_search_options(http: httpx.Client) -> None:
    body = {
        "vector": [1, 0],
        "limit": 2,
        "offset": 1,
        "filter": {"must": {"key": "g", "match": {"value": 1}}},
        "with_payload": True,
        "with_vectors": ["v"],
        "score_threshold": 0.5,
    }
    (point,) = result(http, "search", body)
    assert (point["id"], point["payload"], point["vector"]) == (1, {"g": 1}, {"v": [1.0, 1.0]})


def test_search_batch_and_groups(http: httpx.Client) -> None:
    body = {"vector": [1, 0], "limit": 1}
    assert [found(points) for points in result(http, "search/batch", {"searches": [body, body]})] == [[(3, 3.0)]] * 2
    groups = result(http, "search/groups", {"vector": [1, 0], "group_by": "g", "group_size": 1, "limit": 2})["groups"]
    assert [(group["id"], found(group["hits"])) for group in groups] == [(1, [(3, 3.0)]), (0, [(2, 2.0)])]


def test_recommend(http: httpx.Client) -> None:
    body = {"positive": [3], "limit": 2}
    assert found(result(http, "recommend", body)) == [(2, 7.0), (1, 4.0)]
    assert found(result(http, "recommend", {**body, "using": "v", "positive": [[0, 1]]})) == [(3, 3.0), (2, 2.0)]
    assert len(result(http, "recommend/batch", {"searches": [body, body]})) == 2
    groups = result(http, "recommend/groups", {**body, "group_by": "g", "group_size": 1})["groups"]
    assert [group["id"] for group in groups] == [0, 1]


@pytest.mark.parametrize("strategy", ["average_vector", "best_score", "sum_scores"])
def test_examples_without_the_vector_are_passed_over(http: httpx.Client, strategy: str) -> None:
    # `convert_to_vectors` in `lib/collection/src/common/fetch_vectors.rs`; the points are no results in any case.
    http.put(f"{POINTS}?wait=true", json={"points": [{"id": 4, "vector": {"": [9, 9]}}]})
    body = {"positive": [3, 4], "negative": [4], "using": "v", "limit": 5, "strategy": strategy}
    alone = {**body, "positive": [3], "negative": []}
    assert found(result(http, "recommend", body)) == found(result(http, "recommend", alone))
    grouping = {"group_by": "g", "group_size": 1}
    assert result(http, "recommend/groups", {**body, **grouping}) == result(
        http, "recommend/groups", {**alone, **grouping}
    )
    universal = {"query": {"recommend": {"positive": [3, 4]}}, "using": "v"}
    assert http.post(f"{POINTS}/query", json=universal).status_code == 404
    assert http.post(f"{POINTS}/recommend", json={**body, "positive": [3, 99]}).status_code == 404


@pytest.mark.parametrize("numbers", [{"limit": 0}, {"group_size": 0}, {"limit": 0, "group_size": 0}])
def test_no_groups_are_an_answer_to_recommend_alone(http: httpx.Client, numbers: dict[str, int]) -> None:
    grouping = {"group_by": "g", "group_size": 1, "limit": 1, **numbers}
    assert result(http, "recommend/groups", {"positive": [3], **grouping}) == {"groups": []}
    assert http.post(f"{POINTS}/recommend/groups", json={"positive": [99], **grouping}).status_code == 404
    assert http.post(f"{POINTS}/search/groups", json={"vector": [1, 1], **grouping}).status_code == 422


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"negative": [1]}, "Bad request: At least one positive vector ID required with this strategy"),
        (
            {"strategy": "best_score"},
            "Bad request: At least one positive or negative vector ID required with this strategy",
        ),
    ],
)
def test_recommend_needs_examples(http: httpx.Client, body: dict[str, Any], text: str) -> None:
    response = http.post(f"{POINTS}/recommend", json={**body, "limit": 1})
    assert (response.status_code, response.json()["status"]["error"]) == (400, text)


def test_discover(http: httpx.Client) -> None:
    body = {"target": [1, 0], "context": [{"positive": 1, "negative": 3}], "limit": 3}
    assert [point["id"] for point in result(http, "discover", body)] == [2]
    context = {"context": [{"positive": [1, 0], "negative": [-1, 0]}], "limit": 3}
    assert len(result(http, "discover", context)) == 3
    assert len(result(http, "discover/batch", {"searches": [body]})) == 1


@pytest.mark.parametrize("body", [{}, {"target": None, "context": []}])
def test_discovery_needs_something(http: httpx.Client, body: dict[str, Any]) -> None:
    response = http.post(f"{POINTS}/discover", json={**body, "limit": 1})
    text = "Bad request: target and/or context_pairs must be specified"
    assert (response.status_code, response.json()["status"]["error"]) == (400, text)


@pytest.mark.parametrize("path", ["search", "recommend", "discover"])
def test_a_limit_is_needed(http: httpx.Client, path: str) -> None:
    response = http.post(f"{POINTS}/{path}", json={"vector": [1, 0], "positive": [1], "target": 1})
    assert response.status_code == 400
    assert "missing field `limit`" in response.json()["status"]["error"]


OLD: dict[str, dict[str, Any]] = {
    "search": {"vector": [1, 0], "limit": 1},
    "search/batch": {"searches": [{"vector": [1, 0], "limit": 1}]},
    "search/groups": {"vector": [1, 0], "limit": 1, "group_by": "g", "group_size": 1},
    "recommend": {"positive": [1], "limit": 1},
    "recommend/groups": {"positive": [1], "limit": 1, "group_by": "g", "group_size": 1},
    "discover": {"target": [1, 0], "limit": 1},
    "discover/batch": {"searches": [{"target": [1, 0], "limit": 1}]},
}


@pytest.mark.parametrize("path", OLD)
def test_strict_mode_lets_them_search_without_a_graph(http: httpx.Client, path: str) -> None:
    # `operations/verification/` below `lib/collection/src` in Qdrant: only universal queries look for the graph, and
    # groups of recommendations not for the index of their field.
    strict = {"enabled": True, "search_allow_exact": False, "max_query_limit": 1}
    http.patch("/collections/c", json={"hnsw_config": {"m": 0}, "strict_mode_config": strict})
    assert http.post(f"{POINTS}/query", json={"query": [1, 0], "limit": 1}).status_code == 400
    assert http.post(f"{POINTS}/{path}", json=OLD[path]).status_code == 200
    changed = OLD[path].get("searches", [OLD[path]])[0]
    body = {**changed, "limit": 2}
    response = http.post(f"{POINTS}/{path}", json={"searches": [body]} if "searches" in OLD[path] else body)
    assert response.status_code == 400
    assert 'Limit exceeded 2 > 1 for "limit"' in response.json()["status"]["error"]


def test_strict_mode_asks_groups_of_a_search_for_an_index(http: httpx.Client) -> None:
    http.patch("/collections/c", json={"strict_mode_config": {"enabled": True, "unindexed_filtering_retrieve": False}})
    refused = http.post(f"{POINTS}/search/groups", json=OLD["search/groups"])
    assert 'Index required but not found for "g"' in refused.json()["status"]["error"]
    assert http.post(f"{POINTS}/recommend/groups", json=OLD["recommend/groups"]).status_code == 200


@pytest.mark.parametrize("path", ["recommend", "discover", "recommend/groups"])
def test_a_missing_collection_is_told_before_missing_examples(http: httpx.Client, path: str) -> None:
    body = {"limit": 1, "group_by": "g", "group_size": 1}
    response = http.post(f"{POINTS.replace('/c/', '/none/')}/{path}", json=body)
    assert (response.status_code, response.json()["status"]["error"]) == (
        404,
        "Not found: Collection `none` doesn't exist!",
    )
