"""Feature: a collection's configuration is echoed as given, and changed part by part."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

C = "/collections/c"
SMALL = {"size": 2, "distance": "Dot"}
QUANTIZATIONS: list[dict[str, Any]] = [
    {"scalar": {"type": "int8"}},
    {"scalar": {"type": "int8", "quantile": 0.75, "always_ram": True}},
    {"scalar": {"type": "int8", "memory": "pinned"}},
    *({"product": {"compression": rate}} for rate in ("x4", "x8", "x16", "x32", "x64")),
    {"product": {"compression": "x4", "always_ram": False, "memory": "cold"}},
    {"binary": {}},
    {"binary": {"always_ram": True, "memory": "cached"}},
    *({"binary": {"encoding": encoding}} for encoding in ("one_bit", "two_bits", "one_and_half_bits")),
    *({"binary": {"query_encoding": encoding}} for encoding in ("default", "binary", "scalar4bits", "scalar8bits")),
    {"turbo": {}},
    *({"turbo": {"bits": bits}} for bits in ("bits1", "bits1_5", "bits2", "bits4")),
    {"turbo": {"always_ram": True}},
]


def config(http: httpx.Client, name: str = "c") -> Any:
    return http.get(f"/collections/{name}").json()["result"]["config"]


def create(http: httpx.Client, body: dict[str, Any]) -> Any:
    assert http.put(C, json=body).json()["result"] is True
    return config(http)


def patch(http: httpx.Client, body: dict[str, Any]) -> Any:
    assert http.patch(C, json=body).json()["result"] is True
    return config(http)


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_quantization_is_echoed_and_exchanged(http: httpx.Client, quantization: dict[str, Any]) -> None:
    created = create(
        http, {"vectors": {**SMALL, "quantization_config": quantization}, "quantization_config": quantization}
    )
    assert created["quantization_config"] == quantization
    assert created["params"]["vectors"]["quantization_config"] == quantization
    other = {"product": {"compression": "x16"}}
    assert patch(http, {"quantization_config": other})["quantization_config"] == other
    changed = patch(http, {"vectors": {"": {"quantization_config": quantization}}, "quantization_config": None})
    assert changed["quantization_config"] == other
    disabled = patch(http, {"quantization_config": "Disabled", "vectors": {"": {"quantization_config": "Disabled"}}})
    assert disabled["quantization_config"] is None
    assert "quantization_config" not in disabled["params"]["vectors"]


@pytest.mark.parametrize(
    "quantization",
    [
        {},
        {"foo": {}},
        {"scalar": {}},
        {"scalar": {"type": "int4"}},
        {"product": {}},
        {"product": {"compression": "x3"}},
        {"binary": {"encoding": "three_bits"}},
        {"binary": {"query_encoding": "float"}},
        {"turbo": {"bits": "bits3"}},
        {"binary": {}, "scalar": {"type": "int8"}},
        "Disabled",
    ],
)
def test_quantization_that_is_none(http: httpx.Client, quantization: Any) -> None:
    for body in ({"quantization_config": quantization}, {"vectors": {**SMALL, "quantization_config": quantization}}):
        response = http.put(C, json=body)
        assert response.status_code == 400
        assert response.json()["status"]["error"].startswith("Format error in JSON body: ")
        assert http.get(f"{C}/exists").json()["result"] == {"exists": False}


@pytest.mark.parametrize("quantile", [0.49, 1.01])
def test_quantile_out_of_range(http: httpx.Client, quantile: float) -> None:
    response = http.put(C, json={"quantization_config": {"scalar": {"type": "int8", "quantile": quantile}}})
    text = f"[quantization_config.scalar.quantile: value {quantile} invalid, must be from 0.5 to 1.0]"
    assert response.json()["status"]["error"] == f"Validation error in JSON body: {text}"


def test_searches_with_quantization_parameters(http: httpx.Client) -> None:
    create(http, {"vectors": SMALL, "quantization_config": {"binary": {}}})
    http.put(f"{C}/points", params={"wait": "true"}, json={"points": [{"id": 1, "vector": [1, 2]}]})
    for quantization in ({}, {"ignore": True}, {"rescore": True}, {"rescore": False, "oversampling": 2.4}):
        body = {"query": [3, 4], "params": {"quantization": quantization}}
        assert http.post(f"{C}/points/query", json=body).json()["result"]["points"][0]["score"] == 11.0


def test_memory_placement(http: httpx.Client) -> None:
    body: dict[str, Any] = {
        "vectors": {
            "a": {**SMALL, "memory": "cold", "hnsw_config": {"memory": "pinned"}},
            "b": {**SMALL, "on_disk": True},
        },
        "sparse_vectors": {"s": {"index": {"memory": "pinned"}}},
        "payload": {"memory": "cached"},
        "hnsw_config": {"memory": "cached"},
    }
    created = create(http, body)
    assert {name: created["params"][name] for name in ("vectors", "sparse_vectors", "payload")} == {
        name: body[name] for name in ("vectors", "sparse_vectors", "payload")
    }
    assert created["hnsw_config"]["memory"] == "cached"
    changed = patch(http, {"vectors": {"a": {"memory": "cached"}, "b": {"on_disk": None}}, "params": {"payload": None}})
    assert changed["params"]["vectors"]["a"]["memory"] == "cached"
    assert changed["params"]["vectors"]["b"]["on_disk"] is True
    assert changed["params"]["payload"] == {"memory": "cached"}


FULL: dict[str, Any] = {
    "vectors": {"d": {**SMALL, "hnsw_config": {"m": 5}, "on_disk": True}},
    "sparse_vectors": {"s": {"index": {"on_disk": True, "full_scan_threshold": 5}, "modifier": "idf"}},
    "hnsw_config": {"m": 7, "payload_m": 3},
    "optimizers_config": {"indexing_threshold": 100, "max_optimization_threads": 2},
    "quantization_config": {"scalar": {"type": "int8"}},
    "strict_mode_config": {"enabled": False, "max_query_limit": 5, "sparse_config": {"s": {"max_length": 3}}},
    "metadata": {"a": 1, "b": {"c": 2}},
}
NOTHING: list[dict[str, Any]] = [
    {},
    {"unknown": 1},
    *({name: None} for name in ("vectors", "params", *FULL)),
    {"vectors": {}, "sparse_vectors": {}, "params": {}, "hnsw_config": {}, "optimizers_config": {}, "metadata": {}},
    {"vectors": {"d": {"hnsw_config": None, "on_disk": None, "quantization_config": None, "memory": None}}},
    {"vectors": {"d": {"hnsw_config": {"m": None}}}},
    {"sparse_vectors": {"s": {"index": None, "modifier": None}}},
    {"sparse_vectors": {"s": {"index": {"on_disk": None}}}},
    {"hnsw_config": {"m": None, "payload_m": None}},
    {"optimizers_config": {"indexing_threshold": None, "max_optimization_threads": None}},
    {"strict_mode_config": {"enabled": None, "max_query_limit": None, "sparse_config": None}},
    {"params": {"replication_factor": None, "read_fan_out_factor": None, "on_disk_payload": None, "payload": None}},
]


@pytest.mark.parametrize("body", NOTHING)
def test_null_and_absent_change_nothing(http: httpx.Client, body: dict[str, Any]) -> None:
    before = create(http, FULL)
    assert patch(http, body) == before


CHANGES: list[tuple[dict[str, Any], tuple[str, ...], Any]] = [
    ({"metadata": {"a": None, "b": {"d": 3}, "e": None, "f": []}}, ("metadata",), {"b": {"d": 3}, "f": []}),
    (
        {"vectors": {"d": {"hnsw_config": {"ef_construct": 9}}}},
        ("params", "vectors", "d", "hnsw_config"),
        {"m": 5, "ef_construct": 9},
    ),
    (
        {"sparse_vectors": {"s": {"index": {"on_disk": False}}}},
        ("params", "sparse_vectors", "s"),
        {"index": {"on_disk": False, "full_scan_threshold": 5}, "modifier": "idf"},
    ),
    ({"sparse_vectors": {"s": {"modifier": "none"}}}, ("params", "sparse_vectors", "s", "modifier"), "none"),
    (
        {"optimizers_config": {"max_optimization_threads": "auto"}},
        ("optimizer_config", "max_optimization_threads"),
        None,
    ),
    ({"optimizer_config": {"indexing_threshold_kb": 0}}, ("optimizer_config", "indexing_threshold"), 0),
    ({"quantization": {"turbo": {}}}, ("quantization_config",), {"turbo": {}}),
    ({"strict_mode_config": {"max_timeout": 9}}, ("strict_mode_config", "max_timeout"), 9),
    ({"strict_mode_config": {"max_timeout": 9}}, ("strict_mode_config", "max_query_limit"), 5),
    ({"params": {"read_fan_out_factor": 3}}, ("params", "read_fan_out_factor"), 3),
]


@pytest.mark.parametrize(("body", "path", "expected"), CHANGES)
def test_what_is_given_is_merged(
    http: httpx.Client, body: dict[str, Any], path: tuple[str, ...], expected: Any
) -> None:
    create(http, FULL)
    value = patch(http, body)
    for step in path:
        value = value[step]
    assert value == expected


def test_a_refused_change_changes_nothing(http: httpx.Client) -> None:
    before = create(http, FULL)
    body = {"metadata": {"x": 1}, "hnsw_config": {"m": 99}, "vectors": {"nope": {"on_disk": False}}}
    assert http.patch(C, json=body).status_code == 400
    assert config(http) == before


def test_an_echoed_configuration_makes_an_equal_collection(http: httpx.Client) -> None:
    """As the client's `migrate` does."""
    echoed = create(http, FULL)
    body = {
        name: value
        for name, value in echoed["params"].items()
        if name in ("vectors", "sparse_vectors", "on_disk_payload")
    }
    body |= {
        name: echoed[name]
        for name in ("hnsw_config", "wal_config", "quantization_config", "strict_mode_config", "metadata")
    }
    body["optimizers_config"] = echoed["optimizer_config"]
    assert http.put("/collections/again", json=body).json()["result"] is True
    assert config(http, "again") == echoed


