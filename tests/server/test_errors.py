"""Does bad input get Qdrant's status and text, change nothing, and leave the server serving?"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qdlite import Database, errors
from qdlite_server.api import Api
from qdlite_server.endpoint import STATUSES, Request

POINTS = "/collections/c/points"


@pytest.fixture
def http(http: httpx.Client) -> httpx.Client:
    """With a collection `c` of one point."""
    vectors = {"size": 2, "distance": "Dot"}
    assert http.put("/collections/c", json={"vectors": vectors}).status_code == 200
    body = {"points": [{"id": 1, "vector": [1.0, 2.0], "payload": {"a": 1}}]}
    assert http.put(POINTS, params={"wait": "true"}, json=body).status_code == 200
    return http


def unchanged(http: httpx.Client) -> None:
    """The one point is still there as it was, and there is one collection."""
    point = http.get(f"{POINTS}/1").json()["result"]
    assert point == {"id": 1, "payload": {"a": 1}, "vector": [1.0, 2.0]}
    assert http.post(f"{POINTS}/count", json={}).json()["result"] == {"count": 1}
    assert [c["name"] for c in http.get("/collections").json()["result"]["collections"]] == ["c"]


def refused(response: httpx.Response, status: int, text: str) -> None:
    """An error envelope of two keys. `text` is the beginning of the error."""
    body = response.json()
    assert response.status_code == status, body
    assert set(body) == {"status", "time"}
    assert set(body["status"]) == {"error"}
    assert body["status"]["error"].startswith(text), body["status"]["error"]


MALFORMED: list[tuple[str, str, str]] = [
    ("PUT", POINTS, ""),
    ("PUT", POINTS, "{"),
    ("PUT", POINTS, '{"points": [{"id": 1, "vector": [1.0, 2.0'),
    ("PUT", POINTS, "[]"),
    ("PUT", POINTS, "null"),
    ("PUT", POINTS, '"text"'),
    ("PUT", POINTS, "{}"),
    ("PUT", POINTS, '{"points": 5}'),
    ("PUT", POINTS, '{"points": [5]}'),
    ("PUT", POINTS, '{"points": [{"id": 1}]}'),
    ("PUT", POINTS, '{"points": [{"id": -1, "vector": [1, 2]}]}'),
    ("PUT", POINTS, '{"points": [{"id": 1.5, "vector": [1, 2]}]}'),
    ("PUT", POINTS, '{"points": [{"id": "42", "vector": [1, 2]}]}'),
    ("PUT", POINTS, '{"points": [{"id": 18446744073709551616, "vector": [1, 2]}]}'),
    ("PUT", POINTS, '{"points": [{"id": null, "vector": [1, 2]}]}'),
    ("PUT", POINTS, '{"points": [{"id": 2, "vector": ["1", 2]}]}'),
    ("PUT", POINTS, '{"points": [{"id": 2, "vector": [NaN, 2]}]}'),
    ("PUT", POINTS, '{"points": [{"id": 2, "vector": [Infinity, 2]}]}'),
    ("PUT", POINTS, '{"points": [{"id": 2, "vector": [1, 2], "payload": [1]}]}'),
    ("PUT", POINTS, '{"points": [{"id": 2, "vector": [1, 2], "payload": {"x": }}]}'),
    ("PUT", POINTS, '{"points": [{"id": 2, "vector": [1, 2]}]} x'),
    ("POST", f"{POINTS}/delete", "{}"),
    ("POST", f"{POINTS}/payload", '{"payload": {"b": 2}}'),
    ("POST", f"{POINTS}/query", '{"limit": -1}'),
    ("POST", f"{POINTS}/query", '{"limit": "ten"}'),
    ("POST", f"{POINTS}/query", '{"query": {"foo": 1}}'),
    ("POST", f"{POINTS}/query", '{"query": [[1, 2], 3]}'),
    ("POST", f"{POINTS}/query", '{"filter": {"foo": []}}'),
    ("POST", f"{POINTS}/query", '{"filter": {"must": [{"foo": 1}]}}'),
    ("POST", f"{POINTS}/query", '{"prefetch": {"prefetch": {"limit": -1}}}'),
    ("POST", f"{POINTS}/scroll", '{"offset": "not an id"}'),
    ("POST", f"{POINTS}/scroll", '{"filter": {"must": {"key": "a", "match": {"value": 1.5}}}}'),
    ("PUT", "/collections/d", '{"vectors": {"size": 0, "distance": "Dot"}}'),
    ("PUT", "/collections/d", '{"vectors": {"size": 2, "distance": "Cosinus"}}'),
    ("PUT", "/collections/d", '{"vectors": {"size": "2", "distance": "Dot"}}'),
    ("POST", "/collections/aliases", '{"actions": [{"foo": {}}]}'),
]


@pytest.mark.parametrize(("method", "path", "body"), MALFORMED)
def test_malformed_bodies(http: httpx.Client, method: str, path: str, body: str) -> None:
    response = http.request(method, path, params={"wait": "true"}, content=body)
    refused(response, 400, "Format error in JSON body: ")
    assert response.json()["time"] == 0.0
    unchanged(http)


BAD_PATH = {"must": {"nested": {"key": "a", "filter": {"should": [{"is_null": {"key": "b["}}]}}}}
BAD_DATE = {"must_not": [{"key": "a", "range": {"gt": "2014-01-01T00:00:00Z", "lt": "soon"}}]}
UNREADABLE: list[tuple[str, str, Any]] = [
    *(("POST", f"{POINTS}/{end}", {"filter": BAD_PATH}) for end in ("scroll", "count", "query", "delete")),
    *(("POST", f"{POINTS}/{end}", {"filter": BAD_DATE}) for end in ("scroll", "count", "query", "payload/clear")),
    ("POST", "/collections/c/facet", {"key": "a."}),
    ("POST", f"{POINTS}/scroll", {"order_by": "a["}),
    ("POST", f"{POINTS}/scroll", {"order_by": {"key": "a["}}),
    ("POST", f"{POINTS}/scroll", {"order_by": {"key": "a", "start_from": "soon"}}),
    ("POST", f"{POINTS}/query", {"query": {"order_by": "a["}}),
    ("POST", f"{POINTS}/query", {"prefetch": [{"prefetch": {"filter": BAD_PATH}}], "query": [1, 2]}),
    ("POST", f"{POINTS}/query", {"prefetch": {}, "query": {"formula": {"sum": [{"datetime_key": ".a"}]}}}),
    ("POST", f"{POINTS}/query", {"prefetch": {}, "query": {"formula": {"neg": {"key": ".a", "match": {"value": 1}}}}}),
    ("POST", f"{POINTS}/query", {"with_payload": ["a["]}),
    ("POST", f"{POINTS}/query", {"with_payload": {"exclude": ["a["]}}),
    ("POST", POINTS, {"ids": [1], "with_payload": {"include": ["a["]}}),
    ("POST", f"{POINTS}/query/groups", {"group_by": "a["}),
    ("POST", f"{POINTS}/query/batch", {"searches": [{}, {"filter": BAD_DATE}]}),
    ("POST", f"{POINTS}/search", {"vector": [1, 2], "limit": 1, "filter": BAD_PATH}),
    ("POST", f"{POINTS}/recommend/groups", {"positive": [1], "limit": 1, "group_size": 1, "group_by": "a["}),
    ("POST", f"{POINTS}/payload", {"payload": {}, "points": [1], "key": "a["}),
    ("POST", f"{POINTS}/payload/delete", {"keys": ["a", "b["], "points": [1]}),
    ("PUT", POINTS, {"points": [{"id": 1, "vector": [3, 4]}], "update_filter": BAD_PATH}),
    ("POST", f"{POINTS}/vectors/delete", {"vector": [""], "points": [1], "filter": BAD_PATH}),
    ("POST", f"{POINTS}/batch", {"operations": [{"delete": {"points": [1]}}, {"delete": {"filter": BAD_PATH}}]}),
    ("PUT", "/collections/c/index", {"field_name": "a[", "field_schema": "keyword"}),
]


@pytest.mark.parametrize(("method", "path", "body"), UNREADABLE)
def test_paths_and_dates_are_part_of_the_body(http: httpx.Client, method: str, path: str, body: Any) -> None:
    """So they are refused with it, whether or not there is a collection."""
    for at in (path, path.replace("/c", "/missing", 2).replace("/missingollections", "/collections")):
        response = http.request(method, at, params={"wait": "true"}, json=body)
        bad = "'soon' does not match" if "soon" in str(body) else "Invalid json path: '"
        refused(response, 400, f"Format error in JSON body: {bad}")
        assert response.json()["time"] == 0.0
    unchanged(http)


@pytest.mark.parametrize("end", ["delete", "payload/clear"])
def test_a_filter_beside_ids_is_not_read(http: httpx.Client, end: str) -> None:
    body = {"points": [7], "filter": {"must": {"key": "a["}}}
    status = 200 if end == "delete" else 404
    assert http.post(f"{POINTS}/{end}", params={"wait": "true"}, json=body).status_code == status


TOO_LARGE: list[tuple[str, str, Any]] = [
    ("POST", f"{POINTS}/scroll", {"limit": 2**64}),
    ("POST", f"{POINTS}/scroll", {"filter": {"must": {"key": "a", "values_count": {"lt": 2**64}}}}),
    ("POST", f"{POINTS}/query", {"limit": 2**64}),
    ("POST", f"{POINTS}/query", {"offset": 2**64, "limit": 0}),
    ("POST", f"{POINTS}/query", {"query": [1, 2], "params": {"hnsw_ef": 2**64}}),
    ("POST", f"{POINTS}/query", {"query": {"nearest": [1, 2], "mmr": {"candidates_limit": 2**64}}}),
    ("POST", f"{POINTS}/query", {"prefetch": {"limit": 2**64}, "query": {"rrf": {}}}),
    ("POST", f"{POINTS}/query/groups", {"group_by": "a", "group_size": 2**64}),
    ("POST", f"{POINTS}/search", {"vector": [1, 2], "limit": 2**64}),
    ("POST", f"{POINTS}/search/matrix/pairs", {"sample": 2**64}),
    ("POST", "/collections/c/facet", {"key": "a", "limit": 2**64}),
    ("PUT", "/collections/d", {"vectors": {"size": 2**64, "distance": "Dot"}}),
    ("PUT", "/collections/d", {"hnsw_config": {"m": 2**64}}),
    ("PATCH", "/collections/c", {"optimizers_config": {"max_optimization_threads": 2**64}}),
    ("PATCH", "/collections/c", {"strict_mode_config": {"sparse_config": {"x": {"max_length": 2**64}}}}),
]


@pytest.mark.parametrize(("method", "path", "body"), TOO_LARGE)
def test_numbers_beyond_64_bits(http: httpx.Client, method: str, path: str, body: Any) -> None:
    text = "Format error in JSON body: invalid type: floating point `1.8446744073709552e19`, expected usize"
    refused(http.request(method, path, json=body), 400, text)
    unchanged(http)


NOT_OF_THEIR_TYPE: list[tuple[str, str, Any]] = [
    ("POST", f"{POINTS}/scroll", {"limit": 10**400}),
    ("POST", f"{POINTS}/scroll", {"filter": {"must": {"slice": {"total": 2**32, "index": 1}}}}),
    ("POST", f"{POINTS}/scroll", {"filter": {"must": {"key": "a", "match": {"value": 2**63}}}}),
    ("POST", f"{POINTS}/scroll", {"filter": {"must": {"key": "a", "match": {"any": [1, 2**63]}}}}),
    ("POST", f"{POINTS}/scroll", {"filter": {"must": {"key": "a", "match": {"except": [-(2**63) - 1]}}}}),
    ("POST", f"{POINTS}/search/groups", {"vector": [1, 2], "group_by": "a", "limit": 2**32, "group_size": 1}),
    ("POST", f"{POINTS}/recommend/groups", {"positive": [1], "group_by": "a", "limit": 1, "group_size": 2**32}),
    ("PUT", "/collections/d", {"shard_number": 2**32}),
    ("PATCH", "/collections/c", {"params": {"replication_factor": 2**32}}),
    ("PATCH", "/collections/c", {"params": {"read_fan_out_factor": 2**32}}),
    ("PATCH", "/collections/c", {"strict_mode_config": {"max_resident_memory_percent": 256}}),
    ("PUT", "/quotas", {"enabled": True, "max_disk_usage_percent": 256}),
]


@pytest.mark.parametrize(("method", "path", "body"), NOT_OF_THEIR_TYPE)
def test_numbers_beyond_their_type(http: httpx.Client, method: str, path: str, body: Any) -> None:
    refused(http.request(method, path, json=body), 400, "Format error in JSON body: ")
    unchanged(http)


def test_the_largest_numbers(http: httpx.Client) -> None:
    largest = 2**64 - 1
    for end, body in (
        ("scroll", {"limit": largest, "filter": {"must": {"key": "a", "values_count": {"lt": largest}}}}),
        ("query", {"query": [1, 2], "limit": largest, "offset": 0, "params": {"hnsw_ef": largest}}),
        ("scroll", {"filter": {"must": {"key": "a", "match": {"except": [2**63 - 1, -(2**63)]}}}}),
    ):
        points = http.post(f"{POINTS}/{end}", json=body).json()["result"]["points"]
        assert [point["id"] for point in points] == [1]


INVALID: list[tuple[str, str, Any, str]] = [
    ("POST", f"{POINTS}/query", {"limit": 0}, "internal.limit: value 0 invalid, must be 1 or larger"),
    (
        "POST",
        f"{POINTS}/query/batch",
        {"searches": [{"limit": 0}]},
        "searches[0].internal.limit: value 0 invalid, must be 1 or larger",
    ),
    ("POST", f"{POINTS}/scroll", {"limit": 0}, "scroll_request.limit: value 0 invalid, must be 1 or larger"),
    ("POST", f"{POINTS}/search", {"vector": [1, 2], "limit": 0}, "search_request.limit: value 0 invalid"),
    (
        "PUT",
        "/collections/d",
        {"vectors": {"size": 65537, "distance": "Dot"}},
        "vectors.size: value 65537 invalid, must be from 1 to 65536",
    ),
    ("PUT", POINTS, {"points": [{"id": 2, "vector": []}]}, "points[0].vector.vector: dense vector must not be empty"),
    (
        "PUT",
        POINTS,
        {"batch": {"ids": [2, 3], "vectors": [[1, 2]]}},
        "batch.batch: number of ids and vectors must be equal (2 != 1)",
    ),
    (
        "POST",
        f"{POINTS}/count",
        {"filter": {"must": {"key": "a"}}},
        "count_request.filter.must[0].__all__: Validation error",
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "problem"), INVALID)
def test_invalid_bodies(http: httpx.Client, method: str, path: str, body: Any, problem: str) -> None:
    response = http.request(method, path, params={"wait": "true"}, json=body)
    refused(response, 422, "Validation error in JSON body: [")
    assert problem in response.json()["status"]["error"]
    assert response.json()["time"] == 0.0
    unchanged(http)


WRONG: list[tuple[str, str, Any, int, str]] = [
    ("GET", f"{POINTS}/XYZ", None, 400, 'Wrong input: Can not recognize "XYZ" as point id'),
    ("GET", f"{POINTS}/-1", None, 400, 'Wrong input: Can not recognize "-1" as point id'),
    ("GET", f"{POINTS}/2", None, 404, "Not found: Point with id 2 does not exists!"),
    ("GET", "/collections/d", None, 404, "Not found: Collection `d` doesn't exist!"),
    ("POST", "/collections/d/points/query", {}, 404, "Not found: Collection `d` doesn't exist!"),
    ("PUT", "/collections/d/points", {"points": []}, 404, "Not found: Collection `d` doesn't exist!"),
    ("PUT", "/collections/c", {}, 409, "Wrong input: Collection `c` already exists!"),
    (
        "PUT",
        POINTS,
        {"points": [{"id": 1, "vector": [3, 4]}, {"id": 2, "vector": [1, 2, 3]}]},
        400,
        "Wrong input: Vector dimension error: expected dim: 2, got 3",
    ),
    (
        "PUT",
        POINTS,
        {"points": [{"id": 1, "vector": {"x": [3, 4]}}]},
        400,
        "Wrong input: Not existing vector name error: x",
    ),
    ("POST", f"{POINTS}/query", {"query": [1, 2, 3]}, 400, "Wrong input: Vector dimension error: expected dim: 2"),
    ("POST", f"{POINTS}/query", {"query": [1, 2], "using": "x"}, 400, "Wrong input: Not existing vector name error: x"),
    ("POST", f"{POINTS}/query", {"query": 7}, 404, "Not found: No point with id 7 found"),
    (
        "POST",
        f"{POINTS}/payload",
        {"payload": {"b": 1}, "points": [9]},
        404,
        "Not found: No point with id 9 found",
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "text"), WRONG)
def test_wrong_requests(http: httpx.Client, method: str, path: str, body: Any, status: int, text: str) -> None:
    refused(http.request(method, path, params={"wait": "true"}, json=body), status, text)
    unchanged(http)


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("POST", f"{POINTS}/query?timeout=0", 400, "Deserialize error in query parameters: "),
        ("PUT", f"{POINTS}?wait=yes", 400, "Deserialize error in query parameters: "),
        ("DELETE", "/collections/c?timeout=0", 422, "Validation error in query parameters: [timeout: value 0"),
        ("DELETE", "/collections/a%2Fb", 422, "Validation error in path parameters: [collection_name: "),
    ],
)
def test_bad_parameters(http: httpx.Client, method: str, path: str, status: int, text: str) -> None:
    response = http.request(method, path, content=b"{}")
    refused(response, status, text)
    assert response.json()["time"] == 0.0
    unchanged(http)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nowhere"), ("HEAD", "/"), ("PATCH", "/collections"), ("POST", "/collections/c/points/1")],
)
def test_unknown_routes_answer_404_without_body(http: httpx.Client, method: str, path: str) -> None:
    response = http.request(method, path)
    assert (response.status_code, response.content) == (404, b"")


@pytest.mark.parametrize("depth", [60, 5_000, 200_000])
def test_deeply_nested_filters(http: httpx.Client, depth: int) -> None:
    inner = '{"key":"a","match":{"value":1}}'
    body = '{"filter":{"must":' + '{"must":' * depth + inner + "}" * depth + "}}"
    response = http.post(f"{POINTS}/count", content=body)
    assert response.status_code == (200 if depth == 60 else 400), response.text[:200]
    unchanged(http)


@pytest.mark.parametrize("depth", [70, 200, 5_000])
def test_deeply_nested_prefetches(http: httpx.Client, depth: int) -> None:
    body = '{"query":[1,2],"prefetch":' * depth + '{"query":[1,2]}' + "}" * depth
    response = http.post(f"{POINTS}/query", content=body)
    assert response.status_code == 400, response.text[:200]
    unchanged(http)


def test_deeply_nested_payload(http: httpx.Client) -> None:
    payload = '{"a":' * 100_000 + "1" + "}" * 100_000
    body = '{"points":[{"id":1,"vector":[3,4],"payload":' + payload + "}]}"
    response = http.put(POINTS, params={"wait": "true"}, content=body)
    assert response.status_code == 400
    unchanged(http)


def test_invalid_utf8(http: httpx.Client) -> None:
    body = b'{"points":[{"id":1,"vector":[3,4],"payload":{"a":"\xff"}}]}'
    refused(http.put(POINTS, params={"wait": "true"}, content=body), 400, "Format error in JSON body: ")
    unchanged(http)


def test_the_last_of_equal_ids_wins(http: httpx.Client) -> None:
    points = [{"id": 2, "vector": [1, 1], "payload": {"n": n}} for n in range(3)]
    assert http.put(POINTS, params={"wait": "true"}, json={"points": points}).status_code == 200
    assert http.get(f"{POINTS}/2").json()["result"]["payload"] == {"n": 2}
    assert http.post(f"{POINTS}/count", json={}).json()["result"] == {"count": 2}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_the_content_type_does_not_matter(http: httpx.Client, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    assert http.post(f"{POINTS}/count", content=b"{}", headers=headers).status_code == 200


def subclasses(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(below for child in kind.__subclasses__() for below in subclasses(child))]


def test_every_error_has_a_status() -> None:
    for kind in subclasses(errors.QdliteError):
        assert any(base in STATUSES for base in kind.__mro__), kind
    assert all(issubclass(kind, errors.QdliteError) for kind in STATUSES)


def test_rate_limits_say_when_to_come_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def limited() -> list[str]:
        raise errors.RateLimited("Read rate limit exceeded", retry_after=3)

    monkeypatch.setattr(database, "list_collections", limited)
    answer = Api(database).answer(Request("GET", "/collections"))
    assert answer.status == 429
    assert ("retry-after", "3") in answer.headers


def test_an_unexpected_failure_is_logged_and_answered(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> list[str]:
        raise ZeroDivisionError("by accident")

    monkeypatch.setattr(database, "list_collections", broken)
    answer = Api(database).answer(Request("GET", "/collections"))
    assert answer.status == 500
    text = "Service internal error: ZeroDivisionError: by accident"
    assert json.loads(answer.body)["status"]["error"] == text
    assert "Traceback" in caplog.text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    ["points", "id", "vector", "query", "filter", "must", "key", "match", "limit", "prefetch", "ids"]
)
shaped = st.recursive(
    json_values,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["", "/query", "/scroll", "/count", "/delete", "/batch", "/query/groups"]),
    st.sampled_from(["POST", "PUT"]),
    shaped,
)
def test_no_body_brings_the_server_down(api: Api, end: str, method: str, body: Any) -> None:
    answer = api.answer(Request(method, POINTS + end, "wait=true", json.dumps(body).encode()))
    assert answer.status in (200, 400, 404, 422), answer.body


@pytest.fixture
def api(database: Database) -> Api:
    api = Api(database)
    api.answer(Request("PUT", "/collections/c", body=b'{"vectors": {"size": 2, "distance": "Dot"}}'))
    return api
