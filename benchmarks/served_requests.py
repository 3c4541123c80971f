"""Which requests are sent to the server, and with what has it been loaded?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.data import TOP, Data
from benchmarks.loopback import encoded

PATH = "/collections/bench"


def loading(data: Data) -> Iterator[bytes]:
    """What makes the collection and fills it."""
    yield encoded("PUT", PATH, {"vectors": {"size": data.shape.size, "distance": "Cosine"}})
    yield encoded("PUT", f"{PATH}/index?wait=true", {"field_name": "category", "field_schema": "keyword"})
    for start in range(0, data.shape.points, 500):
        yield _upsert(data, range(start, min(start + 500, data.shape.points)))


def _upsert(data: Data, ids: range) -> bytes:
    return encoded("PUT", f"{PATH}/points?wait=true", {"points": points_of(data, ids)})


def points_of(data: Data, ids: range) -> list[dict[str, Any]]:
    rows = data.vectors(ids.start, ids.stop).tolist()
    return [{"id": i, "vector": row, "payload": data.payload(i)} for i, row in zip(ids, rows, strict=True)]


def filter_of(data: Data) -> dict[str, Any]:
    condition = data.filtered()["category 10.0%"].condition
    return {"must": [{"key": condition.key, "match": {"value": condition.value}}]}


def requests_of(data: Data) -> dict[str, list[bytes]]:
    """Encoded requests of each kind; upserts rewrite points that exist with the vectors they have."""
    vectors, condition = data.queries.tolist(), filter_of(data)
    ask = f"{PATH}/points/query"
    step = max(1, (data.shape.points - 100) // 100)
    return {
        "query": [encoded("POST", ask, {"query": vector, "limit": TOP}) for vector in vectors],
        "filtered query": [
            encoded("POST", ask, {"query": vector, "limit": TOP, "filter": condition}) for vector in vectors
        ],
        "retrieve": [
            encoded("POST", f"{PATH}/points", {"ids": [i], "with_payload": True}) for i in range(len(vectors))
        ],
        "upsert of 1": [_upsert(data, range(i * step, i * step + 1)) for i in range(100)],
        "upsert of 100": [_upsert(data, range(i * step, i * step + 100)) for i in range(20)],
    }