def test_warnings_about_inline_storage(http: httpx.Client) -> None:
    multi = {**SMALL, "multivector_config": {"comparator": "max_sim"}}
    create(http, {"vectors": {"m": multi, "d": SMALL}, "hnsw_config": {"inline_storage": True}})
    warnings = [warning["message"] for warning in http.get(C).json()["result"]["warnings"]]
    assert warnings == [
        "The `hnsw_config.inline_storage` option for vector 'm' is not compatible with multivectors. "
        "This option will be ignored.",
        "The `hnsw_config.inline_storage` option for vector 'd' requires quantization to be enabled. "
        "This option will be ignored.",
    ]
    patch(http, {"quantization_config": {"binary": {}}})
    assert len(http.get(C).json()["result"]["warnings"]) == 1


INDEXES: list[tuple[Any, Any]] = [
    ("integer", None),
    ({"type": "integer"}, {"type": "integer", "lookup": None, "range": None, "is_principal": None}),
    ({"type": "integer", "lookup": False}, {"type": "integer", "lookup": False, "range": None, "is_principal": None}),
    ({"type": "float", "is_principal": True}, {"type": "float", "is_principal": True}),
    ({"type": "datetime"}, {"type": "datetime", "is_principal": None}),
    ({"type": "keyword", "is_tenant": True, "lookup": True}, {"type": "keyword", "is_tenant": True}),
    ({"type": "keyword", "prefix": True, "memory": "cold"}, {"type": "keyword", "prefix": True, "memory": "cold"}),
    ({"type": "uuid", "is_tenant": False, "prefix": True}, {"type": "uuid", "is_tenant": False}),
    ({"type": "geo", "on_disk": True, "enable_hnsw": False}, {"type": "geo", "on_disk": True, "enable_hnsw": False}),
    ({"type": "bool"}, {"type": "bool"}),
    ({"type": "text"}, {"type": "text", "tokenizer": "word"}),
    (
        {"type": "text", "tokenizer": "prefix", "min_token_len": 2, "stopwords": "english", "phrase_matching": True},
        {"type": "text", "tokenizer": "prefix", "min_token_len": 2, "stopwords": "english", "phrase_matching": True},
    ),
]


