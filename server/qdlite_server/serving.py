"""How does the server start, and how does it stop? One process, one event loop, one database."""

from __future__ import annotations

import errno
import gc
import logging
import os
import signal
import socket
import sys

from qdlite import database as engine
from qdlite.database import Database
from qdlite_server.api import Api
from qdlite_server.app import App
from qdlite_server.routes.inference import Service
from qdlite_server.running import BACKLOG, Server
from qdlite_server.settings import Settings

_HINTS = {errno.EADDRINUSE: "; is another server running there?", errno.EACCES: "; ports below 1024 need privileges"}

log = logging.getLogger("qdlite_server")


class PortTaken(OSError):
    """The address cannot be listened on; the text says which and why."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises PortTaken."""
    if not 0 <= port <= 65535:  # getaddrinfo would take it modulo 65536
        raise PortTaken(f"cannot listen on port {port}: ports go from 0 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortTaken(f"cannot listen on {host}: {error.strerror}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(f"cannot listen on {host}:{port}: {error.strerror}{_HINTS.get(error.errno or 0, '')}") from None
    return listener


def serve(settings: Settings, inference: engine.InferenceSettings, service: Service) -> int:
    """Serves until told to stop; returns the exit code. Raises PortTaken."""
    start_log(settings.log_level)
    listener = listen(settings.host, settings.port)
    with listener, Database(inference, _snapshot_settings(settings)) as database:
        app = App(Api(database, settings.max_request_mb * 2**20, service))
        server = Server(app)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: server.stop())
        host, port = listener.getsockname()[:2]
        log.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
        gc.freeze()
        gc.enable()
        server.run(listener)
        if app.busy:
            log.warning("stopped without waiting for requests that still run")
            logging.shutdown()
            os._exit(0)  # the interpreter would wait for their threads
    log.info("stopped")
    return 0


def _snapshot_settings(settings: Settings) -> engine.SnapshotSettings | None:
    return None if settings.snapshots_dir is None else engine.SnapshotSettings(folder=settings.snapshots_dir)


def start_log(level: str) -> None:
    """Log lines to standard error: time, level, what happened."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in ("qdlite", "qdlite_server"):
        logging.getLogger(name).setLevel(level.upper())
