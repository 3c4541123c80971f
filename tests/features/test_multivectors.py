"""Feature: points with several vectors under one name, scored by MaxSim, in every call that takes vectors."""

from __future__ import annotations

import math
from typing import Any

import httpx
import numpy as np
import pytest

P = "/collections/c/points"
DISTANCES = ["Dot", "Cosine", "Euclid", "Manhattan"]
STORED = {1: [[1.0, 2.0], [3.0, 4.0]], 2: [[2.0, 1.0]], 3: [[-1.0, 0.5], [0.0, 3.0], [4.0, -4.0]]}


def params(distance: str = "Dot", **more: Any) -> dict[str, Any]:
    return {"size": 2, "distance": distance, "multivector_config": {"comparator": "max_sim"}, **more}


def make(http: httpx.Client, vectors: Any, name: str = "", name_of: str = "c") -> None:
    http.put(f"/collections/{name_of}", json={"vectors": vectors})
    points = [
        {"id": n, "vector": {name: rows} if name else rows, "payload": {"g": n % 2}} for n, rows in STORED.items()
    ]
    assert (
        http.put(f"/collections/{name_of}/points", params={"wait": "true"}, json={"points": points}).status_code == 200
    )


def found(http: httpx.Client, query: Any, **more: Any) -> dict[int, float]:
    points = http.post(f"{P}/query", json={"query": query, **more}).json()["result"]["points"]
    return {point["id"]: point["score"] for point in points}


def normalised(rows: Any) -> Any:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def similarities(distance: str, query: Any, rows: Any) -> Any:
    """Larger is better, as inside Qdrant: negative squared or absolute differences for distances."""
    query, rows = np.array(query, np.float64), np.array(rows, np.float64)
    if distance == "Cosine":
        query, rows = normalised(query), normalised(rows)
    if distance in ("Dot", "Cosine"):
        return query @ rows.T
    differences = query[:, None, :] - rows[None, :, :]
    return -(differences**2).sum(-1) if distance == "Euclid" else -np.abs(differences).sum(-1)


def max_sim(distance: str, query: Any, rows: Any) -> float:
    return float(similarities(distance, query, rows).max(axis=1).sum())


def shown(distance: str, similarity: float) -> float:
    if distance == "Euclid":
        return math.sqrt(abs(similarity))
    return abs(similarity) if distance == "Manhattan" else similarity


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", ["", "m"])
def test_nearest(http: httpx.Client, distance: str, name: str) -> None:
    make(http, {name: params(distance)} if name else params(distance), name)
    using = {"using": name} if name else {}
    query = [[1.0, 1.0], [0.5, -2.0]]
    expected = {n: shown(distance, max_sim(distance, query, rows)) for n, rows in STORED.items()}
    answer = found(http, query, **using)
    assert answer == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert list(answer.values()) == sorted(answer.values(), reverse=distance in ("Dot", "Cosine"))
    single = {n: shown(distance, max_sim(distance, [[1.0, 1.0]], rows)) for n, rows in STORED.items()}
    assert found(http, [1.0, 1.0], **using) == pytest.approx(single, rel=1e-5, abs=1e-6)


def test_they_come_back_as_they_were_sent(http: httpx.Client) -> None:
    make(http, params())
    records = http.post(f"{P}/scroll", json={"with_vector": True}).json()["result"]["points"]
    assert {record["id"]: record["vector"] for record in records} == STORED


def test_cosine_normalises_each_row(http: httpx.Client) -> None:
    make(http, params("Cosine"))
    rows = np.array(http.get(f"{P}/3").json()["result"]["vector"])
    assert rows == pytest.approx(normalised(np.array(STORED[3])), rel=1e-6)


def test_an_id_is_a_query(http: httpx.Client) -> None:
    make(http, params())
    assert found(http, 2) == pytest.approx({n: max_sim("Dot", STORED[2], STORED[n]) for n in (1, 3)})


def test_recommendation_by_average_joins_the_rows(http: httpx.Client) -> None:
    make(http, params())
    query = [*STORED[1], *(-np.array(STORED[2])).tolist()]
    answer = found(http, {"recommend": {"positive": [1], "negative": [2]}})
    assert answer == pytest.approx({3: max_sim("Dot", query, STORED[3])})
    twice = found(http, {"recommend": {"positive": [1, [[1.0, 0.0]]]}})
    assert twice == pytest.approx({n: max_sim("Dot", [*STORED[1], [1.0, 0.0]], STORED[n]) for n in (2, 3)})


@pytest.mark.parametrize("distance", DISTANCES)
def test_recommendation_by_scores(http: httpx.Client, distance: str) -> None:
    make(http, params(distance))
    negative = [[1.0, -1.0]]
    positives = {n: max_sim(distance, STORED[1], STORED[n]) for n in (2, 3)}
    negatives = {n: max_sim(distance, negative, STORED[n]) for n in (2, 3)}
    examples = {"positive": [1], "negative": [negative]}
    total = found(http, {"recommend": {**examples, "strategy": "sum_scores"}})
    assert total == pytest.approx({n: positives[n] - negatives[n] for n in (2, 3)}, rel=1e-5, abs=1e-5)

    def best(n: int) -> float:
        closer = max(positives[n], negatives[n])
        squashed = 0.5 * (closer / (1 + abs(closer)) + 1)
        return squashed if positives[n] > negatives[n] else -squashed

    scores = found(http, {"recommend": {**examples, "strategy": "best_score"}})
    assert scores == pytest.approx({n: best(n) for n in (2, 3)}, rel=1e-5, abs=1e-6)


