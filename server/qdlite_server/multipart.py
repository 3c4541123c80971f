"""Where in a multipart/form-data body is the file of a field? (RFC 7578)

A body can be larger than memory: it is searched through a memory map, and the file's content is given out in pieces.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from msgspec import Struct

from qdlite.errors import BadRequest

if TYPE_CHECKING:
    from email.message import Message

_PIECE = 2**20
_LARGEST_HEADERS = 16 * 1024
_LONGEST_BOUNDARY = 70

_Data: TypeAlias = bytes | mmap.mmap


class Part(Struct, frozen=True):
    """A file in a form. `name` is what the client calls it, which means nothing here."""

    name: str | None
    pieces: Iterator[bytes]


class Upload:
    """The body of a request that carries a file, in memory or in an open file."""

    def __init__(self, content: bytes | BinaryIO, content_type: str) -> None:
        self._data = content if isinstance(content, bytes) else _mapped(content)
        self._content_type = content_type

    def file(self, field: str) -> Part:
        """The file in a field of the form; must be used while the body is open. Raises BadRequest."""
        for headers, start, end in self._parts():
            if headers.get_param("name", header="content-disposition") == field:
                return Part(headers.get_filename(), _pieces(self._data, start, end))
        raise BadRequest(f"Multipart error: the form has no field `{field}`")

    def _parts(self) -> Iterator[tuple[Message, int, int]]:
        """The headers of each part, and where its content begins and ends."""
        from email.parser import Parser

        data, mark = self._data, b"\r\n--" + self._boundary()
        at = len(mark) - 2 if data[: len(mark) - 2] == mark[2:] else _after(data, mark, 0)
        while data[at : at + 2] != b"--":
            line = _after(data, b"\r\n", at)
            # A part without headers has an empty line at once.
            start = line + 2 if data[line : line + 2] == b"\r\n" else _after(data, b"\r\n\r\n", line, _LARGEST_HEADERS)
            next_part = _after(data, mark, start)
            yield Parser().parsestr(data[line:start].decode("utf-8", "replace")), start, next_part - len(mark)
            at = next_part

    def _boundary(self) -> bytes:
        from email.message import Message

        header = Message()
        header["content-type"] = self._content_type
        boundary = header.get_boundary("")
        if header.get_content_type() != "multipart/form-data" or not 1 <= len(boundary) <= _LONGEST_BOUNDARY:
            raise BadRequest("Multipart error: the content type must be multipart/form-data with a boundary")
        return boundary.encode("latin-1", "replace")


def _mapped(file: BinaryIO) -> _Data:
    file.flush()
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.seek(0, 2) else b""


def _after(data: _Data, mark: bytes, start: int, within: int | None = None) -> int:
    """Where the next `mark` ends."""
    found = data.find(mark, start, len(data) if within is None else start + within)
    if found < 0:
        raise BadRequest("Multipart error: the body is incomplete")
    return found + len(mark)


def _pieces(data: _Data, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, _PIECE):
        yield data[at : min(at + _PIECE, end)]
