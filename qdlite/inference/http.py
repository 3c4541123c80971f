"""How does qdlite speak to other inference services? JSON over kept-open connections, without redirects."""

from __future__ import annotations

import http.client
import socket
import threading
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from qdlite.inference.cancellation import Cancellation

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

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        timeout: float | None,
        cancellation: Cancellation | None = None,
    ) -> Reply:
        """Raises OSError or HTTPException if there is no answer within `timeout` seconds between bytes, and Cancelled
        if the client has left; one that leaves later ends the connection, which is one of the former errors."""
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
        with self._lock:
            connections = [one for idle in self._idle.values() for one in idle]
            self._idle.clear()
        for connection in connections:
            connection.close()

    def __del__(self) -> None:
        self.close()

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
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        try:
            with cancellation.calling(lambda: _abort(connection)):
                connection.request("POST", _target(parts), body, dict(headers))
                response = connection.getresponse()
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


def _abort(connection: http.client.HTTPConnection) -> None:
    """Ends what another thread reads from the connection."""
    stream = connection.sock
    if stream is not None:
        with suppress(OSError):
            stream.shutdown(socket.SHUT_RDWR)


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
