"""Do ordinary requests and all others get the same answers on one connection, in order and in pieces?"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import httpx
import pytest

from qdlite import Database
from qdlite_server import connection as connection_module
from qdlite_server import running as running_module
from qdlite_server.api import Api
from qdlite_server.app import App
from qdlite_server.connection import CALM, MAX_AHEAD
from qdlite_server.head import Head, plain
from qdlite_server.inbox import MAX_HEAD
from tests.faces import running
from tests.server.raw import Raw

GET = b"GET /collections/%s/exists HTTP/1.1\r\nhost: x\r\n\r\n"
COUNT = b"POST /collections/c/points/count HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture(autouse=True, params=[CALM, 0], ids=["usual", "lent at once"])
def calm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With threads that stay with a connection from the first request on, all looks the same."""
    monkeypatch.setattr(connection_module, "CALM", request.param)


@pytest.fixture
def url(database: Database) -> Iterator[str]:
    with running(App(Api(database, max_body=1000))) as url:
        httpx.put(f"{url}/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}})
        yield url


def test_requests_ahead_of_their_answers_are_answered_in_order(raw: Raw) -> None:
    """Quick ones, those that are worked on in threads, and at last one that uvicorn answers."""
    raw.socket.sendall((GET % b"c" + COUNT + GET % b"none") * 200 + b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n" + COUNT)
    for _ in range(200):
        assert b'"exists":true' in raw.answer()[2]
        assert b'"count":0' in raw.answer()[2]
        assert b'"exists":false' in raw.answer()[2]
    assert raw.answer()[0] == 404
    assert b'"count":0' in raw.answer()[2]


def test_a_client_that_sends_much_ahead(raw: Raw) -> None:
    count = 4 * MAX_AHEAD // len(COUNT)
    sender = threading.Thread(target=raw.socket.sendall, args=(COUNT * count,))
    sender.start()
    assert {raw.answer()[2].count(b'"count":0') for _ in range(count)} == {1}
    sender.join()


def test_requests_in_pieces(raw: Raw) -> None:
    for at in range(len(COUNT)):
        raw.socket.sendall(COUNT[at : at + 1])
        time.sleep(0.0005)
    assert b'"count":0' in raw.answer()[2]


@pytest.mark.parametrize(
    ("sent", "status", "goes_on"),
    [
        (b"GET /collections HTTP/1.1\r\nhost: x\r\norigin: http://example.org\r\n\r\n", 200, True),
        (COUNT.replace(b"\r\n\r\n", b"\r\nexpect: 100-continue\r\n\r\n"), 100, True),
        (
            COUNT.replace(b"content-length: 2", b"transfer-encoding: chunked").replace(b"{}", b"2\r\n{}\r\n0\r\n\r\n"),
            200,
            True,
        ),
        (COUNT.replace(b"HTTP/1.1", b"HTTP/1.0"), 200, False),
        (COUNT.replace(b"length: 2", b"length: 1001").replace(b"{}", b"{}" + b" " * 999), 400, True),
        (COUNT.replace(b"host: x", b"content-length: 3"), 400, False),
        (COUNT.replace(b"host: x", b"host : x"), 400, False),
        (b"GET /collections HTTP/1.1\r\nx: " + b"y" * MAX_HEAD + b"\r\n\r\n", 200, True),
        (b"OPTIONS /collections HTTP/1.1\r\nhost: x\r\n\r\n", 404, True),
        (b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n", 404, True),
        (b"GET http://x/collections HTTP/1.1\r\nhost: x\r\n\r\n", 200, True),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, False),
    ],
)
def test_others_are_answered_too(raw: Raw, sent: bytes, status: int, goes_on: bool) -> None:
    assert raw.ask(GET % b"c")[0] == 200
    assert raw.ask(sent)[0] == status
    if status == 100:
        assert raw.answer()[0] == 200
    if goes_on:
        assert b'"exists":true' in raw.ask(GET % b"c")[2]
    else:
        assert raw.answer()[0] == 0


@pytest.mark.parametrize("sent", [GET % b"c", COUNT], ids=["quick", "in a thread"])
def test_a_last_request(raw: Raw, sent: bytes) -> None:
    raw.socket.sendall(sent.replace(b"\r\n\r\n", b"\r\nConnection: Close\r\n\r\n") + GET % b"c")
    status, fields, _ = raw.answer()
    assert (status, fields["connection"]) == (200, "close")
    assert raw.answer()[0] == 0


def test_a_client_that_sends_nothing_more_gets_its_answer(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(name: str) -> bool:
        time.sleep(0.3)
        return True

    monkeypatch.setattr(database, "delete_collection", slow)
    with running(App(Api(database))) as url, closing(Raw(url)) as raw:
        raw.socket.sendall(b"DELETE /collections/c HTTP/1.1\r\nhost: x\r\n\r\n")
        raw.socket.shutdown(socket.SHUT_WR)
        assert raw.answer()[0] == 200
        assert raw.answer()[0] == 0


def test_an_idle_connection_ends(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_module, "KEEP_ALIVE", 1)
    with running(App(Api(database))) as url, closing(Raw(url)) as raw:
        assert raw.ask(GET % b"c")[0] == 200
        began = time.monotonic()
        assert raw.answer()[0] == 0
        assert 0.5 < time.monotonic() - began < 15


def test_a_long_request_is_not_idleness(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(name: str) -> bool:
        time.sleep(2.5)
        return False

    monkeypatch.setattr(running_module, "KEEP_ALIVE", 2)
    monkeypatch.setattr(database, "delete_collection", slow)
    with running(App(Api(database))) as url, closing(Raw(url)) as raw:
        assert raw.ask(b"DELETE /collections/c HTTP/1.1\r\nhost: x\r\n\r\n")[0] == 200
        time.sleep(0.9)  # by now the server has looked again
        assert raw.ask(GET % b"c")[0] == 200


def test_stopping_answers_what_has_begun(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends in time is answered, and the client told that nothing more is; the rest gets a 503."""
    release = {"soon": threading.Event(), "never": threading.Event()}
    begun = threading.Semaphore(0)

    def slow(name: str) -> bool:
        begun.release()
        return release[name].wait(20)

    monkeypatch.setattr(running_module, "GRACE", 1)
    monkeypatch.setattr(database, "delete_collection", slow)
    with ExitStack() as stack:
        with running(App(Api(database))) as url:
            idle, soon, never = (stack.enter_context(closing(Raw(url))) for _ in range(3))
            assert idle.ask(GET % b"c")[0] == 200
            for name, raw in {"soon": soon, "never": never}.items():
                raw.socket.sendall(b"DELETE /collections/%s HTTP/1.1\r\nhost: x\r\n\r\n" % name.encode())
                assert begun.acquire(timeout=10)
            threading.Timer(0.5, release["soon"].set).start()
        status, fields, _ = soon.answer()
        assert (status, fields["connection"]) == (200, "close")
        assert never.answer()[0] == 503
        assert [raw.answer()[0] for raw in (idle, soon, never)] == [0, 0, 0]
        release["never"].set()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET //x HTTP/1.1\r\n\r\n",
        b"GET /x#y HTTP/1.1\r\n\r\n",
        b"GET /\xc3\xa4 HTTP/1.1\r\n\r\n",
        b"GET /x HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"GET /x HTTP/1.1\nhost: x\n\nGET /y HTTP/1.1\r\n\r\n",
        b"PUT /x HTTP/1.1\ncontent-length: 4\n\nabcd\r\n\r\n",
        b"GET /x\r\n\r\n",
        b"\r\n\r\n",
    ],
)
def test_heads_that_are_not_plain(sent: bytes) -> None:
    assert plain(sent) is None


def test_a_plain_head() -> None:
    sent = b"POST /a%20b/c?wait=true&x= HTTP/1.1\r\nHost: y\r\nX-Key:  \xe4 b\r\nContent-Length: 17\r\n\r\n"
    head = plain(sent)
    assert head == Head("POST", "/a%20b/c", "wait=true&x=", {"host": "y", "x-key": "\xe4 b", "content-length": "17"})
    assert head.length == 17


@pytest.mark.parametrize("field", ["api-key", "OpenAI-API-Key", "Authorization", "Cookie"])
def test_heads_that_tell_secrets_are_not_remembered(field: str) -> None:
    sent = b"GET /collections HTTP/1.1\r\nhost: x\r\n"
    assert plain(sent + b"\r\n") is plain(sent + b"\r\n")
    secret = sent + f"{field}: s3cret\r\n\r\n".encode()
    assert plain(secret) == plain(secret)
    assert plain(secret) is not plain(secret)
