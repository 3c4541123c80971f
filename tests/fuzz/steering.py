"""How do random requests get past the first check? Names, ids and lengths are replaced by some that exist.

Schemathesis makes requests that agree with the OpenAPI file, or break it in one place; almost all of them name a
collection that is not there. Steering leaves the shape of a request alone and puts known things into it, with a
certain chance for each place, so that some requests stay as odd as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, TypeAlias

from tests.fuzz import seeds

Steer: TypeAlias = Callable[[Random, Any], Any]

CHANCE = 0.8
NOWHERE = (
    "file:///nowhere/x.snapshot",
    "http://127.0.0.1:9/ü x?y",
    "http://127.0.0.1:99999/",
    "ftp://127.0.0.1/x",
    "x",
)
MODELS = ("qdrant/bm25", f"hashing/{seeds.SIZE}", "hashing/9", "unknown")
SHAPES: Mapping[str, Any] = {
    "": [1.0, 0.0, 2.0, -1.0],
    "dense": [1.0, 0.0, 2.0, -1.0],
    "multi": [[1.0, 0.0, 2.0, -1.0]],
    "sparse": {"indices": [100, 3], "values": [1.0, 0.25]},
}


QUERIES: tuple[tuple[Any, str], ...] = (
    (SHAPES["dense"], "dense"),
    (SHAPES["multi"], "multi"),
    (SHAPES["sparse"], "sparse"),
    ({"text": "quick fox", "model": "qdrant/bm25"}, "sparse"),
    ({"recommend": {"positive": [1, 2], "negative": [4], "strategy": "best_score"}}, "dense"),
    ({"discover": {"target": 1, "context": [{"positive": 2, "negative": 4}]}}, "dense"),
    ({"context": [{"positive": 1, "negative": 2}]}, "sparse"),
    ({"order_by": {"key": "count", "direction": "desc"}}, ""),
    ({"fusion": "rrf"}, ""),
    ({"rrf": {"k": 3, "weights": [1.0]}}, ""),
    ({"formula": {"sum": ["$score", {"mult": [0.5, "price"]}]}, "defaults": {"price": 1}}, ""),
    ({"sample": "random"}, ""),
    ({"nearest": 1, "mmr": {"diversity": 0.5}}, "dense"),
)
"""Queries, and the vector that each one is for."""


def completed(random: Random, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """`body` with what a request to `path` needs, or rarely has, added for most requests."""
    complete = next((complete for ending, complete in COMPLETIONS.items() if path.endswith(ending)), None)
    if complete is None or random.random() > CHANCE:
        return body
    return complete(random, body)


def _with_points(random: Random, body: dict[str, Any]) -> dict[str, Any]:
    return body if body.get("points") or body.get("filter") else {**body, "points": [1, 2, 5]}


def _with_type(random: Random, body: dict[str, Any]) -> dict[str, Any]:
    kinds = ("keyword", "integer", "float", "geo", "text", "bool", "datetime", "uuid")
    return body if body.get("field_schema") else {**body, "field_schema": random.choice(kinds)}


def _with_lengths(random: Random, body: dict[str, Any]) -> dict[str, Any]:
    points = [
        {
            "id": random.randint(1, seeds.POINTS),
            "vector": _vector(random, {"a": 0, "b": 0}),
            "payload": seeds.payload(2),
        }
        for _ in range(random.randint(1, 3))
    ]
    return body if body.get("points") else {**{key: body[key] for key in body if key != "batch"}, "points": points}


def _with_query(random: Random, body: dict[str, Any]) -> dict[str, Any]:
    query, using = random.choice(QUERIES)
    prefetch = body.get("prefetch") or {"query": SHAPES["dense"], "using": "dense", "limit": 5}
    composed = not using or random.random() < 0.2
    return {**body, "query": query, "using": using or None, **({"prefetch": prefetch} if composed else {})}


def _with_queries(random: Random, body: dict[str, Any]) -> dict[str, Any]:
    searches = body.get("searches") or [{}]
    return {**body, "searches": [_with_query(random, each) if isinstance(each, dict) else each for each in searches]}


COMPLETIONS: Mapping[str, Callable[[Random, dict[str, Any]], dict[str, Any]]] = {
    "/points": _with_lengths,
    "/points/payload": _with_points,
    "/payload/delete": _with_points,
    "/vectors/delete": _with_points,
    "/index": _with_type,
    "/points/query": _with_query,
    "/query/groups": _with_query,
    "/query/batch": _with_queries,
}


def steered(random: Random, value: Any, key: str = "") -> Any:
    """`value`, found under `key` in a body, with known things in the place of some unknown ones."""
    if key == "location":  # always: whatever is random here may not reach another machine
        return random.choice(NOWHERE)
    steer = KEYS.get(key)
    if steer is not None and random.random() < CHANCE:
        value = steer(random, value)
    if isinstance(value, dict):
        return {name: steered(random, item, name) for name, item in value.items()}
    if isinstance(value, list):
        return _list(random, value, key)
    return value


def _list(random: Random, value: list[Any], key: str) -> list[Any]:
    numbers = bool(value) and all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in value)
    if numbers and key not in ("indices", "values", "weights", "any", "except") and random.random() < CHANCE:
        return [value[at % len(value)] for at in range(seeds.SIZE)]
    return [steered(random, item, _ELEMENTS.get(key, "")) for item in value]


def _field(random: Random, value: Any) -> Any:
    return (
        random.choice([*seeds.FIELDS, "list", "list[]", "list[].s", "place.lon"]) if isinstance(value, str) else value
    )


def _fields(random: Random, value: Any) -> Any:
    return [_field(random, item) for item in value] if isinstance(value, list) else _field(random, value)


def _vector_name(random: Random, value: Any) -> Any:
    if isinstance(value, list):
        return [random.choice(seeds.VECTORS) for _ in value]
    return random.choice(seeds.VECTORS) if isinstance(value, str) else value


def _vector(random: Random, value: Any) -> Any:
    if isinstance(value, list) and any(isinstance(item, str) for item in value):
        return _vector_name(random, value)
    if not isinstance(value, dict) or "indices" in value or "model" in value:
        return value
    return {name: SHAPES[name] for name in random.sample(list(SHAPES), min(len(value), len(SHAPES)))}


def _id(random: Random, value: Any) -> Any:
    return random.randint(1, seeds.POINTS) if isinstance(value, (int, str)) else value


def _ids(random: Random, value: Any) -> Any:
    return [_id(random, item) for item in value] if isinstance(value, list) else value


def _one_of(*choices: str) -> Steer:
    return lambda random, value: random.choice(choices) if isinstance(value, str) else value


_COLLECTION = _one_of(*seeds.COLLECTIONS, "alias")

KEYS: Mapping[str, Steer] = {
    "key": _field,
    "field_name": _field,
    "group_by": _field,
    "order_by": _field,
    "keys": _fields,
    "payload_fields": _fields,
    "using": _vector_name,
    "with_vector": _vector_name,
    "with_vectors": _vector_name,
    "has_vector": _vector_name,
    "vector": _vector,
    "id": _id,
    "ids": _ids,
    "points": _ids,
    "has_id": _ids,
    "positive": _ids,
    "negative": _ids,
    "nearest": _id,
    "model": _one_of(*MODELS),
    "collection": _COLLECTION,
    "collection_name": _COLLECTION,
    "with_lookup": _COLLECTION,
}
_ELEMENTS = {"points": "", "operations": "", "prefetch": ""}

PATHS: Mapping[str, tuple[str, ...]] = {
    "collection_name": ("named", "named", "named", *seeds.COLLECTIONS, "alias"),
    "id": tuple(str(number) for number in range(1, seeds.POINTS + 2)),
    "vector_name": (*seeds.VECTORS[1:], "fresh"),
    "field_name": tuple(seeds.FIELDS),
    "shard_id": ("0",),
}


def steered_path(random: Random, values: Mapping[str, Any], snapshots: Mapping[str, str]) -> dict[str, Any]:
    """The parts of a path, with known names for most. `snapshots` are names by collection, "" for everything."""
    steered = dict(values)
    for name in values:
        known = PATHS.get(name, ())
        if name == "snapshot_name":
            known = (snapshots.get("plain" if "collection_name" in values else "", "none"),)
        if known and random.random() < 0.9:
            steered[name] = random.choice(known)
    return steered