def test_discovery(http: httpx.Client) -> None:
    make(http, params())
    target, pair = [[1.0, 1.0]], {"positive": 1, "negative": [[0.0, -1.0]]}

    def rank(n: int) -> float:
        sign = np.sign(max_sim("Dot", STORED[1], STORED[n]) - max_sim("Dot", [[0.0, -1.0]], STORED[n]))
        score = max_sim("Dot", target, STORED[n])
        return float(sign) + 0.5 * (score / (1 + abs(score)) + 1)

    answer = found(http, {"discover": {"target": target, "context": [pair]}})
    assert answer == pytest.approx({n: rank(n) for n in (2, 3)}, rel=1e-6)


def test_batches_of_updates(http: httpx.Client) -> None:
    http.put("/collections/c", json={"vectors": {"m": params(), "d": {"size": 2, "distance": "Dot"}}})
    operations = [
        {"upsert": {"points": [{"id": 1, "vector": {"m": [[1, 2], [3, 4]]}}]}},
        {
            "upsert": {
                "batch": {"ids": [2, 3], "vectors": {"m": [[[1, 1]], [[2, 2], [3, 3]]]}, "payloads": [{"a": 1}, None]}
            }
        },
        {"update_vectors": {"points": [{"id": 1, "vector": {"m": [[9, 9]], "d": [1, 1]}}]}},
        {"delete_vectors": {"points": [2], "vector": ["m"]}},
    ]
    results = http.post(f"{P}/batch", params={"wait": "true"}, json={"operations": operations}).json()["result"]
    assert [result["status"] for result in results] == ["completed"] * 4
    numbers = [result["operation_id"] for result in results]
    assert numbers == sorted(set(numbers))
    records = http.post(f"{P}/scroll", json={"with_vector": True}).json()["result"]["points"]
    assert [(record["vector"], record["payload"]) for record in records] == [
        ({"d": [1.0, 1.0], "m": [[9.0, 9.0]]}, {}),
        ({}, {"a": 1}),
        ({"m": [[2.0, 2.0], [3.0, 3.0]]}, {}),
    ]
    assert found(http, [[1, 1], [0, 1]], using="m") == {1: 27.0, 3: 9.0}


@pytest.mark.parametrize(
    "body", [{"points": [{"id": 4, "vector": [5, 6]}]}, {"batch": {"ids": [4], "vectors": [[[5, 6]]]}}]
)
def test_a_single_row_may_stand_alone(http: httpx.Client, body: dict[str, Any]) -> None:
    make(http, params())
    assert http.put(P, params={"wait": "true"}, json=body).status_code == 200
    assert http.get(f"{P}/4").json()["result"]["vector"] == [[5.0, 6.0]]


def test_groups_and_matrices(http: httpx.Client) -> None:
    make(http, params())
    body = {"query": [[1.0, 1.0]], "group_by": "g"}
    groups = http.post(f"{P}/query/groups", json=body).json()["result"]["groups"]
    assert [(group["id"], [hit["id"] for hit in group["hits"]]) for group in groups] == [(1, [1, 3]), (0, [2])]
    pairs = http.post(f"{P}/search/matrix/pairs", json={"limit": 1}).json()["result"]["pairs"]
    best = {a: max((max_sim("Dot", STORED[a], STORED[b]), b) for b in STORED if b != a) for a in STORED}
    assert {pair["a"]: (pair["score"], pair["b"]) for pair in pairs} == best


@pytest.mark.parametrize("distance", ["Dot", "Cosine", "Euclid"])
def test_bytes(http: httpx.Client, distance: str) -> None:
    http.put("/collections/c", json={"vectors": params(distance, datatype="uint8")})
    points = [{"id": 1, "vector": [[3, 4], [300, -5]]}, {"id": 2, "vector": [[1.9, 2.5]]}]
    http.put(P, params={"wait": "true"}, json={"points": points})
    stored = {1: [[3.0, 4.0], [255.0, 0.0]], 2: [[1.0, 2.0]]}
    assert {n: http.get(f"{P}/{n}").json()["result"]["vector"] for n in (1, 2)} == stored
    answer = found(http, [[3, 4], [1, 0]])
    expected = {n: shown(distance, max_sim(distance, [[3, 4], [1, 0]], rows)) for n, rows in stored.items()}
    assert answer == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_settings_change_on_a_live_collection(http: httpx.Client) -> None:
    make(http, {"m": params()}, "m")
    change = {
        "hnsw_config": {"m": 10, "ef_construct": 80},
        "quantization_config": {"product": {"compression": "x32", "always_ram": True}},
        "on_disk": True,
    }
    assert http.patch("/collections/c", json={"vectors": {"m": change}}).json()["result"] is True
    shown_now = http.get("/collections/c").json()["result"]["config"]["params"]["vectors"]["m"]
    assert shown_now == {**params(), **change}
    assert found(http, [[1.0, 1.0]], using="m") == {1: 7.0, 2: 3.0, 3: 3.0}
