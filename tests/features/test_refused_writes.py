"""Feature: a refused write has changed nothing, whatever stood before the bad part of it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdlite import Database
from qdlite_server.inprocess import URL, InProcessTransport

P = "/collections/c/points"
MULTI = {"size": 2, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}}

good_points = st.fixed_dictionaries(
    {
        "id": st.integers(1, 6),
        "vector": st.sampled_from(
            [{}, {"d": [5.0, 6.0]}, {"m": [[1.0, 2.0]]}, {"s": {"indices": [4], "values": [1.0]}, "d": [7.0, 8.0]}]
        ),
        "payload": st.sampled_from([None, {}, {"a": 9}, {"b": [1, {"c": None}]}]),
    }
)
bad_points = st.sampled_from(
    [
        {"id": 3, "vector": {"d": [1.0]}},
        {"id": 7, "vector": {"d": [1.0, 2.0, 3.0]}},
        {"id": 7, "vector": {"d": [[1.0, 2.0]]}},
        {"id": 7, "vector": {"m": [[1.0, 2.0], [1.0]]}},
        {"id": 7, "vector": {"m": [[]]}},
        {"id": 7, "vector": {"s": {"indices": [1, 1], "values": [1.0, 2.0]}}},
        {"id": 7, "vector": {"s": [1.0, 2.0]}},
        {"id": 7, "vector": {"nope": [1.0, 2.0]}},
        {"id": 7, "vector": [1.0, 2.0]},
        {"id": -1, "vector": {}},
        {"id": "x", "vector": {}},
        {"id": 7},
        {"id": 7, "vector": {"d": ["1", 2]}},
        {"id": 7, "vector": {}, "payload": [1]},
        {"id": 7, "vector": {"d": {"text": "a", "model": "no/such-model"}}},
    ]
)
bad_selectors: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {"points": [1, 99]}, {"points": ["x"]}, {"filter": {"foo": 1}}, {"filter": {"must": [{"key": "a["}]}}]
)
good_ids = st.lists(st.integers(1, 3), min_size=1, unique=True)


@st.composite
def with_one_bad(draw: st.DrawFn, good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any]) -> list[Any]:
    items = draw(st.lists(good, max_size=5))
    items.insert(draw(st.integers(0, len(items))), draw(bad))
    return items


upserts = st.builds(
    lambda points, mode: ("PUT", P, {"points": points, **mode}),
    with_one_bad(good_points, bad_points),
    st.sampled_from([{}, {"update_mode": "upsert"}, {"update_filter": {"must": {"key": "a", "match": {"value": 1}}}}]),
)
columns = st.sampled_from(
    [
        {"ids": [1, 2], "vectors": {"d": [[9.0, 9.0]]}},
        {"ids": [1, 2], "vectors": {"d": [[9.0, 9.0], [9.0]]}},
        {"ids": [1, 2], "vectors": {"d": [[9.0, 9.0], [9.0, 9.0]]}, "payloads": [{"a": 5}]},
        {"ids": [1, 2], "vectors": {"m": [[[9.0, 9.0]], [[]]]}},
        {"ids": [1, 2], "vectors": {"d": [[9.0, 9.0], [9.0, 9.0]], "nope": [[1.0], [1.0]]}},
        {"ids": [1, "x"], "vectors": {"d": [[9.0, 9.0], [9.0, 9.0]]}},
    ]
).map(lambda batch: ("PUT", P, {"batch": batch}))
vector_updates = with_one_bad(
    st.fixed_dictionaries({"id": st.integers(2, 3), "vector": st.just({"d": [9.0, 9.0]})}),
    st.sampled_from(
        [
            {"id": 99, "vector": {"d": [1.0, 1.0]}},
            {"id": 1, "vector": {"d": [1.0]}},
            {"id": 1, "vector": {"nope": [1.0]}},
            {"id": 1, "vector": {}},
            {"id": 1, "vector": {"m": [[1.0, 2.0], []]}},
        ]
    ),
).map(lambda points: ("PUT", f"{P}/vectors", {"points": points}))
payload_writes = st.builds(
    lambda method, payload, key, selector: (method, f"{P}/payload", {"payload": payload, **key, **selector}),
    st.sampled_from(["POST", "PUT"]),
    st.just({"a": 7, "new": 1}),
    st.sampled_from([{}, {"key": "b"}]),
    bad_selectors,
)
bad_payloads = st.sampled_from([[1], None, "x"]).map(
    lambda payload: ("POST", f"{P}/payload", {"payload": payload, "points": [1]})
)
bad_keys = good_ids.map(lambda ids: ("POST", f"{P}/payload/delete", {"keys": ["a", "b["], "points": ids}))
key_removals = bad_selectors.map(lambda selector: ("POST", f"{P}/payload/delete", {"keys": ["a"], **selector}))
clearings = bad_selectors.map(lambda selector: ("POST", f"{P}/payload/clear", selector))
vector_removals = st.one_of(
    good_ids.map(lambda ids: ("POST", f"{P}/vectors/delete", {"vector": ["d", "nope"], "points": ids})),
    bad_selectors.map(lambda selector: ("POST", f"{P}/vectors/delete", {"vector": ["d"], **selector})),
)
deletions = bad_selectors.filter(lambda selector: selector != {"points": [1, 99]}).map(
    lambda selector: ("POST", f"{P}/delete", selector)
)
malformed_batches = st.sampled_from([{}, {"foo": {}}, {"upsert": {"points": [{"id": -1, "vector": {}}]}}]).map(
    lambda bad: ("POST", f"{P}/batch", {"operations": [{"delete": {"points": [1]}}, bad]})
)
schemas = st.sampled_from(
    [
        ("PUT", "/collections/c/index", {"field_name": "a[", "field_schema": "integer"}),
        ("PUT", "/collections/c/index", {"field_name": "a"}),
        ("PUT", "/collections/c/index", {"field_name": "a", "field_schema": "nope"}),
        ("PUT", "/collections/c/vectors/d", {"dense": {"size": 9, "distance": "Dot"}}),
        ("PUT", "/collections/c/vectors/d", {"sparse": {}}),
        ("PATCH", "/collections/c", {"metadata": {"x": 1}, "vectors": {"nope": {}}}),
        ("PATCH", "/collections/c", {"metadata": {"x": 1}, "hnsw_config": {"ef_construct": 1}}),
        ("PUT", "/collections/c", {}),
        (
            "POST",
            "/collections/aliases",
            {"actions": [{"rename_alias": {"old_alias_name": "x", "new_alias_name": "y"}}]},
        ),
    ]
)
writes = st.one_of(
    upserts, columns, vector_updates, payload_writes, bad_payloads, bad_keys, key_removals, clearings,
    vector_removals, deletions, malformed_batches, schemas,
)  # fmt: skip


@pytest.fixture(scope="module")
def plain() -> Any:
    """Plain HTTP on a database whose state no test changes."""
    with Database() as database, httpx.Client(base_url=URL, transport=InProcessTransport(database)) as http:
        vectors = {"d": {"size": 2, "distance": "Dot"}, "m": MULTI}
        http.put("/collections/c", json={"vectors": vectors, "sparse_vectors": {"s": {}}, "metadata": {"m": 1}})
        points = [
            {"id": 1, "vector": {"d": [1.0, 2.0], "s": {"indices": [1], "values": [1.0]}}, "payload": {"a": 1}},
            {"id": 2, "vector": {"m": [[1.0, 2.0]]}, "payload": {"b": {"c": [1]}}},
            {"id": 3, "vector": {}},
        ]
        http.put(P, params={"wait": "true"}, json={"points": points})
        yield http


def everything(http: httpx.Client) -> Any:
    points = http.post(f"{P}/scroll", json={"with_vector": True}).json()["result"]
    return points, http.get("/collections/c").json()["result"], http.get("/aliases").json()["result"]


@given(write=writes)
@settings(max_examples=settings().max_examples * 4)
def test_nothing_has_changed(plain: httpx.Client, write: tuple[str, str, Any]) -> None:
    method, path, body = write
    before = everything(plain)
    response = plain.request(
        method, path, params={"wait": "true"}, content=json.dumps(body) if body is not None else b""
    )
    assert 400 <= response.status_code < 500, response.text
    assert everything(plain) == before
