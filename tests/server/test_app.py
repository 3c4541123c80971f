"""How does the ASGI application treat bodies, compression, origins, slow requests and clients that leave?"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from qdlite import Database
from qdlite_server.api import Api
from qdlite_server.app import THREADS, UPLOAD_THREADS, App
from tests.faces import running


def ask(app: App, method: str, path: str, body: bytes = b"", client: str = "10.0.0.1", **headers: str) -> Any:
    """Sends one request straight into the application; (status, headers, body)."""
    scope = {
        "type": "http",
        "method": method,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "client": (client, 50000),
    }
    sent: list[Any] = []
    chunks = [body[start : start + 1000] for start in range(0, len(body), 1000)] or [b""]

    async def receive() -> Any:
        chunk = chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start, end = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, end["body"]


@pytest.fixture
def app(database: Database) -> App:
    return App(Api(database, max_body=10_000))


def test_gzip_when_asked(app: App, database: Database) -> None:
    for number in range(100):
        ask(app, "PUT", f"/collections/collection-{number}", b"{}")
    _, plain_headers, plain = ask(app, "GET", "/collections")
    _, headers, packed = ask(app, "GET", "/collections", accept_encoding="gzip, deflate")
    assert "content-encoding" not in plain_headers
    assert headers["content-encoding"] == "gzip"
    assert int(headers["content-length"]) == len(packed) < len(plain)
    assert json.loads(gzip.decompress(packed))["result"] == json.loads(plain)["result"]
    _, local, _ = ask(app, "GET", "/collections", client="127.0.0.1", accept_encoding="gzip")
    assert "content-encoding" not in local


def test_other_origins_are_welcome(app: App) -> None:
    _, headers, _ = ask(app, "GET", "/collections", origin="http://example.org")
    assert headers["access-control-allow-origin"] in ("*", "http://example.org")
    status, headers, _ = ask(
        app,
        "OPTIONS",
        "/collections/c",
        origin="http://example.org",
        access_control_request_method="PUT",
        access_control_request_headers="content-type",
    )
    assert status == 200
    assert "PUT" in headers["access-control-allow-methods"]
    assert headers["access-control-allow-headers"] == "content-type"
    assert ask(app, "OPTIONS", "/collections")[0] == 404


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        (
            {"content_length": "10001"},
            "JSON payload (10001 bytes) is larger than allowed (limit: 10000 bytes).",
        ),
        ({}, "JSON payload has exceeded limit (10000 bytes)."),
    ],
)
def test_large_bodies(app: App, headers: dict[str, str], text: str) -> None:
    status, _, body = ask(app, "PUT", "/collections/c", b" " * 10_001, **headers)
    assert status == 400
    assert json.loads(body) == {"status": {"error": text}, "time": 0.0}
    assert ask(app, "PUT", "/collections/c", b"{}" + b" " * 9_998)[0] == 200


def test_one_line_of_log_a_request(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "qdlite_server.request")
    ask(app, "GET", "/healthz")
    assert caplog.messages == []
    ask(app, "GET", "/collections/none")
    (line,) = caplog.messages
    assert line.startswith("method=GET path=/collections/none status=404 ms=")


@pytest.fixture
def url(database: Database) -> Iterator[str]:
    with running(App(Api(database))) as url:
        yield url


def test_a_body_of_100_mb_over_http(url: str) -> None:
    body = b'{"points": [' + b" " * 100_000_000 + b"]}"
    response = httpx.put(f"{url}/collections/c/points", content=body, timeout=60)
    assert response.status_code == 400
    assert "is larger than allowed (limit: 33554432 bytes)" in response.json()["status"]["error"]
    assert httpx.get(f"{url}/healthz").status_code == 200


def test_a_client_that_leaves(url: str, caplog: pytest.LogCaptureFixture) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    for sent in (
        b"",
        b"PUT /colle",
        b"PUT /collections/c HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
        b"GET /telemetry?details_level=9 HTTP/1.1\r\nhost: x\r\n\r\n",
    ):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(sent)
    assert httpx.get(f"{url}/collections").json()["result"] == {"collections": []}
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_slow_request_blocks_nobody(url: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(database, "get_collection", lambda name: release.wait(20))
    slow = threading.Thread(target=httpx.get, args=(f"{url}/collections/c",))
    slow.start()
    try:
        started = time.monotonic()
        assert httpx.get(f"{url}/collections").status_code == 200
        assert httpx.post(f"{url}/collections/c/points/count", content=b"{}").status_code == 404
        assert time.monotonic() - started < 15
    finally:
        release.set()
        slow.join(30)
    assert not slow.is_alive()


def test_many_uploads_leave_the_threads_of_others_alone(
    url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that upload are held up; small updates and reads go on."""
    release, begun = threading.Event(), threading.Semaphore(0)
    upsert = database.upsert

    def slow(name: str, *rest: Any) -> Any:
        begun.release()
        assert release.wait(30)
        return upsert(name, *rest)

    httpx.put(f"{url}/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}})
    large = {"points": [{"id": row, "vector": [row, 1.5]} for row in range(3000)]}
    with ThreadPoolExecutor(THREADS + 5) as pool:
        monkeypatch.setattr(database, "upsert", slow)
        uploads = [
            pool.submit(httpx.put, f"{url}/collections/c/points?wait=true", json=large, timeout=60)
            for _ in range(THREADS + 5)
        ]
        assert all(begun.acquire(timeout=10) for _ in range(UPLOAD_THREADS))
        monkeypatch.setattr(database, "upsert", upsert)
        small = {"points": [{"id": 9999, "vector": [1.0, 2.0]}]}
        assert httpx.put(f"{url}/collections/c/points?wait=true", json=small, timeout=10).status_code == 200
        assert httpx.post(f"{url}/collections/c/points/count", json={}, timeout=10).json()["result"]["count"] == 1
        assert not any(upload.done() for upload in uploads)
        release.set()
        assert {upload.result().status_code for upload in uploads} == {200}
    assert httpx.post(f"{url}/collections/c/points/count", json={}).json()["result"]["count"] == 3001


def test_stopping_does_not_wait_for_ever(app: App, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    release, begun = threading.Event(), threading.Event()

    def slow(name: str) -> bool:
        begun.set()
        return release.wait(20)

    monkeypatch.setattr(database, "delete_collection", slow)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def stop() -> None:
        scope = {"type": "http", "method": "DELETE", "raw_path": b"/collections/c", "query_string": b"", "headers": []}
        task = asyncio.ensure_future(app(scope, receive, send))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        await task

    asyncio.run(stop())
    assert sent[0]["status"] == 503
    assert app.busy
    release.set()
    while app.busy:
        time.sleep(0.001)


def test_closing_ends_the_threads(database: Database) -> None:
    """Of every kind: for ordinary requests, for large updates and for inference."""
    before = set(threading.enumerate())
    app = App(Api(database))
    ask(app, "PUT", "/collections/c", b'{"vectors": {"size": 1, "distance": "Dot"}}')
    points = ",".join(f'{{"id": {number}, "vector": [1.0]}}' for number in range(3000))
    ask(app, "PUT", "/collections/c/points", f'{{"points": [{points}]}}'.encode())
    ask(app, "POST", "/collections/c/points/query", b'{"query": {"text": "a", "model": "unknown"}}')
    begun = set(threading.enumerate()) - before
    assert {thread.name for thread in begun} >= {"qdlite-1", "qdlite-upload-1", "qdlite-inference-1"}
    app.close()
    for thread in begun:
        if thread.name.startswith("qdlite-") and thread.name[-1].isdigit():
            thread.join(10)
            assert not thread.is_alive(), thread.name


def test_keep_alive_and_pipelined_requests(url: str) -> None:
    with httpx.Client(base_url=url) as client:
        for _ in range(20):
            assert client.get("/").status_code == 200
