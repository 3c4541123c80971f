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
from qdlite_server.attendance import FEW, POSSIBLE, Attendance, Return
from qdlite_server.endpoint import Answer
from qdlite_server.inbox import Arrival, Inbox
from qdlite_server.message import message

MAX_AHEAD = 2**16
"""Bytes that a client may send ahead of its answer before it is made to wait."""
CALM = 32
"""After so many requests in a row while few others asked, a connection gets a thread that stays with it, and again
whenever it asks, until there are more."""


class Connection(asyncio.Protocol):
    """One connection. One request is worked on at a time; what comes after it waits in the inbox.

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
        self._inbox = Inbox(app)
        self._arrival: Arrival | None = None
        self._attendance: Attendance | None = None
        self._calm = 0
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
        if self._arrival is not None:
            self._arrival.request.cancellation.cancel()

    def _leave(self) -> None:
        self._timer.cancel()
        self._siblings.discard(self)
        self._app.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._inbox.received += data
        if self._arrival is None and not self._clogged:
            self._go_on()
        elif len(self._inbox.received) > MAX_AHEAD:
            self._transport.pause_reading()
            self._held_back = True

    def eof_received(self) -> bool:
        """The client sends nothing more. It may still wait for the answer to what it has sent; one that asks for
        inference, which is dear, is taken to have left."""
        if self._arrival is None or self._inbox.received or INFERENCE_MARK in self._arrival.request.body:
            return False
        self._last = True
        return True

    def pause_writing(self) -> None:
        self._clogged = True

    def resume_writing(self) -> None:
        self._clogged = False
        if self._attendance is None:
            self._go_on()

    @property
    def _taken(self) -> bool:
        """Is a thread at work for this connection?"""
        return self._arrival is not None or self._attendance is not None

    def shutdown(self) -> None:
        """Called when the server stops: ends the connection, after the answer to what has begun."""
        self._last = True
        if self._attendance is not None:
            self._attendance.ended = True
        elif not (self._taken or self._inbox.expecting):
            self._transport.close()

    def stop(self) -> None:
        """Called when the server has waited long enough."""
        if self._arrival is not None or (self._attendance is not None and self._attendance.stop()):
            self._last = True
            self._write(message(STOPPING, "", None, last=True))

    def _expire(self) -> None:
        """Ends the connection if nothing has happened for long. One timer, seldom renewed, is cheaper than one for
        each request."""
        idle = perf_counter() - self._since
        if not (self._taken or self._inbox.expecting) and idle >= self._patience:
            self._transport.close()
        else:
            self._timer = self._loop.call_later(max(self._patience - idle, 1.0), self._expire)

    def _go_on(self) -> None:
        """Takes requests from the inbox until one is worked on in a thread, or more bytes are needed."""
        if self._held_back:
            self._transport.resume_reading()
            self._held_back = False
        while self._inbox.received and not (self._taken or self._clogged or self._transport.is_closing()):
            arrival = self._inbox.take()
            if arrival is None:
                if self._inbox.foreign:
                    self._hand_over()
                return
            self._begin(arrival)

    def _hand_over(self) -> None:
        """Gives the connection to uvicorn, with what has been received since the last request."""
        self._leave()
        successor = self._successor()
        self._transport.set_protocol(successor)
        successor.connection_made(self._transport)
        successor.data_received(bytes(self._inbox.received))
        self._inbox.received.clear()

    def _begin(self, arrival: Arrival) -> None:
        """Begins the work on a request."""
        self._last = self._last or arrival.last
        if arrival.route.endpoint.quick:
            answer = self._app.api.answer_at(arrival.route, arrival.request)
            self._write(self._message(arrival, answer))
            self._app.record(arrival.request, answer.status, arrival.began)
            return
        self._calm = 0 if self._app.busy >= FEW or self._inbox.received else self._calm + 1
        if self._calm <= CALM or not self._lend(arrival):
            self._arrival = arrival
            self._app.begin(arrival.route, arrival.request, partial(self._deliver, arrival))

    def _deliver(self, arrival: Arrival, answer: Answer) -> None:
        """Called in the thread that worked on the request."""
        data = self._message(arrival, answer)
        with suppress(RuntimeError):  # the server has stopped, and its loop with it
            self._loop.call_soon_threadsafe(self._finish, arrival, answer.status, data)

    def _message(self, arrival: Arrival, answer: Answer) -> bytes:
        accepted = arrival.request.headers.get("accept-encoding", "")
        return message(answer, accepted, self._client, self._last or arrival.last)

    def _finish(self, arrival: Arrival, status: int, data: bytes) -> None:
        if self._arrival is arrival:  # it has not been stopped
            self._write(data)
            self._app.record(arrival.request, status, arrival.began)
            self._go_on()

    def _write(self, data: bytes) -> None:
        """Ends a request with its answer."""
        self._arrival = None
        self._since = perf_counter()
        if not self._transport.is_closing():
            self._transport.write(data)
            if self._last:
                self._transport.close()

    def _lend(self, arrival: Arrival) -> bool:
        """Gives the connection to a thread, if that can begin with this request."""
        if not POSSIBLE or self._last or self._transport.get_write_buffer_size():
            return False
        if not self._app.is_light(arrival.route, arrival.request):
            return False
        try:
            number = self._transport.get_extra_info("socket").fileno()
            self._attendance = attendance = Attendance(self._app, number, self._inbox, self._message)
        except OSError:  # there are no file descriptors left
            return False
        self._transport.pause_reading()
        self._app.attend(partial(attendance.run, arrival), self._give_back)
        return True

    def _give_back(self, state: Return) -> None:
        """Called in the thread that the connection was lent to."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._take_back, state)

    def _take_back(self, state: Return) -> None:
        self._attendance = None
        if state.crowded:
            self._calm = 0
        if self._transport.is_closing():
            return
        if state.unsent:
            self._transport.write(state.unsent)
        self._since = perf_counter()
        if state.last or (self._last and state.next is None and not self._inbox.expecting):
            self._transport.close()
            return
        self._transport.resume_reading()
        if state.next is not None:
            self._begin(state.next)
        self._go_on()
