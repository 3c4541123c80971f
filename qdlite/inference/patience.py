"""How does what another server sends end in time, however slowly it comes?"""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from qdlite.inference.cancellation import Cancellation


class Patience:
    """Ends one exchange over a socket when its time is over or nobody waits for it any more. A socket's own timeout
    is for the pause between two bytes only, so a server that sends one now and then would never meet it."""

    def __init__(self) -> None:
        self._stream: socket.socket | None = None
        self._over = False

    def watch(self, stream: socket.socket | None) -> None:
        """The socket to shut down; it is remembered here because http.client lets go of it before all is read."""
        self._stream = stream
        if self._over:
            self._shut()

    def end(self) -> None:
        """Ends what another thread sends to or reads from the socket."""
        self._over = True
        self._shut()

    def _shut(self) -> None:
        if self._stream is not None:
            with suppress(OSError):
                self._stream.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def lasting(self, seconds: float | None, cancellation: Cancellation) -> Iterator[None]:
        """The block may take so many seconds (None: without end). Raises TimeoutError if it was ended, also where an
        answer without a length looks complete then."""
        timer = threading.Timer(threading.TIMEOUT_MAX if seconds is None else seconds, self.end)
        timer.daemon = True
        if seconds is not None:
            timer.start()
        try:
            with cancellation.calling(self.end):
                yield
        except (OSError, http.client.HTTPException) as error:
            if self._over:
                raise TimeoutError("timed out") from error
            raise
        finally:
            timer.cancel()
        if self._over:
            raise TimeoutError("timed out")
