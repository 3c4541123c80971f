"""How does the location in a request to recover become a file on this machine?

Files must lie inside of the snapshots folder. URLs are fetched from wherever they lead, private addresses included:
another node of the same network is what they are for. The operator can turn that off.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from qdlite.errors import BadRequest, Forbidden
from qdlite.persistence.snapshots import SnapshotStore

REMOTE = ("http", "https")


@contextmanager
def located(store: SnapshotStore, location: str, api_key: str | None = None) -> Iterator[Path]:
    """The file at a file:// or http(s) URL, for as long as the block lasts. Raises BadRequest and Forbidden."""
    try:
        parts = urlsplit(location)
    except ValueError as error:
        raise BadRequest(f"Invalid snapshot URI: {error}") from None
    if parts.scheme == "file":
        yield _local(store, parts.netloc, parts.path)
    elif parts.scheme in REMOTE:
        if not store.settings.urls:
            raise Forbidden("Snapshot recovery from remote URLs is disabled in the configuration")
        from qdlite.persistence.download import pieces  # slow to import, rarely needed

        with store.received(pieces(location, api_key, store.check_size)) as path:
            yield path
    else:
        raise BadRequest(f"URL {location} with scheme {parts.scheme} is not supported")


def _local(store: SnapshotStore, host: str, path: str) -> Path:
    if host not in ("", "localhost"):
        raise BadRequest("Invalid snapshot URI, file path must be absolute or on localhost")
    file = _path(path)
    try:
        exists = file.exists()
        real = store.local(file)
    except (OSError, ValueError, RuntimeError):  # a name too long, with a NUL, or a loop of links
        exists, real = False, None
    if not exists:
        raise BadRequest(f"Snapshot file {_quoted(file)} does not exist")
    if real is None or not real.is_file():
        raise Forbidden(f"Snapshot file path must be inside the snapshots directory {_quoted(store.root.resolve())}")
    return real


def _path(path: str) -> Path:
    """The path in a file:// URL; on Windows, what follows the first slash."""
    plain = "/" + unquote(path).lstrip("/")
    return Path(plain[1:] if Path(plain[1:]).drive else plain)


def _quoted(path: Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)
