"""How does a short message leave at once? While its sender keeps the interpreter lock.

`socket.send` gives the lock up. Whoever computes in Python then keeps it for up to the switch interval, 5 ms: so much
later a thread that has sent an answer comes to the next request. Sending some kilobytes takes microseconds.
"""

from __future__ import annotations

import ctypes
import socket
from collections.abc import Callable
from functools import cache

SHORT = 2**16
"""Bytes of a message that is sent so."""


def send(to: socket.socket, message: bytes) -> int:
    """Sends as much of a message as can be sent without waiting, and says how much that was. Raises OSError."""
    if len(message) <= SHORT:
        sent = _send()(to.fileno(), message, len(message), socket.MSG_DONTWAIT)
        if sent >= 0:
            return sent
    try:
        return to.send(message, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return 0


@cache
def _send() -> Callable[[int, bytes, int, int], int]:
    """The call of the system."""
    function = ctypes.PyDLL(None).send
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
    function.restype = ctypes.c_ssize_t
    return function
