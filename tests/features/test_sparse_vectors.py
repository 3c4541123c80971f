"""Feature: sparse vectors: their order, their scores, weights by rarity, and what they cannot be."""

from __future__ import annotations

import math
from typing import Any

import httpx
import pytest

P = "/collections/c/points"
STORED = {1: {1: 1.0, 2: 1.0}, 2: {1: 2.0}, 3: {2: 2.0, 5: -1.0}, 4: {7: 0.0}}
TENANTS = {1: "a", 2: "b", 3: "b", 4: "a"}


def sparse(weights: dict[int, float]) -> dict[str, Any]:
    return {"indices": list(weights), "values": list(weights.values())}


@pytest.fixture
def http(http: httpx.Client) -> httpx.Client:
    http.put("/collections/c", json={"sparse_vectors": {"s": {"modifier": "idf"}, "p": {}}})
    points = [
        {"id": n, "vector": {"s": sparse(weights), "p": sparse(weights)}, "payload": {"t": TENANTS[n]}}
        for n, weights in STORED.items()
    ]
    http.put(P, params={"wait": "true"}, json={"points": [*points, {"id": 5, "vector": {}, "payload": {"t": "a"}}]})
    return http


def found(http: httpx.Client, query: Any, using: str = "p", **more: Any) -> dict[int, float]:
    points = http.post(f"{P}/query", json={"query": query, "using": using, **more}).json()["result"]["points"]
    return {point["id"]: point["score"] for point in points}


def product(query: dict[int, float], n: int) -> float | None:
    """None if there is no shared index."""
    shared = query.keys() & STORED[n].keys()
    return sum(query[index] * STORED[n][index] for index in shared) if shared else None


def test_points_that_share_no_index_are_not_found(http: httpx.Client) -> None:
    query = {2: 3.0, 7: 4.0, 9: 1.0}
    scores = {n: product(query, n) for n in STORED}
    assert found(http, sparse(query)) == {n: score for n, score in scores.items() if score is not None}
    assert found(http, sparse({})) == {}
    assert found(http, sparse({99: 1.0})) == {}


def test_they_come_back_sorted_by_index(http: httpx.Client) -> None:
    vector = {"s": {"indices": [9, 3, 5], "values": [0.25, 0.5, 0.125]}}
    http.put(P, params={"wait": "true"}, json={"points": [{"id": 6, "vector": vector}]})
    assert http.get(f"{P}/6").json()["result"]["vector"] == {"s": {"indices": [3, 5, 9], "values": [0.5, 0.125, 0.25]}}


def test_updates_replace_vectors(http: httpx.Client) -> None:
    body = {"points": [{"id": 1, "vector": {"p": sparse({7: 5.0})}}, {"id": 5, "vector": {"p": sparse({})}}]}
    http.put(f"{P}/vectors", params={"wait": "true"}, json=body)
    assert found(http, sparse({1: 1.0, 7: 1.0})) == {1: 5.0, 2: 2.0, 4: 0.0}
    assert http.get(f"{P}/5").json()["result"]["vector"] == {"p": {"indices": [], "values": []}}
    http.post(f"{P}/vectors/delete", params={"wait": "true"}, json={"points": [2], "vector": ["p"]})
    assert found(http, sparse({1: 1.0})) == {}
    assert found(http, sparse({1: 1.0}), "s") != {}


CORPORA: list[tuple[Any, set[int]]] = [
    (None, {1, 2, 3, 4}),
    ("global", {1, 2, 3, 4}),
    ({"corpus": {}}, {1, 2, 3, 4}),
    ({"corpus": {"must": {"key": "t", "match": {"value": "a"}}}}, {1, 4}),
    ({"corpus": {"must_not": [{"key": "t", "match": {"value": "a"}}]}}, {2, 3}),
    ({"corpus": {"must": {"has_id": [1]}}}, {1}),
    ({"corpus": {"must": {"key": "t", "match": {"value": "none"}}}}, set()),
]


@pytest.mark.parametrize(("idf", "corpus"), CORPORA)
@pytest.mark.parametrize("filter", [None, {"must": {"key": "t", "match": {"value": "b"}}}])
def test_rare_indices_weigh_more(http: httpx.Client, idf: Any, corpus: set[int], filter: Any) -> None:
    query = {1: 1.0, 2: 0.5, 7: 2.0}

    def weight(index: int) -> float:
        having = sum(index in STORED[n] for n in corpus)
        return math.log((len(corpus) - having + 0.5) / (having + 0.5) + 1)

    weighted = {index: value * weight(index) for index, value in query.items()}
    scores = {n: product(weighted, n) for n in STORED if filter is None or TENANTS[n] == "b"}
    expected = {n: score for n, score in scores.items() if score is not None}
    assert found(http, sparse(query), "s", params={"idf": idf}, filter=filter) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("idf", ["local", {}, {"corpus": None}, {"corpus": {"foo": 1}}, 5])
def test_a_corpus_that_is_none(http: httpx.Client, idf: Any) -> None:
    response = http.post(f"{P}/query", json={"query": sparse({1: 1.0}), "using": "s", "params": {"idf": idf}})
    assert response.status_code == 400


