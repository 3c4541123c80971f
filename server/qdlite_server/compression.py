"""When and how is a response compressed, and how does a compressed body become readable?"""

from __future__ import annotations

import zlib
from ipaddress import ip_address

from qdlite.errors import UnreadableBody, UnsupportedEncoding

MIN_BYTES = 1024
LEVEL = 1
"""Level 1 is several times faster than the default and gives JSON nearly the same size."""

_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_ELSEWHERE = frozenset({"br", "zstd"})
"""What Qdrant can read besides."""


def worthwhile(accepted: str, size: int, client: str | None) -> bool:
    """Is gzip asked for and does it pay? It never does between two programs on one machine."""
    return size >= MIN_BYTES and "gzip" in accepted and not _is_loopback(client)


def gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def inflated(body: bytes, encoding: str, limit: int) -> bytes | None:
    """A body as it was before the client encoded it; None if it is larger than `limit`, of which nothing is kept.

    As in Qdrant, an encoding that nobody knows counts as none. Raises UnreadableBody and UnsupportedEncoding.
    """
    name = encoding.strip().lower()
    if name in _ELSEWHERE:
        raise UnsupportedEncoding(f"bodies with the content encoding {name} (gzip and deflate are)")
    window = _WINDOWS.get(name)
    if window is None:
        return body
    unpacker = zlib.decompressobj(window)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise UnreadableBody(f"can not decode content-encoding ({error})") from None
    if len(plain) > limit:
        return None
    if not unpacker.eof:
        raise UnreadableBody("payload reached EOF before completing")
    return plain


def _is_loopback(client: str | None) -> bool:
    try:
        return client is not None and ip_address(client).is_loopback
    except ValueError:
        return False
