"""Feature: unknown keys are overlooked where Qdrant overlooks them, and refused where it refuses them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

P = "/collections/c/points"
ONE: dict[str, Any] = {"key": "n", "match": {"value": 1}}


@pytest.fixture
def http(http: httpx.Client) -> httpx.Client:
    http.put("/collections/c", json={})
    points = [{"id": n, "vector": {}, "payload": {"n": n, "kids": [{"n": n}]}} for n in (1, 2)]
    http.put(f"{P}?wait=true", json={"points": points})
    return http


OVERLOOKED: list[dict[str, Any]] = [
    {"must": [{**ONE, "boost": 2.5}]},
    {"must": {**ONE, "must_match": "nothing", "has_id": [7]}},
    {"must": [{"has_id": [1], "why": {"deep": [None]}}]},
    {"should": [{"must": [{**ONE, "x": 1}]}, {"has_id": [], "must_not": 5}]},
    {"min_should": {"conditions": [{**ONE, "x": 1}], "min_count": 1, "x": 1}},
    {"must": [{"nested": {"key": "kids", "filter": {"must": [{**ONE, "x": 1}]}, "x": 1}, "x": 1}]},
    {"must_not": [{"has_id": [2], "x": 1}], "must": {**ONE, "match_all": []}},
]


@pytest.mark.parametrize("filter", OVERLOOKED)
def test_keys_beside_those_of_a_condition(http: httpx.Client, filter: dict[str, Any]) -> None:
    answer = http.post(f"{P}/query", json={"filter": filter, "prefetch": []})
    assert answer.status_code == 200, answer.text
    assert [point["id"] for point in answer.json()["result"]["points"]] == [1]


def test_what_is_stored_is_left_as_it_is(http: httpx.Client) -> None:
    payload = {"must": [{"key": "n", "x": 1}], "big": 2**70, "float": 1.0}
    body = {"payload": payload, "filter": {"must": [{"has_id": [2], "x": 1}]}}
    assert http.put(f"{P}/payload?wait=true", json=body).status_code == 200
    assert http.get(f"{P}/2").json()["result"]["payload"] == payload


@pytest.mark.parametrize(
    "filter",
    [
        {"foo": []},
        {"must": [{"foo": 1}]},
        {"must": [{**ONE, "x": 1}, {"foo": 1}]},
        {"must": [{"must": [ONE], "foo": 1}]},
        {"must": [{"nested": {"key": "kids", "filter": {"foo": 1}}}]},
        {"must": [{**ONE, "x": 1}, {"key": "n", "match": {"value": 1.5}}]},
    ],
)
def test_keys_that_may_not_be_there(http: httpx.Client, filter: dict[str, Any]) -> None:
    answer = http.post(f"{P}/count", json={"filter": filter})
    assert (answer.status_code, answer.json()["status"]["error"][:24]) == (400, "Format error in JSON bod")


FORMULAS: list[tuple[Any, float]] = [
    ({**ONE, "boost": 2}, 1.0),
    ({"sum": [1, {**ONE, "boost": 2}], "why": {"deep": [None]}}, 2.0),
    ({"mult": [3, {"has_id": [1], "x": 1}]}, 3.0),
    ({"must": [{**ONE, "x": 1}]}, 1.0),
    ({"div": {"left": {"neg": "n", "y": 1}, "right": 2, "z": 1}}, -0.5),
    ({"exp_decay": {"x": {"abs": "n", "y": 1}, "target": {"sum": [1], "y": 1}}, "scale": 3}, 1.0),
    ({"geo_distance": {"origin": {"lon": 0, "lat": 0, "x": 1}, "to": "place"}, "y": 1}, 0.0),
    ({"sum": [1], "must": {"foo": 1}}, 1.0),
]


@pytest.mark.parametrize(("formula", "score"), FORMULAS)
def test_keys_beside_those_of_an_expression(http: httpx.Client, formula: Any, score: float) -> None:
    defaults = {"place": {"lon": 0, "lat": 0}, "mult": {"foo": 1}}
    query = {"formula": formula, "defaults": defaults, "why": 1}
    answer = http.post(f"{P}/query", json={"prefetch": {}, "query": query, "filter": {"must": ONE}})
    assert answer.status_code == 200, answer.text
    assert [point["score"] for point in answer.json()["result"]["points"]] == [score]


@pytest.mark.parametrize("formula", [{"foo": 1}, {"sum": [{"foo": 1}]}, {"must": [ONE], "foo": 1}, {"neg": {"x": 1}}])
def test_objects_that_are_no_expression(http: httpx.Client, formula: Any) -> None:
    answer = http.post(f"{P}/query", json={"prefetch": {}, "query": {"formula": formula}})
    text = "Format error in JSON body: Expected some form of vector, id, or a type of query"
    assert (answer.status_code, answer.json()["status"]["error"]) == (400, text)


def test_a_deep_filter_with_unknown_keys(http: httpx.Client) -> None:
    body = '{"filter": ' + '{"must": [' * 5000 + '{"has_id": [1], "x": 1}' + "]}" * 5000 + "}"
    assert http.post(f"{P}/count", content=body).status_code == 400
    body = '{"filter": ' + '{"must": [' * 60 + '{"has_id": [1], "x": 1}' + "]}" * 60 + "}"
    assert http.post(f"{P}/count", content=body).json()["result"]["count"] == 1
