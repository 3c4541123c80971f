"""How is a URL from a request fetched without becoming a way into the operator's network?

Only http and https. The host is resolved first, every address it has must be public, and the connection goes to
the very address that was checked; the same again after each redirect. Size and time are limited.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from qdlite.errors import InferenceError, Timeout
from qdlite.inference.inputs import Call
from qdlite.inference.patience import Patience
from qdlite.inference.settings import ImageSettings

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 64 * 1024
_PATH_CHARACTERS = "/%:=&?~+!$,;'@()*[]"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")


class _Target(NamedTuple):
    url: SplitResult
    host: str
    port: int
    address: str


def fetch(url: str, settings: ImageSettings, call: Call) -> bytes:
    """The body behind an http(s) URL. Raises InferenceError if it may not or cannot be fetched."""
    if not settings.fetch:
        raise InferenceError("Fetching images by URL is turned off; send the image as base64")
    limited = Call.start(call.mode, timeout=call.remaining(settings.timeout), cancellation=call.cancellation)
    try:
        return _follow(url, settings, limited)
    except Timeout as error:
        call.remaining()  # it may have been the request's own limit
        raise InferenceError(f"The image could not be fetched within {settings.timeout:g} s") from error


def _follow(url: str, settings: ImageSettings, call: Call) -> bytes:
    for _ in range(settings.max_redirects + 1):
        target = _target(url, settings)
        try:
            content, location = _get(target, settings, call)
        except (OSError, http.client.HTTPException) as error:
            call.remaining()
            raise InferenceError(f"The image at {_shown(target.url)} could not be fetched: {error}") from error
        if location is None:
            return content
        try:
            url = urljoin(url, location)
        except ValueError as error:
            raise InferenceError(f"The image at {_shown(target.url)} redirects to a malformed URL") from error
    raise InferenceError("The image could not be fetched: too many redirects")


def _target(url: str, settings: ImageSettings) -> _Target:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InferenceError(f"The image URL is malformed: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise InferenceError("An image URL must start with http:// or https:// and name a host")
    if parts.username is not None:
        raise InferenceError("An image URL must not contain a user name or password")
    port = port or (443 if parts.scheme == "https" else 80)
    return _Target(parts, host, port, _checked_address(host, port, settings))


def _checked_address(host: str, port: int, settings: ImageSettings) -> str:
    """One address of the host. All must be public, so that no second look-up can lead elsewhere."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise InferenceError(f"The host of the image URL, {host}, cannot be resolved") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not settings.allow_private_addresses and not all(map(is_public, addresses)):
        raise InferenceError(f"The image URL leads to {host}, which is not a public address")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is globally reachable, also where an IPv4 address is wrapped into IPv6."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed.is_global and not parsed.is_multicast
    if parsed in _NAT64:
        return is_public(str(ipaddress.IPv4Address(parsed.packed[-4:])))
    wrapped = [parsed.sixtofour, *(parsed.teredo or ())]
    return parsed in _UNICAST and parsed.is_global and all(is_public(str(one)) for one in wrapped if one)


class _PinnedConnection(http.client.HTTPConnection):
    """A connection to the checked address; the host name is still used for TLS and the Host header."""

    def __init__(self, target: _Target, timeout: float | None, patience: Patience) -> None:
        super().__init__(target.host, target.port, timeout=timeout)
        self._target = target
        self._patience = patience

    def connect(self) -> None:
        self.sock = socket.create_connection((self._target.address, self._target.port), self.timeout)
        if self._target.url.scheme == "https":
            context, host = ssl.create_default_context(), self._target.host
            self.sock = context.wrap_socket(self.sock, server_hostname=host, do_handshake_on_connect=False)
        self._patience.watch(self.sock)
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()


def _get(target: _Target, settings: ImageSettings, call: Call) -> tuple[bytes, str | None]:
    """The body, or the place a redirect names."""
    remaining, patience = call.remaining(), Patience()
    connection = _PinnedConnection(target, remaining, patience)
    try:
        with patience.lasting(remaining, call.cancellation):
            return _exchange(connection, target, settings, call)
    finally:
        connection.close()


def _exchange(
    connection: _PinnedConnection, target: _Target, settings: ImageSettings, call: Call
) -> tuple[bytes, str | None]:
    path = (target.url.path or "/") + (f"?{target.url.query}" if target.url.query else "")
    headers = {"User-Agent": "qdlite", "Accept": "image/*", "Connection": "close"}
    connection.request("GET", quote(path, safe=_PATH_CHARACTERS), headers=headers)
    with connection.getresponse() as response:
        location = response.getheader("Location")
        if response.status in _REDIRECTS and location:
            return b"", location
        if response.status != 200:
            raise InferenceError(f"The image at {_shown(target.url)} answers with status {response.status}")
        return _body(response, settings, call), None


def _body(response: http.client.HTTPResponse, settings: ImageSettings, call: Call) -> bytes:
    chunks = bytearray()
    while chunk := response.read(_CHUNK):
        call.remaining()
        chunks += chunk
        if len(chunks) > settings.max_bytes:
            raise InferenceError(f"The image is larger than the {settings.max_bytes} bytes allowed")
    call.remaining()
    return bytes(chunks)


def _shown(url: SplitResult) -> str:
    """The URL without its query, which may hold a signature."""
    return f"{url.scheme}://{url.hostname}{url.path}"
