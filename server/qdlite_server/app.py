"""How does the API travel over HTTP? An ASGI application around `Api`.

Quick handlers run on the event loop, all others in threads, so that one slow query never blocks the rest. Requests with
inference have threads of their own, because they may wait long for a model. The loop itself only moves bytes. Ordinary
requests do not come through ASGI at all, see `connection`; they are worked on in the same threads.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from functools import cached_property, partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias, TypeVar

from msgspec.structs import replace

from qdlite.database import Cancellation
from qdlite.errors import QdliteError, RateLimited
from qdlite_server.api import UNKNOWN, Api, too_large
from qdlite_server.endpoint import TEXT, Answer, Endpoint, Request, failure
from qdlite_server.message import fields, packed
from qdlite_server.multipart import Upload
from qdlite_server.parameters import WRITE
from qdlite_server.routes.service import HEALTH
from qdlite_server.routing import Route
from qdlite_server.workers import Workers

if TYPE_CHECKING:
    from starlette.middleware.cors import CORSMiddleware

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Deliver: TypeAlias = Callable[[Answer], None]
"""Takes an answer where it is waited for. Called in the thread that made it."""

THREADS = 40
"""Requests that are worked on at the same time; more wait their turn."""
UPLOAD = 2**16
"""Updates with larger bodies have threads of their own, because they hold the interpreter for long."""
UPLOAD_THREADS = 4
"""More of these would not be done sooner, and other requests would wait for all of them in turn."""
INFERENCE_THREADS = 64
"""The same for requests with inference, once more for those that may need another server; as many can share a batch."""
MAX_INFERENCE = 1024
"""Requests with inference that may be here at the same time; more are told to come back."""
INFERENCE_MARK = b'"model"'
"""Bodies without it hold no inference object, unless compressed. Some others have it too, which does no harm."""
ELSEWHERE_MARKS = (b'"openai/', b'"cohere/', b'"jinaai/', b'"openrouter/', b'"image"')
"""Inference objects with one of these may have to wait for another server, a provider's or one with images. They have
threads of their own again: a server that does not answer then holds up no inference of models that are here."""
DRAINED = 16
"""A body beyond the limit is read to its end (and dropped), up to so many times the limit: a client that is still
sending would otherwise not see the answer."""

PIECE = 2**20
"""Bytes of a file that are read or written at a time."""

STOPPING = Answer(503, b"the server is stopping", TEXT)

_R = TypeVar("_R")

log = logging.getLogger("qdlite_server.request")


class Disconnected(Exception):
    """The client left before its request was complete."""


class Stoppable(Protocol):
    def stop(self) -> None:
        """Ends what is there, at once."""


class App:
    """The ASGI application of one `Api`. It does not own the database."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._workers = Workers(THREADS, "qdlite")
        self._uploaders = Workers(UPLOAD_THREADS, "qdlite-upload")
        self._inference_workers = Workers(INFERENCE_THREADS, "qdlite-inference")
        self._elsewhere_workers = Workers(INFERENCE_THREADS, "qdlite-elsewhere")
        self.connections: set[Stoppable] = set()
        """Those that ordinary requests come by."""

    @property
    def busy(self) -> int:
        """How many requests are worked on in threads, or wait for one? Perhaps some that nobody waits for any more."""
        return sum(workers.unfinished for workers in self._all_workers)

    @property
    def _all_workers(self) -> tuple[Workers, ...]:
        return self._workers, self._uploaders, self._inference_workers, self._elsewhere_workers

    def is_ordinary(self, endpoint: Endpoint, length: int) -> bool:
        """Can a request with a body of `length` bytes, and its answer, be in memory?"""
        return not endpoint.streamed and length <= self.api.limit(endpoint)

    def is_light(self, route: Route, request: Request) -> bool:
        """May any thread work on a request, without regard to what else there is?"""
        return self._workers_for(route.endpoint, request) is self._workers

    def attend(self, work: Callable[[], _R], deliver: Callable[[_R], None]) -> None:
        """Has work done in a thread that is for a request after the other."""
        self._workers.submit(work, deliver)

    def begin(self, route: Route, request: Request, deliver: Deliver) -> None:
        """Has a request worked on in a thread, which delivers the answer."""
        workers = self._workers_for(route.endpoint, request)
        for_inference = workers in (self._inference_workers, self._elsewhere_workers)
        if for_inference and workers.unfinished >= MAX_INFERENCE:
            deliver(_refused(route.endpoint, RateLimited("Too many requests with inference", 1)))
        else:
            workers.submit(partial(self.api.answer_at, route, request), deliver)

    def _workers_for(self, endpoint: Endpoint, request: Request) -> Workers:
        if INFERENCE_MARK in request.body or "content-encoding" in request.headers:
            elsewhere = any(mark in request.body for mark in ELSEWHERE_MARKS)
            return self._elsewhere_workers if elsewhere else self._inference_workers
        return self._uploaders if len(request.body) > UPLOAD and endpoint.parameters is WRITE else self._workers

    def record(self, request: Request, status: int, began: float) -> None:
        """Writes the line of the log. `began`: when the request came, by `perf_counter`."""
        level = logging.DEBUG if request.path in HEALTH else logging.INFO
        if log.isEnabledFor(level):
            milliseconds = (perf_counter() - began) * 1e3
            log.log(level, "method=%s path=%s status=%d ms=%.2f", request.method, request.path, status, milliseconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            from_page = any(name == b"origin" for name, _ in scope["headers"])
            await (self._cross_origin if from_page else self._http)(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    @cached_property
    def _cross_origin(self) -> CORSMiddleware:
        """The same for requests of pages of other origins: all are welcome, as in Qdrant by default. Imported when
        the first comes, because most servers never meet a browser."""
        from starlette.middleware.cors import CORSMiddleware

        return CORSMiddleware(
            self._http, allow_origins=("*",), allow_methods=("*",), allow_headers=("*",), max_age=3600
        )

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            phase = (await receive())["type"].removeprefix("lifespan.")
            await send({"type": f"lifespan.{phase}.complete"})
            if phase == "shutdown":
                self.close()
                return

    def close(self) -> None:
        """Answers what still waits for its answer, and ends the threads when they have done what they are at."""
        for connection in self.connections.copy():
            connection.stop()
        for workers in self._all_workers:
            workers.close()

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["raw_path"].decode("latin-1")
        request = Request(scope["method"], path, scope["query_string"].decode("latin-1"), headers=headers)
        try:
            request, oversize = await self._received(receive, request)
        except Disconnected:
            return
        try:
            answer = await self._answer(request, oversize, receive)
        finally:
            if request.file is not None:
                request.file.close()
        await self._send(send, answer, headers, (scope.get("client") or (None,))[0])
        self.record(request, answer.status, started)

    async def _received(self, receive: Receive, request: Request) -> tuple[Request, int | None]:
        """The request with its body, and the body's size if that is beyond the limit."""
        route = self.api.find(request)
        if route is not None and route.endpoint.body is Upload:
            return await self._uploaded(receive, request)
        limit = self.api.limit(route.endpoint) if route is not None else self.api.max_body
        body, size = await self._body(receive, request.headers, limit)
        return replace(request, body=body), size

    async def _uploaded(self, receive: Receive, request: Request) -> tuple[Request, int | None]:
        """The same for a body that goes to a file, because it need not fit into memory."""
        limit = self.api.database.max_snapshot_bytes
        run = asyncio.get_running_loop().run_in_executor
        file = self.api.database.temporary_file()
        total, waiting, more = 0, bytearray(), True
        try:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                more = message.get("more_body", False)
                waiting += message.get("body", b"")
                if len(waiting) >= PIECE or not more:
                    total += len(waiting)
                    if total > limit:
                        return replace(request, file=file), total
                    await run(None, file.write, bytes(waiting))
                    waiting.clear()
        except BaseException:
            file.close()
            raise
        return replace(request, file=file), None

    async def _body(self, receive: Receive, headers: Mapping[str, str], limit: int) -> tuple[bytes, int | None]:
        """The body and the size it was announced with or turned out to have, if that is beyond the limit."""
        announced = headers.get("content-length", "")
        length = int(announced) if announced.isdigit() else 0
        chunks: list[bytes] = []
        total = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk = message.get("body", b"")
            total += len(chunk)
            if max(total, length) <= limit:
                chunks.append(chunk)
            else:
                chunks.clear()
            if not message.get("more_body") or total > limit * DRAINED:
                break
        return b"".join(chunks), max(total, length) if max(total, length) > limit else None

    async def _answer(self, request: Request, oversize: int | None, receive: Receive) -> Answer:
        route = self.api.find(request)
        if route is None:
            return UNKNOWN
        if oversize is not None:
            announced = oversize if "content-length" in request.headers else None
            return _refused(route.endpoint, too_large(announced, self.api.limit(route.endpoint)))
        if route.endpoint.quick:
            return self.api.answer_at(route, request)
        watch = asyncio.create_task(_watch(receive, request.cancellation)) if INFERENCE_MARK in request.body else None
        try:
            return await self._worked(route, request)
        finally:
            if watch is not None:
                watch.cancel()

    async def _worked(self, route: Route, request: Request) -> Answer:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Answer] = loop.create_future()

        def deliver(answer: Answer) -> None:
            with suppress(RuntimeError):  # the server has stopped, and its loop with it
                loop.call_soon_threadsafe(_settle, waiting, answer)

        self.begin(route, request, deliver)
        try:
            return await waiting
        except asyncio.CancelledError:  # the server stops and has waited long enough
            return STOPPING

    async def _send(self, send: Send, answer: Answer, headers: Mapping[str, str], client: str | None) -> None:
        if answer.file is not None:
            await self._send_file(send, answer, answer.file)
            return
        head, body = packed(answer, headers.get("accept-encoding", ""), client)
        await send({"type": "http.response.start", "status": answer.status, "headers": head})
        await send({"type": "http.response.body", "body": body})

    async def _send_file(self, send: Send, answer: Answer, file: BinaryIO) -> None:
        """Sends a file piece by piece, uncompressed."""
        run = asyncio.get_running_loop().run_in_executor
        with file:
            left = os.fstat(file.fileno()).st_size
            await send({"type": "http.response.start", "status": answer.status, "headers": fields(answer, left)})
            while piece := await run(None, file.read, min(PIECE, left)):
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def _settle(waiting: asyncio.Future[Answer], answer: Answer) -> None:
    if not waiting.done():
        waiting.set_result(answer)


async def _watch(receive: Receive, cancellation: Cancellation) -> None:
    """Cancels when the client leaves. To be started when the body is complete."""
    while (await receive())["type"] != "http.disconnect":
        pass
    cancellation.cancel()


def _refused(endpoint: Endpoint, error: QdliteError) -> Answer:
    return (endpoint.refuse or failure)(error, 0.0, endpoint.label, {})
