"""Is a snapshot fetched from another node whole, with keys that stay at home?"""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from qdlite.database import Database, SnapshotSettings
from qdlite.errors import BadRequest, Forbidden, ServiceError, WrongInput
from qdlite.models.snapshots import ShardSnapshotRecover, SnapshotRecover
from tests.persistence.databases import change, everything, files, made, state


class Node(http.server.BaseHTTPRequestHandler):
    """Another node: serves what is in `content`, redirects, or breaks off."""

    content: bytes = b""
    keys: list[tuple[str, str | None]] = []  # noqa: RUF012 - set anew by the fixture

    def do_GET(self) -> None:
        self.keys.append((self.path, self.headers.get("api-key")))
        host = self.headers["Host"]
        if self.path == "/away":
            return self.redirect(f"http://{host.replace('127.0.0.1', 'localhost')}/snapshot")
        if self.path == "/here":
            return self.redirect(f"http://{host}/snapshot")
        if self.path == "/file":
            return self.redirect("file:///etc/passwd")
        if self.path == "/missing":
            self.send_error(404)
            return None
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content[:100] if self.path == "/broken" else self.content)
        return None

    def redirect(self, url: str) -> None:
        self.send_response(302)
        self.send_header("Location", url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@contextmanager
def serving(content: bytes) -> Iterator[str]:
    Node.content, Node.keys = content, []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Node) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def node(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    path = database.snapshot_path("things", made(database).name)
    with serving(path.read_bytes()) as url:
        yield url


def test_a_snapshot_is_fetched(database: Database, folder: Path, node: str) -> None:
    before, there = state(database), files(folder)
    checksum = sha256(Node.content).hexdigest()
    body = SnapshotRecover(location=f"{node}/snapshot", checksum=checksum, api_key="secret")
    assert database.recover_snapshot("new", body) is True
    assert state(database, "new") == before
    assert Node.keys == [("/snapshot", "secret")]
    change(database)
    assert database.recover_shard("things", 0, ShardSnapshotRecover(location=f"{node}/snapshot")) is True
    assert state(database) == before
    assert files(folder) == there, "what was fetched is not kept"


@pytest.mark.parametrize(("path", "shown"), [("/here", "secret"), ("/away", None)])
def test_redirects_keep_the_key_at_home(database: Database, node: str, path: str, shown: str | None) -> None:
    database.recover_snapshot("new", SnapshotRecover(location=f"{node}{path}", api_key="secret"))
    assert Node.keys == [(path, "secret"), ("/snapshot", shown)]


@pytest.mark.parametrize(
    ("path", "error", "text"),
    [
        ("/missing", WrongInput, "status - 404"),
        ("/broken", ServiceError, "Http request error"),
        ("/file", WrongInput, "status - 302"),
    ],
)
def test_a_failed_download_changes_nothing(
    database: Database, folder: Path, node: str, path: str, error: type[Exception], text: str
) -> None:
    before, there = everything(database), files(folder)
    with pytest.raises(error, match=text):
        database.recover_snapshot("new", SnapshotRecover(location=f"{node}{path}"))
    assert (everything(database), files(folder)) == (before, there)


@pytest.mark.parametrize(
    ("location", "key", "error", "text"),
    [
        ("http://127.0.0.1:1/snapshot", "schlüssel", ServiceError, "malformed API key"),
        ("http://127.0.0.1:1/snapshot", "a\r\nHost: b", ServiceError, "malformed API key"),
        ("http://127.0.0.1:1/ü x", None, ServiceError, "Http request error"),
        ("http://127.0.0.1:99999/x", None, ServiceError, "Http request error"),
        ("http://127.0.0.1:port/x", None, ServiceError, "Http request error"),
    ],
)
def test_odd_keys_and_urls(
    database: Database, location: str, key: str | None, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        database.recover_snapshot("new", SnapshotRecover(location=location, api_key=key))


def test_nobody_there(database: Database, node: str) -> None:
    with pytest.raises(ServiceError, match="Http request error"):
        database.recover_snapshot("new", SnapshotRecover(location="http://127.0.0.1:1/snapshot"))


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        (
            SnapshotSettings(urls=False),
            Forbidden,
            "Snapshot recovery from remote URLs is disabled in the configuration",
        ),
        (SnapshotSettings(max_bytes=200), BadRequest, "larger than allowed"),
    ],
)
def test_the_operator_decides(settings: SnapshotSettings, error: type[Exception], text: str, node: str) -> None:
    with Database(snapshots=settings) as database, pytest.raises(error, match=text):
        database.recover_snapshot("new", SnapshotRecover(location=f"{node}/snapshot"))
