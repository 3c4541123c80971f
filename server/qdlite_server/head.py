"""What does the head of a request say? Read by httptools, which is strict about what may stand there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import httptools
from msgspec import Struct

END = b"\r\n\r\n"
REMEMBERED = 256
"""Heads that are not read again: those of one client differ in the length of the body at most."""
SHORT = 1024
"""Bytes of a head that is worth remembering."""

_SECRET = (b"key:", b"authorization:", b"cookie:")
"""Ends of names of header fields whose values are kept no longer than a request takes."""

_STREAMS = frozenset({"origin", "expect", "transfer-encoding", "upgrade"})
"""Header fields that ask for more than one message and one answer: browsers, permission to send, pieces."""


class Head(Struct, frozen=True):
    """Method, path (still percent-encoded), query and header fields (names in lower case) of a request. `last`: the
    client wants the connection closed after the answer."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    last: bool = False

    @property
    def length(self) -> int:
        """Bytes of the body that follows."""
        return int(self.headers.get("content-length", 0))


class _Reader:
    """Collects what httptools finds."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: dict[str, str] = {}
        self.heads = 0
        self.stays_open = False
        self.parser = httptools.HttpRequestParser(self)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.heads += 1
        self.stays_open = self.parser.should_keep_alive()  # afterwards httptools has forgotten it

    def on_body(self, body: bytes) -> None:
        """There is none in a head: what comes here is hidden behind another end of it."""
        self.heads += 1


def plain(data: bytes) -> Head | None:
    """The head of one ordinary request; None for anything else and all errors."""
    return _remembered(data) if len(data) <= SHORT and not _tells_secrets(data) else _read(data)


def _tells_secrets(data: bytes) -> bool:
    names = data.lower()
    return any(name in names for name in _SECRET)


def _read(data: bytes) -> Head | None:
    reader = _Reader()
    parser = reader.parser
    try:
        parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    url = reader.url
    if reader.heads != 1 or parser.get_http_version() != "1.1":
        return None
    if url[:1] != b"/" or url[1:2] == b"/" or b"#" in url or not url.isascii() or _STREAMS & reader.headers.keys():
        return None
    path, _, query = url.decode("ascii").partition("?")
    return Head(parser.get_method().decode("ascii"), path, query, reader.headers, not reader.stays_open)


_remembered = lru_cache(REMEMBERED)(_read)
