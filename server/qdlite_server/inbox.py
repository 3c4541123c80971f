"""Which ordinary requests has a connection sent? The bytes that have come, until they are taken out as requests."""

from __future__ import annotations

from time import perf_counter

from msgspec import Struct

from qdlite_server.app import App
from qdlite_server.endpoint import Request
from qdlite_server.head import END, Head, plain
from qdlite_server.routing import Route

MAX_HEAD = 2**16
"""Bytes of a head that is waited for here."""


class Arrival(Struct, frozen=True):
    """A request, where it leads, and when it came, by `perf_counter`. `last`: the client wants no other answer."""

    route: Route
    request: Request
    began: float
    last: bool


class Inbox:
    """What a connection has received. `foreign`: what comes next is not an ordinary request."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.received = bytearray()
        self.foreign = False
        self._head: Head | None = None

    @property
    def expecting(self) -> bool:
        """Is there a head whose body is not complete?"""
        return self._head is not None

    def take(self) -> Arrival | None:
        """The next request; None if it is not complete, or foreign."""
        head = self._head or self._read_head()
        if head is None or len(self.received) < self._body_at + head.length:
            return None
        end = self._body_at + head.length
        with memoryview(self.received) as received:
            body = bytes(received[self._body_at : end])
        del self.received[:end]
        self._head = None
        request = Request(head.method, head.path, head.query, body, head.headers)
        return Arrival(self._route, request, self._began, head.last)

    def _read_head(self) -> Head | None:
        end = self.received.find(END)
        if end < 0 and len(self.received) < MAX_HEAD and (not self.received or self.received[:1].isalpha()):
            return None
        head = plain(bytes(self.received[: end + len(END)]))
        route = self._app.api.route(head.method, head.path) if head else None
        if head is None or route is None or not self._app.is_ordinary(route.endpoint, head.length):
            self.foreign = True
            return None
        self._head, self._route, self._body_at = head, route, end + len(END)
        self._began = perf_counter()
        return head
