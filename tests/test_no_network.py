"""Do tests really stay on this machine? The guard of conftest.py, tried."""

from __future__ import annotations

import socket

import pytest


def test_look_up_of_another_machine_is_refused() -> None:
    with pytest.raises(AssertionError, match="beyond this machine"):
        socket.getaddrinfo("example.com", 80)


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_connection_to_another_machine_is_refused(method: str) -> None:
    # 192.0.2.0/24 is set aside for documentation (RFC 5737)
    with socket.socket() as connection, pytest.raises(AssertionError, match="beyond this machine"):
        getattr(connection, method)(("192.0.2.1", 80))


def test_loopback_is_open() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        connection, _ = server.accept()
        with connection:
            client.sendall(b"x")
            assert connection.recv(1) == b"x"
