"""What is in the database that is fuzzed? Three small collections that together have every kind of vector and index."""

from __future__ import annotations

from typing import Any

import httpx

from qdlite import Database
from qdlite_server.inprocess import URL, InProcessTransport

COLLECTIONS = ("plain", "named", "documents")
VECTORS = ("", "dense", "multi", "sparse")
POINTS = 12
SIZE = 4

FIELDS: dict[str, Any] = {
    "color": "keyword",
    "count": "integer",
    "price": "float",
    "place": "geo",
    "text": {"type": "text", "phrase_matching": True},
    "flag": "bool",
    "when": "datetime",
    "uid": "uuid",
    "list[].n": "integer",
}

VECTORS_OF: dict[str, dict[str, Any]] = {
    "plain": {"vectors": {"size": SIZE, "distance": "Cosine"}},
    "named": {
        "vectors": {
            "dense": {"size": SIZE, "distance": "Euclid"},
            "multi": {"size": SIZE, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}},
        },
        "sparse_vectors": {"sparse": {"modifier": "idf"}},
    },
    "documents": {
        "vectors": {"dense": {"size": SIZE, "distance": "Manhattan", "datatype": "uint8"}},
        "sparse_vectors": {"sparse": {}},
        "strict_mode_config": {"enabled": True, "max_query_limit": 1000},
    },
}


def payload(number: int) -> dict[str, Any]:
    """A value of every type; every third point lacks most of them."""
    if number % 3 == 0:
        return {"count": None, "list": []}
    return {
        "color": ["red", "blue"] if number % 2 else "red",
        "count": number,
        "price": number / 3,
        "place": {"lon": number * 1.5, "lat": 50.0 - number},
        "text": f"the quick brown fox number {number}",
        "flag": number % 2 == 0,
        "when": f"2024-01-{number:02}T00:00:00Z",
        "uid": f"00000000-0000-4000-8000-{number:012}",
        "list": [{"n": number, "s": "x"}, {"n": -number}],
    }


def vector(collection: str, number: int) -> Any:
    dense = [float(number), 1.0, 2.0, float(number % 5)]
    if collection == "plain":
        return dense
    sparse = {"indices": [number, 100], "values": [1.0, 0.5]}
    named: dict[str, Any] = {"dense": dense, "sparse": sparse}
    return named if collection == "documents" else {**named, "multi": [dense, dense[::-1]]}


def populated() -> Database:
    """A new database with the collections and one alias."""
    database = Database()
    with httpx.Client(base_url=URL, transport=InProcessTransport(database)) as http:
        for name, config in VECTORS_OF.items():
            _send(http, "PUT", f"/collections/{name}", config)
            points = [{"id": n, "vector": vector(name, n), "payload": payload(n)} for n in range(1, POINTS + 1)]
            _send(http, "PUT", f"/collections/{name}/points?wait=true", {"points": points})
            for field, schema in FIELDS.items():
                index = {"field_name": field, "field_schema": schema}
                _send(http, "PUT", f"/collections/{name}/index?wait=true", index)
        alias = {"create_alias": {"collection_name": "plain", "alias_name": "alias"}}
        _send(http, "POST", "/collections/aliases", {"actions": [alias]})
    return database


def snapshots(database: Database) -> dict[str, str]:
    """Makes a snapshot of a collection and one of everything; gives their names by the collection's, "" for all."""
    made = {"plain": database.create_snapshot("plain"), "": database.create_full_snapshot()}
    return {collection: snapshot.name for collection, snapshot in made.items() if snapshot is not None}


def _send(http: httpx.Client, method: str, path: str, body: dict[str, Any]) -> None:
    response = http.request(method, path, json=body)
    assert response.is_success, response.text
