"""Is as much sent as can be sent without waiting, and does the sender learn of what went wrong?"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from qdlite_server.sending import SHORT, send

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=[True, False], ids=["blocking", "not blocking"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    left, right = socket.socketpair()
    with closing(left), closing(right):
        left.setblocking(request.param)
        yield left, right


@pytest.mark.parametrize("message", [b"a\0b", b"x" * SHORT, b"x" * (SHORT + 1)], ids=len)
def test_a_message_arrives(pair: Pair, message: bytes) -> None:
    assert send(pair[0], message) == len(message)
    assert pair[1].recv(len(message), socket.MSG_WAITALL) == message


@pytest.mark.parametrize("size", [SHORT, 100 * SHORT])
def test_nobody_waits_for_a_reader(pair: Pair, size: int) -> None:
    while sent := send(pair[0], b"x" * size):
        assert sent <= size
    assert pair[1].recv(10) == b"x" * 10


@pytest.mark.parametrize("size", [1, 2 * SHORT])
def test_a_reader_that_has_left_is_an_error(pair: Pair, size: int) -> None:
    pair[1].close()
    with pytest.raises(OSError, match="pipe"):
        send(pair[0], b"x" * size)
