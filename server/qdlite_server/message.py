"""How does an answer look as an HTTP/1.1 message?"""

from __future__ import annotations

import time
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from qdlite_server.compression import gzip, worthwhile
from qdlite_server.endpoint import Answer
from qdlite_server.versions import SERVER

Fields = list[tuple[bytes, bytes]]
_SERVER: Final = (b"server", SERVER.encode())
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def fields(answer: Answer, length: int) -> Fields:
    """The header fields that every answer has, for a body of `length` bytes."""
    found = [_SERVER, (b"date", date(int(time.time()))), (b"content-length", b"%d" % length)]
    if answer.content_type:
        found.append((b"content-type", answer.content_type.encode()))
    found += [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
    return found


@lru_cache(1)
def date(seconds: int) -> bytes:
    """A moment, in seconds since 1970, as HTTP spells it."""
    now = time.gmtime(seconds)
    day, month = _DAYS[now.tm_wday], _MONTHS[now.tm_mon - 1]
    clock = f"{now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02}"
    return f"{day}, {now.tm_mday:02} {month} {now.tm_year} {clock} GMT".encode()


def packed(answer: Answer, accepted: str, client: str | None) -> tuple[Fields, bytes]:
    """Header fields and body, compressed if the client accepts that and it pays."""
    if not worthwhile(accepted, len(answer.body), client):
        return fields(answer, len(answer.body)), answer.body
    body = gzip(answer.body)
    return [*fields(answer, len(body)), (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")], body


def message(answer: Answer, accepted: str, client: str | None, last: bool) -> bytes:
    """The whole message. `last`: the connection is closed after it."""
    head, body = packed(answer, accepted, client)
    if last:
        head.append((b"connection", b"close"))
    start = f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, '')}".encode()
    return b"\r\n".join([start, *(b"%s: %s" % field for field in head), b"", body])
