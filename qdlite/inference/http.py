"""How does qdlite speak to other inference services? JSON over kept-open connections, without redirects."""

from __future__ import annotations

import http.client
import socket
import threading
import weakref
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from qdlite.inference.cancellation import Cancellation
from qdlite.inference.patience import Patience

_IDLE_PER_HOST = 8
_STALE = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


class Reply(NamedTuple):
    """An HTTP answer; header names are lower-case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class HttpClient:
    """Posts JSON; safe for several threads. Honours the proxy variables of the environment."""

    def __init__(self) -> None:
        self._idle: defaultdict[tuple[str, str], list[http.client.HTTPConnection]] = defaultdict(list)
        self._lock = threading.Lock()
        weakref.finalize(self, _close, self._idle)  # unlike `__del__`, this comes before the connections' own end

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        timeout: float | None,
        cancellation: Cancellation | None = None,
    ) -> Reply:
        """Raises OSError or HTTPException if there is no complete answer within `timeout` seconds, and Cancelled if the
        client has left; one that leaves later ends the connection, which is one of the former errors."""
        cancellation = cancellation or Cancellation()
        parts = urlsplit(url)
        sent = {"Content-Type": "application/json", "User-Agent": "qdlite", **headers}
        connection = self._take(parts)
        if connection is not None:
            try:
                return self._exchange(connection, parts, body, sent, timeout, cancellation)
            except _STALE:  # closed by the server since the last request
                connection.close()
        return self._exchange(_connection(parts), parts, body, sent, timeout, cancellation)

    def close(self) -> None:
        """Ends the connections that are kept; further requests may come nevertheless."""
        with self._lock:
            idle = dict(self._idle)
            self._idle.clear()
        _close(idle)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        parts: SplitResult,
        body: bytes,
        headers: Mapping[str, str],
        timeout: float | None,
        cancellation: Cancellation,
    ) -> Reply:
        cancellation.check()
        patience = Patience()
        try:
            with patience.lasting(timeout, cancellation):
                patience.watch(_connected(connection, timeout))
                connection.request("POST", _target(parts), body, dict(headers))
                with connection.getresponse() as response:
                    named = {name.lower(): value for name, value in response.getheaders()}
                    reply = Reply(response.status, response.reason, named, response.read())
        except BaseException:
            connection.close()
            raise
        self._give_back(parts, connection)
        return reply

    def _take(self, parts: SplitResult) -> http.client.HTTPConnection | None:
        with self._lock:
            idle = self._idle[parts.scheme, parts.netloc]
            return idle.pop() if idle else None

    def _give_back(self, parts: SplitResult, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            idle = self._idle[parts.scheme, parts.netloc]
            if connection.sock is not None and len(idle) < _IDLE_PER_HOST:
                idle.append(connection)
                return
        connection.close()


def _close(idle: Mapping[tuple[str, str], list[http.client.HTTPConnection]]) -> None:
    for connections in idle.values():
        for connection in connections:
            connection.close()


def _connected(connection: http.client.HTTPConnection, timeout: float | None) -> socket.socket:
    """The connection's socket, with a new timeout."""
    connection.timeout = timeout
    if connection.sock is None:
        connection.connect()
    stream: socket.socket = connection.sock
    stream.settimeout(timeout)
    return stream


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    host = parts.hostname or ""
    proxy = _proxy(parts)
    if proxy is None:
        return kind(host, parts.port)
    connection = kind(proxy.hostname or "", proxy.port or 3128)
    connection.set_tunnel(host, parts.port or connection.default_port)
    return connection


def _proxy(parts: SplitResult) -> SplitResult | None:
    """The proxy for this URL; requests to it are tunnelled, also plain http."""
    address = getproxies().get(parts.scheme)
    if not address or proxy_bypass(parts.hostname or ""):
        return None
    return urlsplit(address if "//" in address else f"//{address}")


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
