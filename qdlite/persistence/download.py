"""How is a snapshot fetched from another node?"""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from email.message import Message
from typing import IO
from urllib.parse import quote, urlsplit

from qdlite.errors import BadRequest, ServiceError, WrongInput

TIMEOUT = 60.0
"""Seconds without any byte after which a download is given up."""
_PIECE = 2**20
_KEY = "Api-key"
_PLAIN = "%:/?#[]@!$&'()*+,;=~"
"""What may stand in a URL as it is, besides letters and digits (RFC 3986)."""
_HEADER = re.compile(r"[\t\x20-\x7e]*")


def pieces(url: str, api_key: str | None, check_size: Callable[[int], None]) -> Iterator[bytes]:
    """The body behind an http(s) URL. `check_size` raises for an announced size that is too large.

    Raises ServiceError, as Qdrant does, also for a key that cannot be a header, and BadRequest for a URL that is none.
    """
    request = urllib.request.Request(quote(url, safe=_PLAIN), headers={"User-Agent": "qdlite"})
    if api_key is not None:
        if not _HEADER.fullmatch(api_key):
            raise ServiceError("failed to initialize HTTP(S) client: malformed API key")
        request.add_header(_KEY, api_key)
    try:
        with _opener().open(request, timeout=TIMEOUT) as response:
            if response.length is not None:
                check_size(response.length)
            while piece := response.read(_PIECE):
                yield piece
            if response.length:
                raise ServiceError(f"Http request error: {response.length} bytes are missing at the end")
    except urllib.error.HTTPError as error:
        error.close()
        raise WrongInput(f"Failed to download the snapshot from {url}: status - {error.code}") from None
    except (OSError, http.client.HTTPException) as error:
        raise ServiceError(f"Http request error: {error}") from error
    except (ValueError, OverflowError) as error:  # a host name or a port that cannot be
        raise BadRequest(f"Invalid snapshot URI: {error}") from None


class _Redirect(urllib.request.HTTPRedirectHandler):
    """Follows redirects; the key is not shown to other hosts."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        new = super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]
        if new is not None and urlsplit(new.full_url)[:2] != urlsplit(req.full_url)[:2]:
            new.remove_header(_KEY)
        return new


def _opener() -> urllib.request.OpenerDirector:
    """Knows http and https only, so that no redirect leads to a file or to anything else."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirect(),
    ):
        opener.add_handler(handler)
    return opener
