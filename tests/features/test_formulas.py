"""Feature: formulas score anew what prefetches found. Five points with payloads of every kind."""

from __future__ import annotations

import math
from typing import Any

import httpx
import pytest

P = "/collections/c/points"
ORIGIN = {"lon": 0, "lat": 0}
EARTH = 6371008.8
"""Mean radius in metres."""


@pytest.fixture
def http(http: httpx.Client) -> httpx.Client:
    http.put("/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}})
    points = [
        {
            "id": n,
            "vector": [n, 1],
            "payload": {
                "n": n,
                "f": n * 1.5,
                "one": [n],
                "two": [1, 2],
                "none": [],
                "null": None,
                "s": "x",
                "b": n % 2 == 0,
                "g": "a" if n < 3 else "b",
                "loc": {"lon": n, "lat": 0},
                "d": f"2024-01-0{n}T00:00:00Z",
            },
        }
        for n in (1, 2, 3)
    ]
    http.put(P, params={"wait": "true"}, json={"points": points})
    return http


def answer(http: httpx.Client, formula: Any, defaults: Any = None, **more: Any) -> httpx.Response:
    query = {"formula": formula} if defaults is None else {"formula": formula, "defaults": defaults}
    body = {"prefetch": {"query": [1, 0]}, "query": query, **more}
    return http.post(f"{P}/query", json=body)


def scores(response: httpx.Response) -> dict[int, float]:
    points = response.json()["result"]["points"]
    assert [point["score"] for point in points] == sorted((point["score"] for point in points), reverse=True)
    return {point["id"]: point["score"] for point in points}


def lin(x: float, target: float, scale: float, midpoint: float) -> float:
    return max(0.0, 1 - (1 - midpoint) / scale * abs(x - target))


VALUES: list[tuple[Any, Any, list[float]]] = [
    (1.5, None, [1.5, 1.5, 1.5]),
    ("$score", None, [1, 2, 3]),
    ("$score[0]", None, [1, 2, 3]),
    ("$score[1]", None, [0, 0, 0]),
    ("$score[1]", {"$score[1]": 4}, [4, 4, 4]),
    ("n", None, [1, 2, 3]),
    ("one", None, [1, 2, 3]),
    ("one[0]", None, [1, 2, 3]),
    ("loc.lon", None, [1, 2, 3]),
    ("missing", {"missing": 5}, [5, 5, 5]),
    ("none", {"none": 5}, [5, 5, 5]),
    ("missing.x", {'"missing"."x"': 5}, [5, 5, 5]),
    ('"missing"[00]', {"missing[0]": 5}, [5, 5, 5]),
    ({"geo_distance": {"origin": ORIGIN, "to": '"x"'}}, {"x": {"lon": 0, "lat": 90}}, [EARTH * math.pi / 2] * 3),
    ('$"score"[01]', {"$score[1]": 4}, [4, 4, 4]),
    ({"sum": ["n", 2, "$score"]}, None, [4, 6, 8]),
    ({"sum": []}, None, [0, 0, 0]),
    ({"mult": ["n", 2, "f"]}, None, [3, 12, 27]),
    ({"mult": []}, None, [1, 1, 1]),
    ({"mult": [0, "missing"]}, None, [0, 0, 0]),
    ({"neg": "n"}, None, [-1, -2, -3]),
    ({"abs": {"neg": "n"}}, None, [1, 2, 3]),
    ({"div": {"left": 6, "right": "n"}}, None, [6, 3, 2]),
    ({"div": {"left": 0, "right": "missing"}}, None, [0, 0, 0]),
    ({"div": {"left": 1, "right": 0, "by_zero_default": 7}}, None, [7, 7, 7]),
    ({"sqrt": {"mult": ["n", "n"]}}, None, [1, 2, 3]),
    ({"pow": {"base": 2, "exponent": "n"}}, None, [2, 4, 8]),
    ({"exp": "n"}, None, [math.exp(n) for n in (1, 2, 3)]),
    ({"ln": "n"}, None, [math.log(n) for n in (1, 2, 3)]),
    ({"log10": "n"}, None, [math.log10(n) for n in (1, 2, 3)]),
    ({"acosh": "n"}, None, [math.acosh(n) for n in (1, 2, 3)]),
    ({"max": ["n", 2]}, None, [2, 2, 3]),
    ({"min": ["n", 2]}, None, [1, 2, 2]),
    ({"key": "g", "match": {"value": "a"}}, None, [1, 1, 0]),
    ({"must_not": [{"key": "g", "match": {"value": "a"}}]}, None, [0, 0, 1]),
    ({"sum": ["$score", {"mult": [10, {"key": "n", "range": {"gt": 2}}]}]}, None, [1, 2, 13]),
    ({"geo_distance": {"origin": ORIGIN, "to": "loc"}}, None, [EARTH * math.radians(n) for n in (1, 2, 3)]),
    ({"geo_distance": {"origin": ORIGIN, "to": "x"}}, {"x": {"lon": 0, "lat": 90}}, [EARTH * math.pi / 2] * 3),
    ({"datetime": "2024-01-01"}, None, [1704067200.0] * 3),
    ({"sum": [{"datetime_key": "d"}, {"neg": {"datetime": "2024-01-01T00:00:00Z"}}]}, None, [0, 86400, 172800]),
    ({"datetime_key": "x"}, {"x": "2024-01-01"}, [1704067200.0] * 3),
    (
        {"lin_decay": {"x": "n", "target": 2, "scale": 4, "midpoint": 0.25}},
        None,
        [lin(n, 2, 4, 0.25) for n in (1, 2, 3)],
    ),
    ({"exp_decay": {"x": "n"}}, None, [0.5**n for n in (1, 2, 3)]),
    ({"exp_decay": {"x": "n", "target": 3, "scale": 2}}, None, [0.5 ** ((3 - n) / 2) for n in (1, 2, 3)]),
    ({"gauss_decay": {"x": "n"}}, None, [0.5 ** (n * n) for n in (1, 2, 3)]),
    ({"gauss_decay": {"x": "n", "target": "f", "midpoint": 0.1}}, None, [0.1 ** (n * n / 4) for n in (1, 2, 3)]),
]


@pytest.mark.parametrize(("formula", "defaults", "expected"), VALUES)
def test_values(http: httpx.Client, formula: Any, defaults: Any, expected: list[float]) -> None:
    found = scores(answer(http, formula, defaults))
    assert found == pytest.approx(dict(zip((1, 2, 3), expected, strict=True)), rel=1e-6, abs=1e-6)


NUMBER = "Wrong input: Expected number value for {} in the payload and/or in the formula defaults. Error: "
MISSING, WRONG = "No value found in a payload nor defaults", "Value is not a number"
INFINITE = " produced a non-finite number"
DECAY = "Wrong input: Validation failed: "
RANGE = "midpoint should be in the range"
DATE = "does not match accepted datetime format (RFC3339). Example: 2014-01-01T00:00:00Z"
REFUSED: list[tuple[Any, Any, str]] = [
    ("missing", None, NUMBER.format("missing") + MISSING),
    ("none", None, NUMBER.format("none") + MISSING),
    ("two", None, NUMBER.format("two") + WRONG),
    ("null", {"null": 5}, NUMBER.format("null") + WRONG),
    ("s", {"s": 5}, NUMBER.format("s") + WRONG),
    ("b", None, NUMBER.format("b") + WRONG),
    ("missing", {"missing": "x"}, NUMBER.format("missing") + WRONG),
    ("missing", {"missing": None}, NUMBER.format("missing") + WRONG),
    ('"missing"', None, NUMBER.format("missing") + MISSING),
    ({"mult": ["missing", 0]}, None, NUMBER.format("missing") + MISSING),
    (
        {"geo_distance": {"origin": ORIGIN, "to": "q"}},
        None,
        NUMBER.replace("number", "geo point").format("q") + MISSING,
    ),
    ({"datetime_key": "q"}, None, NUMBER.replace("number", "datetime").format("q") + MISSING),
    ({"div": {"left": 1, "right": 0}}, None, "Wrong input: The expression 1/0 = inf" + INFINITE),
    ({"sqrt": -1}, None, "Wrong input: The expression √-1 = NaN" + INFINITE),
    ({"pow": {"base": -8, "exponent": 0.5}}, None, "Wrong input: The expression -8^0.5 = NaN" + INFINITE),
    ({"exp": 1000}, None, "Wrong input: The expression exp(1000) = inf" + INFINITE),
    ({"ln": -1}, None, "Wrong input: The expression ln(-1) = NaN" + INFINITE),
    ({"log10": 0}, None, "Wrong input: The expression log10(0) = -inf" + INFINITE),
    ({"exp": 100}, None, f"Wrong input: The expression 26881171418161356{'0' * 27} as f32 = inf{INFINITE}"),
    ({"lin_decay": {"x": "n", "midpoint": 1.5}}, None, f"{DECAY}Linear decay {RANGE} [0.0, 1.0], got 1.5."),
    ({"exp_decay": {"x": "n", "midpoint": 1}}, None, f"{DECAY}Decay {RANGE} (0.0, 1.0), got 1."),
    ({"gauss_decay": {"x": "n", "scale": -1}}, None, DECAY + "Decay scale should be non-zero positive, got -1."),
    ("$score[x]", None, DECAY + "failed to parse variable ID $score[x]: Invalid reserved variable: $score[x]"),
    (
        "$score[\u0661]",
        None,
        f"{DECAY}failed to parse variable ID $score[\u0661]: Invalid reserved variable: $score[\u0661]",
    ),
    ("$other", None, DECAY + "failed to parse variable ID $other: Invalid reserved word: $other"),
    ("a[", None, DECAY + "failed to parse variable ID a[: Invalid payload variable: a["),
    ({"datetime": "soon"}, None, f"{DECAY}failed to parse date-time soon: 'soon' {DATE}"),
]


@pytest.mark.parametrize(("formula", "defaults", "text"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_refusals(http: httpx.Client, formula: Any, defaults: Any, text: str) -> None:
    response = answer(http, formula, defaults)
    assert (response.status_code, response.json()["status"]["error"]) == (400, text)


@pytest.mark.parametrize("formula", [{"foo": 1}, {"mult": 1}, {"div": {"left": 1}}, {"pow": {}}, [1], True])
def test_formulas_that_are_none(http: httpx.Client, formula: Any) -> None:
    response = answer(http, formula)
    assert response.status_code == 400
    assert response.json()["status"]["error"].startswith("Format error in JSON body: ")


def test_scores_of_several_prefetches(http: httpx.Client) -> None:
    prefetch = [{"query": [1, 0], "limit": 2}, {"query": [-1, 0], "limit": 2}]
    formula = {"sum": ["$score[0]", {"mult": [10, "$score[1]"]}]}
    body = {"prefetch": prefetch, "query": {"formula": formula, "defaults": {"$score[0]": 100}}}
    assert scores(http.post(f"{P}/query", json=body)) == {1: 90.0, 3: 3.0, 2: -18.0}


def test_threshold_limit_and_offset(http: httpx.Client) -> None:
    assert scores(answer(http, "n", score_threshold=2)) == {2: 2.0, 3: 3.0}
    assert scores(answer(http, "n", limit=1, offset=1)) == {2: 2.0}


def test_formulas_over_formulas(http: httpx.Client) -> None:
    inner = {"prefetch": {"query": [1, 0]}, "query": {"formula": {"neg": "n"}}, "limit": 2}
    body = {"prefetch": inner, "query": {"formula": {"mult": ["$score", 2]}}}
    assert scores(http.post(f"{P}/query", json=body)) == {1: -2.0, 2: -4.0}
