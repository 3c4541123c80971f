"""Does a path lead to the right endpoint?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import InvalidPath
from qdlite_server.endpoint import Call, Endpoint
from qdlite_server.routes import ENDPOINTS
from qdlite_server.routing import Router

ROUTER = Router(ENDPOINTS)


@pytest.mark.parametrize(
    ("method", "path", "label", "values"),
    [
        ("GET", "/", "GET /", {}),
        ("GET", "/collections/", "GET /collections", {}),
        ("GET", "//collections//x/", "GET /collections/{collection_name}", {"collection_name": "x"}),
        ("POST", "/collections/aliases", "POST /collections/aliases", {}),
        ("GET", "/collections/aliases", "GET /collections/{collection_name}", {"collection_name": "aliases"}),
        ("GET", "/collections/a%20b%C3%A4", "GET /collections/{collection_name}", {"collection_name": "a bä"}),
        (
            "GET",
            "/collections/c/points/scroll",
            "GET /collections/{collection_name}/points/{id}",
            {"collection_name": "c", "id": "scroll"},
        ),
        (
            "DELETE",
            "/collections/c/index/a%2Fb.c%5B%5D",
            "DELETE /collections/{collection_name}/index/{field_name}",
            {"collection_name": "c", "field_name": "a/b.c[]"},
        ),
    ],
)
def test_found(method: str, path: str, label: str, values: dict[str, str]) -> None:
    route = ROUTER.find(method, path)
    assert route is not None
    assert (route.endpoint.label, dict(route.path)) == (label, values)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("HEAD", "/collections"), ("DELETE", "/collections"), ("GET", "/collections/c/points/1/2")],
)
def test_not_found(method: str, path: str) -> None:
    assert ROUTER.find(method, path) is None


def test_every_endpoint_is_found_at_its_own_path() -> None:
    for endpoint in ENDPOINTS:
        route = ROUTER.find(endpoint.method, endpoint.path.replace("{", "").replace("}", "1"))
        assert route is not None
        assert route.endpoint is endpoint


def test_one_place_for_an_endpoint() -> None:
    def handler(database: object, call: Call) -> object:
        return None

    endpoint = Endpoint("GET", "/x/{a}", handler)
    with pytest.raises(ValueError, match="two endpoints"):
        Router([endpoint, Endpoint("GET", "/x/{b}", handler)])


@given(st.sampled_from(["GET", "PUT", "POST", "DELETE"]), st.text(max_size=60))
def test_any_path_is_taken(method: str, path: str) -> None:
    ROUTER.find(method, path)


@pytest.mark.parametrize(
    ("method", "path", "problem"),
    [
        ("GET", "/collections/a%2Fb", 'collection_name: collection name cannot contain "/" char'),
        ("PUT", "/collections/a%3Ab", 'collection_name: collection name cannot contain ":" char'),
        ("PUT", "/collections/c/vectors/a%2Ab", 'vector_name: vector name cannot contain "*" char'),
        ("PUT", f"/collections/c/vectors/{'v' * 201}", "vector_name: vector name must be at most 200 bytes long"),
        (
            "GET",
            f"/collections/{'c' * 256}",
            f'collection_name: value "{"c" * 256}" invalid, must be from 1 to 255 characters',
        ),
    ],
)
def test_names_that_break_a_rule(method: str, path: str, problem: str) -> None:
    route = ROUTER.find(method, path)
    assert route is not None
    with pytest.raises(InvalidPath) as caught:
        route.check()
    assert str(caught.value) == f"Validation error in path parameters: [{problem}]"


def test_old_names_may_hold_what_new_ones_may_not() -> None:
    route = ROUTER.find("GET", "/collections/a%3Ab")
    assert route is not None
    route.check()
