"""How do tests send what no client would send? A connection on which bytes go out and answers are read one by one."""

from __future__ import annotations

import socket


class Raw:
    """One connection to a server."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        self._file = self.socket.makefile("rb")

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, header fields and body of the next answer; status 0 if the connection has ended."""
        start = self._file.readline()
        if not start:
            return 0, {}, b""
        lines = iter(lambda: self._file.readline().rstrip(), b"")
        fields = dict(line.decode().lower().split(": ", 1) for line in lines)
        return int(start.split()[1]), fields, self._file.read(int(fields.get("content-length", 0)))

    def ask(self, sent: bytes) -> tuple[int, dict[str, str], bytes]:
        self.socket.sendall(sent)
        return self.answer()

    def close(self) -> None:
        self._file.close()
        self.socket.close()
