"""When and how is a response compressed?"""

from __future__ import annotations

import zlib
from ipaddress import ip_address

MIN_BYTES = 1024
LEVEL = 1
"""Level 1 is several times faster than the default and gives JSON nearly the same size."""


def worthwhile(accepted: str, size: int, client: str | None) -> bool:
    """Is gzip asked for and does it pay? It never does between two programs on one machine."""
    return size >= MIN_BYTES and "gzip" in accepted and not _is_loopback(client)


def gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def _is_loopback(client: str | None) -> bool:
    try:
        return client is not None and ip_address(client).is_loopback
    except ValueError:
        return False
