"""Who builds the graphs? One background thread per database, which works while there is work and sleeps otherwise."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Sequence

from qdlite.collection.collection import Collection
from qdlite.lazily import logger

_log = logger(__name__)
_STEP_SECONDS = 0.05
_GATHER_SECONDS = 0.05
"""How long work may gather before it begins: many small writes are indexed together, not each on its own."""
_ERROR_PAUSE_SECONDS = 1.0


class IndexBuilder:
    """Extends the graphs of all collections outside of their locks.

    The thread is started by the first `wake` with anything to do, so that small databases never have one; it is a
    daemon, and `close` ends it.
    """

    def __init__(self, collections: Callable[[], Sequence[Collection]]) -> None:
        self._collections = collections
        self._work = threading.Event()
        self._awaited = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def wake(self, collection: Collection) -> None:
        """To be called after a write: costs nothing unless there is something to do for the collection's vectors."""
        if not self._work.is_set() and collection.has_work:
            self.begin()

    def begin(self) -> None:
        """Looks at all collections, unless it is at that already."""
        if not self._work.is_set():
            self._work.set()
            self._start()

    def wait(self, timeout: float | None = None) -> bool:
        """Blocks until no collection has anything to index, for tests and benchmarks; False if time ran out."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while any(collection.has_work for collection in self._collections()):
            if deadline is not None and time.monotonic() > deadline:
                return False
            self.begin()
            self._awaited.set()
            time.sleep(0.01)
        return True

    def close(self) -> None:
        """Ends the thread after its current step."""
        self._closed = True
        self._work.set()
        self._awaited.set()
        if self._thread is not None:
            self._thread.join()
            atexit.unregister(self.close)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="qdlite-index-builder", daemon=True)
                self._thread.start()
                atexit.register(self.close)  # a thread inside a graph when the interpreter ends would abort the process

    def _run(self) -> None:
        while not self._closed:
            self._work.wait()
            self._awaited.wait(_GATHER_SECONDS)
            self._work.clear()
            while not self._closed and self._step():
                pass
            self._awaited.clear()

    def _step(self) -> bool:
        """Builds a little of everything; True if work remains."""
        try:
            remaining = [collection.build_step(_STEP_SECONDS) for collection in self._collections()]
            return any(remaining)
        except Exception:
            _log().exception("Building a vector index failed; searches stay exact until it succeeds")
            time.sleep(_ERROR_PAUSE_SECONDS)
            return True
