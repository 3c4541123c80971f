"""How does the API travel over HTTP? An ASGI application around `Api`.

Quick handlers run on the event loop, all others in threads, so that one slow query never blocks the rest. The loop
itself only moves bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, TypeAlias

from qdlite_server.api import UNKNOWN, Api, too_large
from qdlite_server.compression import gzip, worthwhile
from qdlite_server.endpoint import Answer, Request, failure
from qdlite_server.routes.service import HEALTH
from qdlite_server.versions import SERVER

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

THREADS = 40
"""Requests that are worked on at the same time; more wait their turn."""
DRAINED = 16
"""A body beyond the limit is read to its end (and dropped), up to so many times the limit: a client that is still
sending would otherwise not see the answer."""

log = logging.getLogger("qdlite_server.request")


class Disconnected(Exception):
    """The client left before its request was complete."""


class App:
    """The ASGI application of one `Api`. It does not own the database."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="qdlite")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            phase = (await receive())["type"].removeprefix("lifespan.")
            await send({"type": f"lifespan.{phase}.complete"})
            if phase == "shutdown":
                self._threads.shutdown(wait=False, cancel_futures=True)
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            body, size = await self._body(receive, headers)
        except Disconnected:
            return
        path = scope["raw_path"].decode("latin-1")
        request = Request(scope["method"], path, scope["query_string"].decode("latin-1"), body, headers)
        answer = await self._answer(request, size)
        await self._send(send, answer, headers, (scope.get("client") or (None,))[0])
        level = logging.DEBUG if path in HEALTH else logging.INFO
        milliseconds = (perf_counter() - started) * 1e3
        log.log(level, "method=%s path=%s status=%d ms=%.2f", request.method, path, answer.status, milliseconds)

    async def _body(self, receive: Receive, headers: Mapping[str, str]) -> tuple[bytes, int | None]:
        """The body and the size it was announced with or turned out to have, if that is beyond the limit."""
        limit = self.api.max_body
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

    async def _answer(self, request: Request, oversize: int | None) -> Answer:
        if request.method == "OPTIONS":
            return preflight(request.headers)
        route = self.api.find(request)
        if route is None:
            return UNKNOWN
        if oversize is not None:
            announced = oversize if "content-length" in request.headers else None
            return failure(too_large(announced, self.api.max_body), 0.0, route.endpoint.label)
        if route.endpoint.quick:
            return self.api.answer_at(route, request)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.api.answer_at, route, request)

    async def _send(self, send: Send, answer: Answer, headers: Mapping[str, str], client: str | None) -> None:
        body = answer.body
        fields = [(b"server", SERVER.encode())]
        if answer.content_type:
            fields.append((b"content-type", answer.content_type.encode()))
        if worthwhile(headers.get("accept-encoding", ""), len(body), client):
            body = gzip(body)
            fields += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
        fields.append((b"content-length", str(len(body)).encode()))
        fields += [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        if "origin" in headers:
            fields.append((b"access-control-allow-origin", headers["origin"].encode("latin-1")))
        await send({"type": "http.response.start", "status": answer.status, "headers": fields})
        await send({"type": "http.response.body", "body": body})


def preflight(headers: Mapping[str, str]) -> Answer:
    """Any origin may use any method with any headers, as in Qdrant by default."""
    if "origin" not in headers or "access-control-request-method" not in headers:
        return UNKNOWN
    allowed = (
        ("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        ("access-control-allow-headers", headers.get("access-control-request-headers", "*")),
        ("access-control-max-age", "3600"),
    )
    return Answer(200, headers=allowed)
