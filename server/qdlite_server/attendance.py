"""How is one of few connections served? By a thread that stays with it and reads and writes its socket itself.

To hand a request over to a thread and its answer back wakes two threads up, which costs more than most answers, and
each of them may have to wait for the interpreter. While only few ask, the event loop therefore lends each busy
connection to a thread. It comes back as soon as more requests are being worked on, with anything that this thread is
not for, and when the client falls silent.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable

from msgspec import Struct

from qdlite_server.app import App
from qdlite_server.endpoint import Answer
from qdlite_server.inbox import Arrival, Inbox
from qdlite_server.sending import send

POSSIBLE = hasattr(socket, "MSG_DONTWAIT")
"""Not on Windows, where event loops do not wait for sockets but have reads under way."""
FEW = 4
"""So many requests may be worked on. With more, threads that wait for the interpreter are in each other's way."""
LINGER = 0.1
"""Seconds that a thread waits for the next request."""
PIECE = 2**18
"""Bytes that are read at a time."""

Pack = Callable[[Arrival, Answer], bytes]
"""Makes the message that is sent for an answer."""


class Return(Struct, frozen=True):
    """How a connection comes back: `unsent` is what the client has not taken yet, `last` whether it wants no other
    answer, `next` a request that has been read but not begun, `crowded` whether more than few ask."""

    unsent: bytes = b""
    last: bool = False
    next: Arrival | None = None
    crowded: bool = False


class Attendance:
    """The time that one thread spends with a connection. The event loop does not read from it meanwhile."""

    def __init__(self, app: App, number: int, inbox: Inbox, pack: Pack) -> None:
        """`number`: the file descriptor of the connection's socket."""
        self.ended = False
        """Set by the connection when the answer in work is to be the last."""
        self._app = app
        self._inbox = inbox
        self._pack = pack
        self._socket = socket.socket(fileno=os.dup(number))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(LINGER))
        self._socket.setblocking(True)
        self._lock = threading.Lock()
        self._working = True
        self._stopped = False

    def stop(self) -> bool:
        """Lets nothing more be sent. True if a request is left without its answer."""
        with self._lock:
            self._stopped = True
            self._release()
            return self._working

    def run(self, arrival: Arrival) -> Return:
        """Answers a request and those that come after it."""
        try:
            return self._serve(arrival)
        finally:
            with self._lock:
                self._release()
                self._socket.close()

    def _release(self) -> None:
        """Makes the socket what the event loop expects. Both have it in common, though each its own descriptor."""
        if self._socket.fileno() >= 0:
            self._socket.setblocking(False)

    def _serve(self, arrival: Arrival) -> Return:
        while True:
            unsent = self._answer(arrival)
            crowded = self._app.busy > FEW
            if unsent or self.ended or arrival.last or crowded:
                return Return(unsent, arrival.last, crowded=crowded)
            following = self._next()
            if following is None or not self._app.is_light(following.route, following.request):
                return Return(next=following)
            arrival = following

    def _answer(self, arrival: Arrival) -> bytes:
        """Answers a request; what could not be sent."""
        answer = self._app.api.answer_at(arrival.route, arrival.request)
        message = self._pack(arrival, answer)
        with self._lock:
            self._working = False
            sent = len(message) if self._stopped else self._send(message)
        self._app.record(arrival.request, answer.status, arrival.began)
        return message[sent:]

    def _send(self, message: bytes) -> int:
        try:
            return send(self._socket, message)
        except OSError:  # the client has left, as the loop will find out
            return len(message)

    def _next(self) -> Arrival | None:
        """The next request; None if none comes that is ordinary."""
        arrival = self._inbox.take()
        while arrival is None and not self._inbox.foreign:
            try:
                received = self._socket.recv(PIECE)
            except OSError:  # nothing came for so long, or the client has left
                return None
            if not received:
                return None
            self._inbox.received += received
            arrival = self._inbox.take()
        self._working = arrival is not None
        return arrival


def _timeval(seconds: float) -> bytes:
    """A time as the system wants to be told: seconds and microseconds."""
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
