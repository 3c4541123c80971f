"""How does the stock client reach a database in its own process? httpx transports without a socket.

Loaded only by `qdlite.client()` and `qdlite.async_client()`: qdrant-client and httpx are slow to import.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, BinaryIO

import httpx
from qdrant_client import AsyncQdrantClient, QdrantClient

from qdlite.database import Database
from qdlite_server.api import Api
from qdlite_server.endpoint import Answer, Request

URL = "http://qdlite"
PIECE = 2**20


class InProcessTransport(httpx.BaseTransport):
    """Answers requests in the calling thread. Closing it closes the database if `owns`."""

    def __init__(self, database: Database, owns: bool = False) -> None:
        self.api = Api(database)
        self._owns = owns

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return _response(self.api.answer(_request(request, request.read())))

    def close(self) -> None:
        if self._owns:
            self.api.database.close()


class AsyncInProcessTransport(httpx.AsyncBaseTransport):
    """Answers quick requests at once and others in a thread, as the server does."""

    def __init__(self, database: Database, owns: bool = False) -> None:
        self.api = Api(database)
        self._owns = owns

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = _request(request, await request.aread())
        route = self.api.find(asked)
        if route is None or route.endpoint.quick:
            return _response(self.api.answer(asked))
        return _response(await asyncio.to_thread(self.api.answer_at, route, asked))

    async def aclose(self) -> None:
        if self._owns:
            self.api.database.close()


def client(database: Database | None = None, **options: Any) -> QdrantClient:
    """A stock `QdrantClient` on `database`, or on a new one that closes with it. `options` are the client's."""
    return QdrantClient(**_options(InProcessTransport(database or Database(), owns=database is None), options))


def async_client(database: Database | None = None, **options: Any) -> AsyncQdrantClient:
    """A stock `AsyncQdrantClient` on `database`, or on a new one that closes with it. `options` are the client's."""
    transport = AsyncInProcessTransport(database or Database(), owns=database is None)
    return AsyncQdrantClient(**_options(transport, options))


def _options(transport: object, options: dict[str, Any]) -> dict[str, Any]:
    """The version check would open a socket of its own; with `cloud_inference` documents arrive untouched."""
    ours = {"url": URL, "transport": transport, "check_compatibility": False, "cloud_inference": True}
    return {**ours, **options}


def _request(request: httpx.Request, body: bytes) -> Request:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, path, query, body, headers)


class _FileStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The content of a file, which is closed afterwards."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._file.read(PIECE):
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self._file.close()

    async def aclose(self) -> None:
        self._file.close()


def _response(answer: Answer) -> httpx.Response:
    headers = [*answer.headers]
    if answer.content_type:
        headers.append(("content-type", answer.content_type))
    if answer.file is not None:
        return httpx.Response(answer.status, headers=headers, stream=_FileStream(answer.file))
    return httpx.Response(answer.status, headers=headers, content=answer.body)
