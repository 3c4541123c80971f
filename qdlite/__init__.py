"""An in-memory vector database that answers Qdrant's API.

`Database` is the engine; `client()` and `async_client()` return the stock Qdrant clients on one, without a server.
"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

from qdlite import errors, models
from qdlite.version import __version__

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient, QdrantClient

    from qdlite.database import Database

__all__ = ["Database", "__version__", "async_client", "client", "errors", "models"]

os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "16")
"""The threads of numpy's BLAS wait for work in a busy loop; after 2 to the 16th ticks (20 us) they go to sleep.

By default they spin for a thousand times as long, from the moment numpy is loaded and after every large product, and
take the processors from whoever has something to do. Read by OpenBLAS when it is loaded, so it stands before numpy.
"""


def client(database: Database | None = None, **options: Any) -> QdrantClient:
    """The stock `QdrantClient` on a database in this process: no server, no socket.

    Without `database` it gets one of its own, which closes with the client. `options` are those of the client.
    Documents are embedded by the database. Needs the package qdrant-client.
    """
    from qdlite_server import inprocess

    return inprocess.client(database, **options)


def async_client(database: Database | None = None, **options: Any) -> AsyncQdrantClient:
    """As `client`, for asyncio: searches and writes run in threads, so the event loop stays free."""
    from qdlite_server import inprocess

    return inprocess.async_client(database, **options)


def __getattr__(name: str) -> Any:
    """Loads `Database` (and with it numpy and all of the engine) when it is first used.

    Meanwhile nothing looks for garbage: all that is made stays, and looking takes a tenth of the time. For the same
    reason it counts as old afterwards; or else the first thing that the engine made would have all of it looked at.
    """
    if name != "Database":
        raise AttributeError(f"module 'qdlite' has no attribute {name!r}")
    collecting = gc.isenabled()
    gc.disable()
    try:
        from qdlite.database import Database
    finally:
        if collecting:
            if not gc.get_freeze_count():  # what a host has frozen stays frozen
                gc.freeze()
                gc.unfreeze()  # into the oldest generation
            gc.enable()
    globals()[name] = Database
    return Database
