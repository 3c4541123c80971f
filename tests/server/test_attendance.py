"""Is each of a few connections served by one thread, and does it come back whenever it is not for that thread?"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import httpx
import pytest

from qdlite import Database
from qdlite_server import attendance, connection
from qdlite_server import running as running_module
from qdlite_server.api import Api
from qdlite_server.app import App
from qdlite_server.inbox import Arrival
from tests.faces import running
from tests.server.raw import Raw

GET = b"GET /collections/c/exists HTTP/1.1\r\nhost: x\r\n\r\n"
COUNT = b"POST /collections/c/points/count HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
DELETE = b"DELETE /collections/%s HTTP/1.1\r\nhost: x\r\n\r\n"
COUNTED = b'"count":0'


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> list[attendance.Attendance]:
    """Attendances that have begun."""
    begun: list[attendance.Attendance] = []

    class Noted(attendance.Attendance):
        def run(self, arrival: Arrival) -> attendance.Return:
            begun.append(self)
            return super().run(arrival)

    monkeypatch.setattr(connection, "Attendance", Noted)
    monkeypatch.setattr(attendance, "LINGER", 5.0)
    return begun


@pytest.fixture
def app(database: Database) -> App:
    return App(Api(database))


@pytest.fixture
def url(app: App, lent: list[attendance.Attendance]) -> Iterator[str]:
    with running(app) as url:
        httpx.put(f"{url}/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}})
        yield url


def count_often(raw: Raw, times: int) -> None:
    for _ in range(times):
        assert COUNTED in raw.ask(COUNT)[2]


def test_the_same_thread_stays_with_a_connection(raw: Raw, lent: list[attendance.Attendance]) -> None:
    count_often(raw, connection.CALM)
    assert not lent
    count_often(raw, 50)
    assert b'"exists":true' in raw.ask(GET)[2]
    assert len(lent) == 1


def test_requests_in_pieces_and_ahead_of_their_answers(raw: Raw, lent: list[attendance.Attendance]) -> None:
    count_often(raw, connection.CALM + 1)
    for at in range(len(COUNT)):
        raw.socket.sendall(COUNT[at : at + 1])
        time.sleep(0.0005)
    assert COUNTED in raw.answer()[2]
    raw.socket.sendall((COUNT + GET) * 500)
    for _ in range(500):
        assert COUNTED in raw.answer()[2]
        assert b'"exists":true' in raw.answer()[2]
    assert len(lent) == 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n", 404),
        (b"GET /collections HTTP/1.1\r\nhost: x\r\norigin: http://example.org\r\n\r\n", 200),
        (COUNT.replace(b"content-length: 2", b"content-length: 14").replace(b"{}", b'{"model": "x"}'), 200),
    ],
    ids=["unknown", "from a page", "inference"],
)
def test_what_is_not_for_the_thread_is_answered_too(
    raw: Raw, lent: list[attendance.Attendance], sent: bytes, status: int
) -> None:
    count_often(raw, connection.CALM + 1)
    raw.socket.sendall(COUNT + sent + COUNT)
    assert COUNTED in raw.answer()[2]
    assert raw.answer()[0] == status
    assert COUNTED in raw.answer()[2]
    assert lent


def test_a_connection_comes_back_when_it_is_silent(
    raw: Raw, app: App, lent: list[attendance.Attendance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attendance, "LINGER", 0.05)
    for rounds, requests in ((1, connection.CALM + 1), (2, 1)):
        count_often(raw, requests)
        assert len(lent) == rounds
        _wait(lambda: not app.busy)
    raw.socket.sendall(COUNT[:-1])
    time.sleep(0.2)
    raw.socket.sendall(COUNT[-1:])
    assert COUNTED in raw.answer()[2]


def test_a_few_connections_have_a_thread_each(raw: Raw, url: str, lent: list[attendance.Attendance]) -> None:
    with ExitStack() as stack:
        several = [raw, *(stack.enter_context(closing(Raw(url))) for _ in range(attendance.FEW - 1))]
        for _ in range(connection.CALM + 10):
            for one in several:
                one.socket.sendall(COUNT)
            for one in several:
                assert COUNTED in one.answer()[2]
        assert len(lent) == attendance.FEW


def test_a_connection_comes_back_when_many_ask(
    raw: Raw, url: str, app: App, lent: list[attendance.Attendance], monkeypatch: pytest.MonkeyPatch
) -> None:
    count_often(raw, connection.CALM + 1)
    release = _held(app.api.database, monkeypatch)
    with ExitStack() as stack:
        others = [stack.enter_context(closing(Raw(url))) for _ in range(attendance.FEW)]
        for other in others:
            other.socket.sendall(DELETE % b"c")
        _wait(lambda: app.busy == attendance.FEW + 1)
        count_often(raw, 1)
        _wait(lambda: app.busy == attendance.FEW)
        count_often(raw, 2 * connection.CALM)
        assert len(lent) == 1
        release.set()
        for other in others:
            assert other.answer()[0] == 200
    count_often(raw, connection.CALM + 1)
    assert len(lent) == 2


def test_others_are_answered_while_the_thread_works_long(
    raw: Raw, url: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_often(raw, connection.CALM + 1)
    release = _held(app.api.database, monkeypatch)
    raw.socket.sendall(DELETE % b"c")
    with closing(Raw(url)) as other:
        count_often(other, 3)
    release.set()
    assert raw.answer()[0] == 200


def test_a_last_request_ends_the_connection(raw: Raw) -> None:
    count_often(raw, connection.CALM + 1)
    raw.socket.sendall(COUNT.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + GET)
    status, fields, _ = raw.answer()
    assert (status, fields["connection"]) == (200, "close")
    assert raw.answer()[0] == 0


def test_a_client_that_sends_nothing_more_gets_its_answer(raw: Raw) -> None:
    count_often(raw, connection.CALM + 1)
    raw.socket.sendall(COUNT)
    raw.socket.shutdown(socket.SHUT_WR)
    assert COUNTED in raw.answer()[2]
    assert raw.answer()[0] == 0


def test_a_client_that_leaves(raw: Raw, app: App) -> None:
    count_often(raw, connection.CALM + 1)
    assert app.busy
    raw.socket.sendall(COUNT)
    raw.close()
    _wait(lambda: not app.busy and not app.connections)


def test_an_answer_that_the_client_is_slow_to_read(raw: Raw, url: str, app: App) -> None:
    text = "x" * 10_000_000
    point = {"id": 1, "vector": [1.0, 2.0], "payload": {"text": text}}
    httpx.put(f"{url}/collections/c/points?wait=true", json={"points": [point]})
    for _ in range(connection.CALM + 1):
        assert raw.ask(COUNT)[0] == 200
    ask = b"GET /collections/c/points/1 HTTP/1.1\r\nhost: x\r\n\r\n"
    raw.socket.sendall(ask + COUNT)
    _wait(lambda: not app.busy)
    assert text.encode() in raw.answer()[2]
    assert b'"count":1' in raw.answer()[2]


def test_stopping_ends_a_connection_that_was_lent(
    database: Database, lent: list[attendance.Attendance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attendance, "LINGER", 0.1)
    with running(App(Api(database))) as url:
        httpx.put(f"{url}/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}})
        raw = Raw(url)
        count_often(raw, connection.CALM + 1)
        began = time.monotonic()
    assert raw.answer()[0] == 0
    assert lent
    assert time.monotonic() - began < 4
    raw.close()


@pytest.mark.parametrize(("grace", "status"), [(5, 200), (0.2, 503)])
def test_stopping_answers_what_has_begun(
    database: Database, lent: list[attendance.Attendance], monkeypatch: pytest.MonkeyPatch, grace: float, status: int
) -> None:
    monkeypatch.setattr(running_module, "GRACE", grace)
    with running(App(Api(database))) as url:
        httpx.put(f"{url}/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}})
        raw = Raw(url)
        count_often(raw, connection.CALM + 1)
        release = _held(database, monkeypatch)
        raw.socket.sendall(DELETE % b"c")
        time.sleep(0.1)
        threading.Timer(1.0, release.set).start()
    answered, fields, _ = raw.answer()
    assert (answered, fields["connection"]) == (status, "close")
    assert raw.answer()[0] == 0
    assert lent
    raw.close()


def _held(database: Database, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Deletions of collections wait for this event."""
    release = threading.Event()
    monkeypatch.setattr(database, "delete_collection", lambda name: release.wait(20))
    return release


def _wait(until: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not until():
        assert time.monotonic() < end
        time.sleep(0.005)
