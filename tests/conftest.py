"""What holds for every test: no network beyond this machine, and how hard Hypothesis tries."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# The everyday profile tries the same examples in every run, so that a failure comes from the change at hand; the
# nightly one looks for new ones.
settings.register_profile(
    "ci",
    max_examples=50,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("nightly", settings.get_profile("ci"), max_examples=3000, derandomize=False)
settings.load_profile(os.environ.get("QDLITE_HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data sets and models that lies beside the repository on some machines."""
    folder = Path(__file__).resolve().parent.parent.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder ../shared (data sets and models), which is not on this machine")
    return folder


@pytest.fixture(scope="session")
def edge() -> Any:
    """The oracle: Qdrant's own engine, as a module."""
    return pytest.importorskip("qdrant_edge", reason="needs the oracle, the package qdrant-edge-py")


def is_local(host: object) -> bool:
    """Is `host`, as given to a socket, this machine? None and "" are what a server binds to."""
    text = host.decode() if isinstance(host, bytes) else host
    if text in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(text)).is_loopback or str(text) in ("0.0.0.0", "::")
    except ValueError:
        return False


def refuse_remote(call: Callable[..., Any], host_of: Callable[..., object]) -> Callable[..., Any]:
    def guarded(*args: Any, **kwargs: Any) -> Any:
        host = host_of(*args, **kwargs)
        if not is_local(host):
            raise AssertionError(f"a test may not reach beyond this machine, and this one asked for {host!r}")
        return call(*args, **kwargs)

    return guarded


def address_host(connection: socket.socket, address: Any) -> object:
    return address[0] if isinstance(address, tuple) else None


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuses name look-ups of, and connections to, any other machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, refuse_remote(getattr(socket.socket, name), address_host))
        patch.setattr(socket, "getaddrinfo", refuse_remote(socket.getaddrinfo, lambda host, *_, **__: host))
        yield
