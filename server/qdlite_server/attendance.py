"""How is a connection served that is alone? By a thread that stays with it and reads and writes its socket itself.

To hand a request over to a thread and its answer back wakes two threads up, which costs more than most answers. While
nobody else asks, the event loop therefore lends a busy connection to one thread. It comes back as soon as another
request is being worked on, with anything that this thread is not for, and when the client falls silent.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable

from msgspec import Struct

from qdlite_server.app import App
from qdlite_server.endpoint import Answer
from qdlite_server.inbox import Arrival, Inbox

POSSIBLE = hasattr(select, "poll")
"""Not on Windows, where event loops do not wait for sockets but have reads under way."""
LINGER = 0.1
"""Seconds that a thread waits for the next request."""
PIECE = 2**18
"""Bytes that are read at a time."""

Pack = Callable[[Arrival, Answer], bytes]
"""Makes the message that is sent for an answer."""


class Return(Struct, frozen=True):
    """How a connection comes back: `unsent` is what the client has not taken yet, `last` whether it wants no other
    answer, `next` a request that has been read but not begun."""

    unsent: bytes = b""
    last: bool = False
    next: Arrival | None = None


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
        self._lock = threading.Lock()
        self._working = True
        self._stopped = False

    def stop(self) -> bool:
        """Lets nothing more be sent. True if a request is left without its answer."""
        with self._lock:
            self._stopped = True
            return self._working

    def run(self, arrival: Arrival) -> Return:
        """Answers a request and those that come after it."""
        arrivals = select.poll()
        arrivals.register(self._socket.fileno(), select.POLLIN)
        with self._socket:
            while True:
                unsent = self._answer(arrival)
                if unsent or self.ended or arrival.last or self._app.busy > 1:
                    return Return(unsent, arrival.last)
                following = self._next(arrivals)
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
            return self._socket.send(message, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError:  # the client has left, as the loop will find out
            return len(message)

    def _next(self, arrivals: select.poll) -> Arrival | None:
        """The next request; None if none comes that is ordinary."""
        arrival = self._inbox.take()
        while arrival is None and not self._inbox.foreign and arrivals.poll(LINGER * 1e3):
            try:
                received = self._socket.recv(PIECE, socket.MSG_DONTWAIT)
            except OSError:
                return None
            if not received:
                return None
            self._inbox.received += received
            arrival = self._inbox.take()
        self._working = arrival is not None
        return arrival
