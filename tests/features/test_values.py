"""Feature: conditions on values that are missing, null, empty, several or nested, with an index and without one."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

P = "/collections/c/points"
PAYLOADS: list[dict[str, Any]] = [
    {"a": None},
    {"a": []},
    {"a": [None]},
    {"a": "x"},
    {},
    {"a": ["x", "y", 5, True]},
    {"a": {"b": [1, 2]}},
    {"a": [{"b": []}, {"b": [1]}, {"c": 1}]},
    {"a": 10.0},
    {"a": 10},
    {"a": [[1, 2]]},
]
ALL = set(range(1, 12))


def field(**test: Any) -> dict[str, Any]:
    return {"must": [{"key": "a", **test}]}


EVERYWHERE: list[tuple[Any, set[int]]] = [
    ({"must": {"is_empty": {"key": "a"}}}, {1, 2, 5}),
    (field(is_empty=True), {1, 2, 5}),
    (field(is_empty=False), ALL - {1, 2, 5}),
    ({"must_not": {"is_empty": {"key": "a"}}}, ALL - {1, 2, 5}),
    ({"must": {"is_empty": {"key": "zz"}}}, ALL),
    ({"must": {"is_empty": {"key": "a.b"}}}, ALL - {7}),
    ({"must": {"is_empty": {"key": "a[].b"}}}, ALL - {8}),
    ({"must": {"is_null": {"key": "zz"}}}, set()),
    (field(is_null=True), {1, 3}),
    (field(is_null=False), ALL - {1, 3}),
    (field(values_count={"gte": 0}), ALL),
    (field(values_count={"lt": 1}), {1, 2, 5}),
    (field(values_count={"gt": 0}), ALL - {1, 2, 5}),
    (field(values_count={"gte": 1, "lte": 1}), {3, 4, 7, 9, 10, 11}),
    (field(values_count={"gt": 1}), {6, 8}),
    ({"must": {"key": "zz", "values_count": {"lt": 1}}}, ALL),
    ({"must": {"key": "zz", "values_count": {"gt": 0}}}, set()),
    ({"must": {"key": "zz", "values_count": {"gte": 0, "lte": 5}}}, ALL),
    ({"must_not": {"key": "zz", "values_count": {"lte": 0}}}, set()),
    ({"must": {"key": "a.b", "values_count": {"gte": 2}}}, {7}),
    (field(match={"any": []}), set()),
    ({"must_not": [{"key": "a", "match": {"any": []}}]}, ALL),
    ({"must": {"key": "zz", "match": {"except": []}}}, set()),
    (field(match={"any": ["x", "q"]}), {4, 6}),
    (field(match={"value": True}), {6}),
    (field(range={"gte": 10}), {9, 10}),
    (field(range={}), {6, 9, 10}),
    ({"must": {"has_id": []}}, set()),
    ({"must": {"nested": {"key": "a", "filter": {"must": {"key": "b", "match": {"value": 1}}}}}}, {8}),
    ({"must": {"nested": {"key": "a[]", "filter": {"must": {"key": "c", "match": {"value": 1}}}}}}, {8}),
    ({"must": {"nested": {"key": "a", "filter": {"must": {"is_empty": {"key": "c"}}}}}}, {8}),
    ({"must": {"nested": {"key": "a", "filter": {"must": {"has_id": [8]}}}}}, set()),
    ({"must": {"nested": {"key": "a", "filter": {"must_not": {"has_id": [8]}}}}}, {8}),
    ({"must": [], "should": [], "must_not": []}, ALL),
    ({"min_should": {"conditions": [field(match={"value": "x"}), field(match={"value": 5})], "min_count": 2}}, {6}),
]
WITHOUT_INDEX: list[tuple[Any, set[int]]] = [
    (field(match={"except": []}), {4, 6, 7, 8, 9, 10, 11}),
    (field(match={"except": ["x"]}), {6, 7, 8, 9, 10, 11}),
    ({"must": {"key": "a[]", "match": {"except": []}}}, {6, 8, 11}),
    (field(match={"value": 10}), {10}),
    (field(match={"except": [10]}), {4, 6, 7, 8, 9, 11}),
]


@pytest.fixture
def http(http: httpx.Client) -> httpx.Client:
    http.put("/collections/c", json={})
    points = [{"id": n, "vector": {}, "payload": payload} for n, payload in enumerate(PAYLOADS, 1)]
    http.put(P, params={"wait": "true"}, json={"points": points})
    return http


def index(http: httpx.Client, field: str, schema: str) -> None:
    http.put("/collections/c/index", params={"wait": "true"}, json={"field_name": field, "field_schema": schema})


def found(http: httpx.Client, filter: Any) -> set[int]:
    points = http.post(f"{P}/scroll", json={"filter": filter, "limit": 100}).json()["result"]["points"]
    assert http.post(f"{P}/count", json={"filter": filter}).json()["result"]["count"] == len(points)
    return {point["id"] for point in points}


@pytest.mark.parametrize(("filter", "expected"), EVERYWHERE + WITHOUT_INDEX)
def test_without_an_index(http: httpx.Client, filter: Any, expected: set[int]) -> None:
    assert found(http, filter) == expected


@pytest.mark.parametrize(("filter", "expected"), EVERYWHERE)
def test_with_an_index_on_keywords(http: httpx.Client, filter: Any, expected: set[int]) -> None:
    index(http, "a", "keyword")
    assert found(http, filter) == expected


def test_what_an_index_changes(http: httpx.Client) -> None:
    """`except` is answered from the values that the index knows; integral floats are integers to an index."""
    index(http, "a", "integer")
    assert found(http, field(match={"value": 10})) == {9, 10}
    index(http, "a", "keyword")
    assert found(http, field(match={"except": ["x"]})) == {6}
    assert found(http, field(match={"except": []})) == {4, 6}


def test_nested_filters_see_one_element_at_a_time(http: httpx.Client) -> None:
    people = {
        20: [{"name": "a", "diet": [{"food": "leaves", "likes": False}, {"food": "meat", "likes": True}]}],
        21: [{"name": "b", "diet": [{"food": "leaves", "likes": True}, {"food": "meat", "likes": False}]}],
        22: {"name": "c", "diet": [{"food": "meat", "likes": True}]},
        23: [],
    }
    points = [{"id": n, "vector": {}, "payload": {"p": value}} for n, value in people.items()]
    http.put(P, params={"wait": "true"}, json={"points": points})
    likes = [{"key": "food", "match": {"value": "meat"}}, {"key": "likes", "match": {"value": True}}]
    inner = {"nested": {"key": "diet", "filter": {"must": likes}}}
    assert found(http, {"must": {"nested": {"key": "p", "filter": {"must": [inner]}}}}) == {20}
    flat = [{"key": f"p[].diet[].{test['key']}", "match": test["match"]} for test in likes]
    assert found(http, {"must": flat}) == {20, 21}
    assert found(http, {"must": {"nested": {"key": "p[].diet", "filter": {"must": likes}}}}) == {20}
    refused = {"nested": {"key": "p", "filter": {"must_not": [inner]}}}
    assert found(http, {"must": [refused]}) == {21}


PLACES = {30: (13.4, 52.5), 31: (2.35, 48.85), 32: (-0.12, 51.5), 33: (179.5, 0.0), 34: (-179.5, 0.0)}
BERLIN = {"lon": 13.4, "lat": 52.5}
SQUARE = [{"lon": x, "lat": y} for x, y in ((-5, 45), (5, 45), (5, 55), (-5, 55), (-5, 45))]
HOLE = [{"lon": x, "lat": y} for x, y in ((2, 48), (3, 48), (3, 49), (2, 49), (2, 48))]
GEO: list[tuple[dict[str, Any], set[int]]] = [
    ({"geo_radius": {"center": BERLIN, "radius": 1.0}}, {30}),
    ({"geo_radius": {"center": BERLIN, "radius": 0.0}}, set()),
    ({"geo_radius": {"center": BERLIN, "radius": 900_000.0}}, {30, 31}),
    ({"geo_radius": {"center": BERLIN, "radius": 950_000.0}}, {30, 31, 32}),
    ({"geo_radius": {"center": {"lon": 180.0, "lat": 0.0}, "radius": 60_000.0}}, {33, 34}),
    ({"geo_bounding_box": {"top_left": {"lon": -1, "lat": 53}, "bottom_right": {"lon": 14, "lat": 50}}}, {30, 32}),
    ({"geo_bounding_box": {"top_left": {"lon": 13.4, "lat": 53}, "bottom_right": {"lon": 14, "lat": 50}}}, set()),
    ({"geo_bounding_box": {"top_left": {"lon": 179, "lat": 1}, "bottom_right": {"lon": -179, "lat": -1}}}, {33, 34}),
    ({"geo_polygon": {"exterior": {"points": SQUARE}}}, {31, 32}),
    ({"geo_polygon": {"exterior": {"points": SQUARE}, "interiors": [{"points": HOLE}]}}, {32}),
]


@pytest.mark.parametrize(("test", "expected"), GEO)
@pytest.mark.parametrize("indexed", [False, True])
def test_places(http: httpx.Client, test: dict[str, Any], expected: set[int], indexed: bool) -> None:
    points: list[dict[str, Any]] = [
        {"id": n, "vector": {}, "payload": {"loc": {"lon": lon, "lat": lat}}} for n, (lon, lat) in PLACES.items()
    ]
    points.append({"id": 40, "vector": {}, "payload": {"loc": {"lon": 500, "lat": 52.5}}})
    points.append({"id": 41, "vector": {}, "payload": {"loc": [13.4, 52.5]}})
    http.put(P, params={"wait": "true"}, json={"points": points})
    if indexed:
        index(http, "loc", "geo")
        schema = http.get("/collections/c").json()["result"]["payload_schema"]
        assert schema["loc"] == {"data_type": "geo", "points": len(PLACES)}
    assert found(http, {"must": {"key": "loc", **test}}) == expected


def test_places_in_lists(http: httpx.Client) -> None:
    places = [{"lon": 0, "lat": 0}, BERLIN]
    http.put(P, params={"wait": "true"}, json={"points": [{"id": 50, "vector": {}, "payload": {"loc": places}}]})
    assert found(http, {"must": {"key": "loc", "geo_radius": {"center": BERLIN, "radius": 10}}}) == {50}


TREE = {"g": "a", "n": 1, "x": {"y": [{"z": 1, "w": 2}, {"z": 3}], "k": 5}, "m": [1, [2, 3], {"q": 1}]}
SELECTORS: list[tuple[Any, Any]] = [
    (True, TREE),
    (None, TREE),
    ([], {}),
    (["n", "zz"], {"n": 1}),
    (["x.k"], {"x": {"k": 5}}),
    (["x.y"], {"x": {"y": TREE["x"]["y"]}}),  # type: ignore[index]
    (["x.y[].z"], {"x": {"y": [{"z": 1}, {"z": 3}]}}),
    (["x.y.z"], {"x": {"y": []}}),
    ({"include": ["m"]}, {"m": TREE["m"]}),
    ({"include": ["zz"]}, {}),
    ({"exclude": ["x", "m"]}, {"g": "a", "n": 1}),
    ({"exclude": ["x.y[].z", "m"]}, {"g": "a", "n": 1, "x": {"y": [{"w": 2}, {}], "k": 5}}),
    ({"exclude": ["x.y.z"]}, TREE),
    ({"exclude": ["m[]", "x"]}, {"g": "a", "n": 1, "m": []}),
    ({"exclude": []}, TREE),
]


@pytest.mark.parametrize(("selector", "expected"), SELECTORS)
def test_parts_of_payloads(http: httpx.Client, selector: Any, expected: Any) -> None:
    http.put(P, params={"wait": "true"}, json={"points": [{"id": 60, "vector": {}, "payload": TREE}]})
    only = {"must": {"has_id": [60]}}
    answers = [
        http.post(P, json={"ids": [60], "with_payload": selector}).json()["result"],
        http.post(f"{P}/scroll", json={"filter": only, "with_payload": selector}).json()["result"]["points"],
    ]
    if selector is not None:  # queries show no payload unless they are asked to
        query = http.post(f"{P}/query", json={"filter": only, "with_payload": selector}).json()["result"]["points"]
        answers.append(query)
    assert [answer[0]["payload"] for answer in answers] == [expected] * len(answers)


@pytest.mark.parametrize("selector", [{}, {"foo": 1}, {"include": ["n"], "exclude": ["n"]}, "n", 5, ["a["], [1]])
def test_selectors_that_select_nothing(http: httpx.Client, selector: Any) -> None:
    for path, body in ((P, {"ids": [1]}), (f"{P}/scroll", {}), (f"{P}/query", {})):
        response = http.post(path, json={**body, "with_payload": selector})
        assert response.status_code == 400
        assert response.json()["status"]["error"].startswith("Format error in JSON body: ")


def test_an_empty_list_of_vectors_is_an_empty_map(http: httpx.Client) -> None:
    """`WithVector::Selector` is always on in Qdrant's source, also without names."""
    http.put("/collections/few", json={"vectors": {"size": 1, "distance": "Dot"}})
    http.put("/collections/few/points?wait=true", json={"points": [{"id": 1, "vector": [1]}]})
    answer = http.post("/collections/few/points/scroll", json={"with_vector": [], "with_payload": False})
    assert answer.json()["result"]["points"] == [{"id": 1, "vector": {}}]
