"""How are connections accepted until the server is told to stop, and how do they end then? One event loop.

Ordinary requests need nothing of uvicorn, whose import would take a sixth of the time of a start: it is loaded when the
first request comes that is not ordinary, and takes over the connection of that request.
"""

from __future__ import annotations

import asyncio
import socket
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast

from qdlite_server.app import App
from qdlite_server.connection import Connection

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

BACKLOG = 2048
KEEP_ALIVE = 75
"""Seconds that a connection stays open without a request."""
GRACE = 5
"""Seconds that running requests get to finish when the server is told to stop."""
_PAUSE = 0.05


class Open(Protocol):
    """An open connection, ours or uvicorn's."""

    def shutdown(self) -> None:
        """Ends the connection, after the answer to what has begun."""


class Server:
    """Serves an application. `run` may be called once, `stop` from any thread and from a signal's handler."""

    def __init__(self, app: App) -> None:
        self.started = False
        self._app = app
        self._connections: set[Open] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        """Requests that uvicorn works on."""
        self._loop = _event_loop()
        self._told = 0
        self._stopping = asyncio.Event()

    def run(self, listener: socket.socket) -> None:
        """Serves until `stop` is called."""
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(listener))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            self._loop.close()

    def stop(self) -> None:
        """Ends the server when running requests have finished or have had their time; at once if called again."""
        self._told += 1
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def _serve(self, listener: socket.socket) -> None:
        accepting = await self._loop.create_server(self._connection, sock=listener, backlog=BACKLOG)
        self.started = True
        await self._stopping.wait()
        accepting.close()
        for connection in self._connections.copy():
            connection.shutdown()
        end = time.monotonic() + GRACE
        while (self._connections or self._tasks) and self._told < 2 and time.monotonic() < end:
            await asyncio.sleep(_PAUSE)
        await _cancelled(self._tasks.copy())
        self._app.close()
        await _cancelled(asyncio.all_tasks() - {asyncio.current_task()})

    def _connection(self) -> Connection:
        return Connection(self._app, self._connections, KEEP_ALIVE, self._successor)

    def _successor(self) -> asyncio.Protocol:
        """What serves a connection from its first request on that is not ordinary."""
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

        return HttpToolsProtocol(*self._uvicorn, {}, self._loop)

    @cached_property
    def _uvicorn(self) -> tuple[Config, ServerState]:
        """uvicorn's settings: no access log of its own, no web sockets, no forwarding headers; and its connections."""
        from uvicorn import Config
        from uvicorn.server import ServerState

        config = Config(
            cast(Any, self._app),
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        config.load()
        state = ServerState()
        state.connections = cast(Any, self._connections)
        state.tasks = self._tasks
        return config, state


async def _cancelled(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _event_loop() -> asyncio.AbstractEventLoop:
    """That of uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
