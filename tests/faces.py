"""How do tests reach a database? Through both faces by one fixture parameter, with every response checked."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import httpx
import pytest
from qdrant_client import QdrantClient

from qdlite import Database
from qdlite_server.api import Api
from qdlite_server.app import App
from qdlite_server.inprocess import URL, InProcessTransport
from qdlite_server.running import Server
from qdlite_server.serving import listen
from tests import openapi

FaceName = Literal["in-process", "served"]


class Checked(httpx.BaseTransport):
    """Passes requests on and holds every response against the OpenAPI file."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        content = response.read()
        path = request.url.raw_path.decode().partition("?")[0]
        content_type = response.headers.get("content-type", "")
        openapi.check(request.method, path, response.status_code, content_type, content)
        return response

    def close(self) -> None:
        self._inner.close()


@dataclass
class Face:
    """One way to a database. `open_transport` makes what an httpx client needs."""

    name: FaceName
    database: Database
    url: str

    def transport(self) -> httpx.BaseTransport:
        if self.name == "in-process":
            return Checked(InProcessTransport(self.database))
        return Checked(httpx.HTTPTransport())


@contextmanager
def running(app: App) -> Iterator[str]:
    """Serves an application on a free port; gives its address."""
    listener: socket.socket = listen("127.0.0.1", 0)
    server = Server(app)
    thread = threading.Thread(target=server.run, args=(listener,), daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop()
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


@dataclass(frozen=True)
class Served:
    """A running server whose database tests exchange."""

    app: App
    url: str


@pytest.fixture(scope="session")
def server() -> Iterator[Served]:
    with Database() as database:
        app = App(Api(database))
        with running(app) as url:
            yield Served(app, url)


@pytest.fixture
def database() -> Iterator[Database]:
    with Database() as fresh:
        yield fresh


@pytest.fixture(params=["in-process", "served"])
def face(request: pytest.FixtureRequest, database: Database) -> Face:
    """A fresh database, once behind each face."""
    if request.param == "in-process":
        return Face("in-process", database, URL)
    server: Served = request.getfixturevalue("server")
    server.app.api = Api(database)
    return Face("served", database, server.url)


@pytest.fixture
def client(face: Face) -> Iterator[QdrantClient]:
    """The stock client on a fresh database."""
    client = QdrantClient(
        url=face.url, transport=face.transport(), check_compatibility=False, cloud_inference=True, timeout=30
    )
    yield client
    client.close()


@pytest.fixture
def http(face: Face) -> Iterator[httpx.Client]:
    """Plain HTTP on a fresh database."""
    with httpx.Client(base_url=face.url, transport=face.transport(), timeout=30) as client:
        yield client
