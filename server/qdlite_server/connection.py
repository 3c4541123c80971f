"""How do ordinary requests come and go on one connection? Without ASGI, which costs more than most answers.

A request is ordinary if its body may be in memory and its answer is one message. Everything else (uploads, downloads,
pages of other origins, unknown paths, what is not HTTP/1.1, whatever is wrong) is handed to uvicorn together with the
connection: from then on it is served through the ASGI application, in the same way but for the cost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import Any, cast

from qdlite_server.app import INFERENCE_MARK, STOPPING, App
from qdlite_server.endpoint import Answer, Request
from qdlite_server.head import END, Head, plain
from qdlite_server.message import message

MAX_HEAD = 2**16
"""Bytes of a head that is waited for here."""
MAX_AHEAD = 2**16
"""Bytes that a client may send ahead of its answer before it is made to wait."""


class Connection(asyncio.Protocol):
    """One connection. One request is worked on at a time; what comes after it waits in the buffer.

    `siblings` are all that are open; without a request the connection ends after `patience` seconds; `successor`
    makes what serves it from the first request on that is not ordinary."""

    def __init__(
        self, app: App, siblings: set[Any], patience: float, successor: Callable[[], asyncio.Protocol]
    ) -> None:
        self._app = app
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._siblings = siblings
        self._successor = successor
        self._buffer = bytearray()
        self._head: Head | None = None
        self._body_at = 0
        self._request: Request | None = None
        self._last = False
        self._clogged = False
        self._held_back = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        address = transport.get_extra_info("peername")
        self._client: str | None = address[0] if isinstance(address, tuple) else None
        self._siblings.add(self)
        self._app.connections.add(self)
        self._since = perf_counter()
        self._timer = self._loop.call_later(self._patience, self._expire)

    def connection_lost(self, error: Exception | None) -> None:
        self._leave()
        if self._request is not None:
            self._request.cancellation.cancel()

    def _leave(self) -> None:
        self._timer.cancel()
        self._siblings.discard(self)
        self._app.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._request is None and not self._clogged:
            self._go_on()
        elif len(self._buffer) > MAX_AHEAD:
            self._transport.pause_reading()
            self._held_back = True

    def eof_received(self) -> bool:
        """The client sends nothing more. It may still wait for the answer to what it has sent; one that asks for
        inference, which is dear, is taken to have left."""
        request = self._request
        if request is None or self._buffer or INFERENCE_MARK in request.body:
            return False
        self._last = True
        return True

    def pause_writing(self) -> None:
        self._clogged = True

    def resume_writing(self) -> None:
        self._clogged = False
        self._go_on()

    def shutdown(self) -> None:
        """Called when the server stops: ends the connection, after the answer to what has begun."""
        self._last = True
        if self._head is None:
            self._transport.close()

    def stop(self) -> None:
        """Called when the server has waited long enough."""
        if self._request is not None:
            self._write(message(STOPPING, "", None, last=True))

    def _expire(self) -> None:
        """Ends the connection if nothing has happened for long. One timer, seldom renewed, is cheaper than one for
        each request."""
        idle = perf_counter() - self._since
        if self._head is None and idle >= self._patience:
            self._transport.close()
        else:
            self._timer = self._loop.call_later(max(self._patience - idle, 1.0), self._expire)

    def _go_on(self) -> None:
        """Takes requests from the buffer until one is worked on in a thread, or more bytes are needed."""
        if self._held_back:
            self._transport.resume_reading()
            self._held_back = False
        ready = True
        while ready and self._buffer and not (self._request or self._clogged or self._transport.is_closing()):
            ready = (self._head is not None or self._begin()) and self._take()

    def _begin(self) -> bool:
        """Reads a head; False if it is not complete, or not ours."""
        end = self._buffer.find(END)
        if end < 0 and len(self._buffer) < MAX_HEAD and self._buffer[:1].isalpha():
            return False
        head = plain(bytes(self._buffer[: end + len(END)]))
        route = self._app.api.route(head.method, head.path) if head else None
        if head is None or route is None or not self._app.is_ordinary(route.endpoint, head.length):
            self._hand_over()
            return False
        self._head, self._route, self._body_at = head, route, end + len(END)
        self._last = self._last or head.last
        self._began = perf_counter()
        return True

    def _hand_over(self) -> None:
        """Gives the connection to uvicorn, with what has been received since the last request."""
        self._leave()
        successor = self._successor()
        self._transport.set_protocol(successor)
        successor.connection_made(self._transport)
        successor.data_received(bytes(self._buffer))
        self._buffer.clear()

    def _take(self) -> bool:
        """Begins the work on the request whose head has been read; False if its body is not complete."""
        head, end = cast(Head, self._head), self._body_at + cast(Head, self._head).length
        if len(self._buffer) < end:
            return False
        with memoryview(self._buffer) as received:
            body = bytes(received[self._body_at : end])
        del self._buffer[:end]
        request = Request(head.method, head.path, head.query, body, head.headers)
        if self._route.endpoint.quick:
            answer = self._app.api.answer_at(self._route, request)
            self._write(self._message(request, answer))
            self._app.record(request, answer.status, self._began)
        else:
            self._request = request
            self._app.begin(self._route, request, partial(self._deliver, request))
        return True

    def _deliver(self, request: Request, answer: Answer) -> None:
        """Called in the thread that worked on the request."""
        data = self._message(request, answer)
        with suppress(RuntimeError):  # the server has stopped, and its loop with it
            self._loop.call_soon_threadsafe(self._finish, request, answer.status, data)

    def _message(self, request: Request, answer: Answer) -> bytes:
        return message(answer, request.headers.get("accept-encoding", ""), self._client, self._last)

    def _finish(self, request: Request, status: int, data: bytes) -> None:
        if self._request is request:  # it has not been stopped
            self._write(data)
            self._app.record(request, status, self._began)
            self._go_on()

    def _write(self, data: bytes) -> None:
        """Ends a request with its answer."""
        self._head = self._request = None
        self._since = perf_counter()
        if not self._transport.is_closing():
            self._transport.write(data)
            if self._last:
                self._transport.close()
