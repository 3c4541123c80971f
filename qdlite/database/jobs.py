"""Who does what a caller does not wait for?"""

from __future__ import annotations

import threading
from collections.abc import Callable

from qdlite.errors import QdliteError
from qdlite.lazily import logger

_log = logger(__name__)


class Jobs:
    """Threads, one for each job; what goes wrong is logged, because nobody is there to be told."""

    def __init__(self) -> None:
        self._running: set[threading.Thread] = set()
        self._mutex = threading.Lock()

    def start(self, work: Callable[[], object], name: str) -> None:
        """Does the work in a thread of its own. `name` says in the log what failed."""

        def run() -> None:
            try:
                work()
            except QdliteError as error:
                _log().warning("%s failed: %s", name, error)
            except Exception:
                _log().exception("%s failed", name)
            finally:
                with self._mutex:
                    self._running.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=f"qdlite {name}", daemon=True)
        with self._mutex:
            self._running.add(thread)
        thread.start()

    def close(self) -> None:
        """Waits for what was begun."""
        with self._mutex:
            running = list(self._running)
        for thread in running:
            thread.join()