def test_a_corpus_within_a_prefetch(http: httpx.Client) -> None:
    corpus = {"corpus": {"must": {"key": "t", "match": {"value": "none"}}}}
    prefetch = {"query": sparse({1: 1.0}), "using": "s", "params": {"idf": corpus}}
    body = {"prefetch": prefetch, "query": {"formula": "$score"}}
    points = http.post(f"{P}/query", json=body).json()["result"]["points"]
    assert [(point["id"], point["score"]) for point in points] == [
        (2, pytest.approx(2 * math.log(2), rel=1e-6)),
        (1, pytest.approx(math.log(2), rel=1e-6)),
    ]


def test_the_modifier_changes_at_once(http: httpx.Client) -> None:
    assert found(http, sparse({5: 1.0}), "s")[3] != -1.0
    assert http.patch("/collections/c", json={"sparse_vectors": {"s": {"modifier": "none"}}}).json()["result"] is True
    assert found(http, sparse({5: 1.0}), "s") == {3: -1.0}


def squashed(score: float) -> float:
    return 0.5 * (score / (1 + abs(score)) + 1)


def test_discovery(http: httpx.Client) -> None:
    """Unlike for nearest vectors, points that share no index are results."""
    target, positive, negative = {1: 1.0}, {2: 1.0}, {5: 1.0}
    body = {"target": sparse(target), "context": [{"positive": sparse(positive), "negative": sparse(negative)}]}
    expected = {}
    for n in STORED:
        sign = (product(positive, n) or 0) - (product(negative, n) or 0)
        expected[n] = (sign > 0) - (sign < 0) + squashed(product(target, n) or 0)
    assert found(http, {"discover": body}) == pytest.approx(expected, rel=1e-6)


def test_context(http: httpx.Client) -> None:
    pair = {"positive": sparse({1: 1.0}), "negative": sparse({2: 1.0})}
    answer = found(http, {"context": pair})
    epsilon = 1.1920929e-07
    losses = {n: min((product({1: 1.0}, n) or 0) - (product({2: 1.0}, n) or 0) - epsilon, 0) for n in STORED}
    assert answer == pytest.approx({n: loss / (1 + abs(loss)) for n, loss in losses.items()}, abs=1e-6)


def test_recommendation(http: httpx.Client) -> None:
    """The average is a vector like any other; scores of examples are defined for every point."""
    assert found(http, {"recommend": {"positive": [1, 2], "negative": [3]}}) == {}
    average = {"recommend": {"positive": [sparse({1: 1.0}), sparse({2: 3.0})], "negative": [sparse({2: 1.0})]}}
    assert found(http, average) == {1: 1.0 + 2.0, 2: 2.0, 3: 4.0}
    examples = {"positive": [sparse({1: 1.0})], "negative": [sparse({5: 2.0})], "strategy": "sum_scores"}
    assert found(http, {"recommend": examples}) == {1: 1.0, 2: 2.0, 3: 2.0, 4: 0.0}


BAD: list[tuple[Any, int]] = [
    ({"indices": [1, 1], "values": [1, 2]}, 422),
    ({"indices": [1], "values": [1, 2]}, 422),
    ({"indices": [1, 2], "values": [1]}, 422),
    ({"indices": [-1], "values": [1]}, 400),
    ({"indices": [4294967296], "values": [1]}, 400),
    ({"indices": [1.5], "values": [1]}, 400),
    ({"indices": [1], "values": ["1"]}, 400),
    ({"indices": [1]}, 400),
    ({"values": [1]}, 400),
    ([1.0, 2.0], 400),
    ([[1.0, 2.0]], 400),
]


@pytest.mark.parametrize(("vector", "status"), BAD)
def test_vectors_that_cannot_be(http: httpx.Client, vector: Any, status: int) -> None:
    before = http.post(f"{P}/scroll", json={"with_vector": True}).json()["result"]
    attempts = [
        ("PUT", P, {"points": [{"id": 1, "vector": {"p": vector}}]}),
        ("PUT", P, {"batch": {"ids": [1], "vectors": {"p": [vector]}}}),
        ("PUT", f"{P}/vectors", {"points": [{"id": 1, "vector": {"p": vector}}]}),
        ("POST", f"{P}/query", {"query": vector, "using": "p"}),
        ("POST", f"{P}/query", {"query": {"nearest": vector}, "using": "p"}),
        ("POST", f"{P}/query", {"query": {"recommend": {"positive": [vector]}}, "using": "p"}),
    ]
    for method, path, body in attempts:
        response = http.request(method, path, params={"wait": "true"} if method == "PUT" else None, json=body)
        assert response.status_code == status, (path, response.text)
    assert http.post(f"{P}/scroll", json={"with_vector": True}).json()["result"] == before


def test_every_index_of_32_bits(http: httpx.Client) -> None:
    vector = {"indices": [4294967295, 0], "values": [1.5, 2.5]}
    http.put(P, params={"wait": "true"}, json={"points": [{"id": 8, "vector": {"p": vector}}]})
    assert found(http, sparse({4294967295: 2.0})) == {8: 3.0}
