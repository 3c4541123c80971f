"""May bodies be compressed? As in Qdrant, and never beyond the limit for what comes out."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

import httpx
import pytest

from qdlite import Database
from qdlite_server.api import Api
from qdlite_server.app import App
from qdlite_server.message import date
from tests.faces import running

LIMIT = 20_000
COUNT = json.dumps({"filter": {"must": [{"has_id": [1, 2]}]}}).encode()


@pytest.fixture
def served(database: Database) -> Iterator[httpx.Client]:
    with running(App(Api(database, max_body=LIMIT))) as url, httpx.Client(base_url=url) as http:
        http.put("/collections/c", json={"sparse_vectors": {"terms": {}}})
        http.put("/collections/c/points?wait=true", json={"points": [{"id": 1, "vector": {}}]})
        yield http


def send(http: httpx.Client, body: bytes, encoding: str, path: str = "points/count") -> Any:
    response = http.post(f"/collections/c/{path}", content=body, headers={"content-encoding": encoding})
    answer = response.json()
    return response.status_code, answer["result"] if "result" in answer else answer["status"]["error"]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(COUNT), "gzip"),
        (gzip.compress(COUNT), "GZip"),
        (zlib.compress(COUNT), "deflate"),
        (COUNT, "identity"),
        (COUNT, "unheard-of"),
    ],
    ids=["gzip", "any case", "deflate", "identity", "unknown"],
)
def test_encoded_bodies(served: httpx.Client, body: bytes, encoding: str) -> None:
    for _ in range(20):  # more than it takes until a thread stays with the connection
        assert send(served, body, encoding) == (200, {"count": 1})


def test_inference_in_a_compressed_body(served: httpx.Client) -> None:
    vector = {"terms": {"text": "quick brown foxes", "model": "qdrant/bm25"}}
    body = gzip.compress(json.dumps({"points": [{"id": 2, "vector": vector}]}).encode())
    path = "/collections/c/points?wait=true"
    assert served.put(path, content=body, headers={"content-encoding": "gzip"}).status_code == 200
    assert len(served.get("/collections/c/points/2").json()["result"]["vector"]["terms"]["indices"]) == 3


def test_both_faces(http: httpx.Client) -> None:
    http.put("/collections/c", json={})
    assert send(http, gzip.compress(COUNT), "gzip") == (200, {"count": 0})


@pytest.mark.parametrize("size", [LIMIT + 1, 15_000_000])
def test_the_limit_is_that_of_what_comes_out(served: httpx.Client, size: int) -> None:
    body = gzip.compress(b" " * (size - len(COUNT)) + COUNT)
    assert send(served, body, "gzip") == (400, f"JSON payload has exceeded limit ({LIMIT} bytes).")
    fitting = gzip.compress(b" " * (LIMIT - len(COUNT)) + COUNT)
    assert send(served, fitting, "gzip") == (200, {"count": 1})


@pytest.mark.parametrize(
    "body",
    [COUNT, b"", gzip.compress(COUNT)[:-9], gzip.compress(COUNT)[:15], zlib.compress(COUNT)],
    ids=["plain", "nothing", "without its end", "half of it", "deflate"],
)
def test_bodies_that_are_not_what_they_say(served: httpx.Client, body: bytes) -> None:
    status, text = send(served, body, "gzip")
    assert status == 400
    assert text.startswith("Error that occur during reading payload: ")


@pytest.mark.parametrize("encoding", ["br", "zstd"])
def test_encodings_that_are_refused_by_name(served: httpx.Client, encoding: str) -> None:
    text = f"Not supported by qdlite: bodies with the content encoding {encoding} (gzip and deflate are)"
    assert send(served, COUNT, encoding) == (415, text)


def test_bodies_that_nobody_reads(served: httpx.Client) -> None:
    assert served.get("/collections", headers={"content-encoding": "br"}).status_code == 200


@pytest.mark.parametrize("path", ["/collections", "/collections/c/points/1", "/nowhere", "/collections/none"])
def test_answers_are_dated(served: httpx.Client, path: str) -> None:
    for headers in ({}, {"origin": "http://example.org"}):
        sent = parsedate_to_datetime(served.get(path, headers=headers).headers["date"])
        assert abs(sent.timestamp() - time()) < 10


@pytest.mark.parametrize(
    ("seconds", "text"), [(784111777, b"Sun, 06 Nov 1994 08:49:37 GMT"), (1709164800, b"Thu, 29 Feb 2024 00:00:00 GMT")]
)
def test_dates(seconds: int, text: bytes) -> None:
    assert date(seconds) == text