@pytest.mark.parametrize(("schema", "params"), INDEXES)
def test_options_of_payload_indexes_are_echoed(http: httpx.Client, schema: Any, params: Any) -> None:
    create(http, {})
    http.put(f"{C}/index", params={"wait": "true"}, json={"field_name": "f", "field_schema": schema})
    (shown,) = http.get(C).json()["result"]["payload_schema"].values()
    assert shown.get("params") == params
    assert shown["points"] == 0


def test_a_vector_is_made_anew_whatever_became_of_how_it_is_kept(http: httpx.Client) -> None:
    # `dense_schema_matches` in `lib/collection/src/collection/vector_name_schema.rs`.
    http.put(C, json={"vectors": {"v": {**SMALL, "hnsw_config": {"m": 4}}}, "sparse_vectors": {"s": {}}})
    patch(http, {"sparse_vectors": {"s": {"index": {"full_scan_threshold": 7}}}})
    before = config(http)
    for body in ({"dense": SMALL}, {"dense": {**SMALL, "size": 3}}):
        answer = http.put(f"{C}/vectors/v?wait=true", json=body)
        assert answer.status_code == (200 if body["dense"] == SMALL else 400)
    assert http.put(f"{C}/vectors/s?wait=true", json={"sparse": {}}).status_code == 200
    refused = http.put(f"{C}/vectors/s", json={"sparse": {"modifier": "idf"}}).json()["status"]["error"]
    assert refused == "Wrong input: Sparse vector `s` already exists with a different configuration"
    assert config(http) == before


def test_a_vector_that_is_not_there_can_be_deleted(http: httpx.Client) -> None:
    # `delete_vector_name_impl` in `lib/segment/src/segment/vector_name_ops.rs`.
    before = create(http, {"vectors": SMALL, "sparse_vectors": {"s": {}}})
    assert http.delete(f"{C}/vectors/none?wait=true").json()["result"]["status"] == "completed"
    assert config(http) == before
    http.delete(f"{C}/vectors/s?wait=true")
    assert config(http)["params"] == {**before["params"], "sparse_vectors": {}}
