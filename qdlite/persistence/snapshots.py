"""Where do snapshots lie, and how does a name from a request become a file without leaving that place?

One folder holds the snapshots of everything; below it there is one for each collection, and in that one for each
shard. Beside each snapshot lies its SHA-256, in a file of the same name with `.checksum` added.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import BinaryIO, Final, cast

from msgspec import UNSET

from qdlite.errors import BadRequest, NotFound
from qdlite.models.snapshots import SnapshotDescription
from qdlite.persistence.files import replacing, sha256

SUFFIX: Final = ".snapshot"
_UNSAFE = re.compile(r'^\.|[<>:"/\\|?*\x00-\x1f]')
_ESCAPED = re.compile(f"{_UNSAFE.pattern}|~")
_LONGEST = 180
"""Bytes of a name; with the date and the suffix this stays below what file systems take."""


@dataclass(frozen=True)
class SnapshotSettings:
    """`folder`: where snapshots are kept (None: a temporary folder, gone when the database is closed).
    `max_bytes`: the largest snapshot that is taken from outside. `urls`: whether snapshots are fetched by URL."""

    folder: Path | None = None
    max_bytes: int = 64 * 2**30
    urls: bool = True


class SnapshotStore:
    """All snapshots of a database. The folder is made when it is first needed."""

    def __init__(self, settings: SnapshotSettings | None = None) -> None:
        self.settings = settings or SnapshotSettings()
        self._mutex = threading.Lock()
        self._folder: Path | None = None
        self._promised: set[Path] = set()
        self._remove: Callable[[], object] = lambda: None

    def close(self) -> None:
        """Removes the folder if it is a temporary one."""
        self._remove()

    @property
    def root(self) -> Path:
        with self._mutex:
            if self._folder is None:
                self._folder = self._made()
            return self._folder

    def everything(self) -> SnapshotFolder:
        return SnapshotFolder(self, self.root)

    def collection(self, name: str) -> SnapshotFolder:
        return SnapshotFolder(self, self.root / safe_name(name))

    def shard(self, name: str, shard: int) -> SnapshotFolder:
        return SnapshotFolder(self, self.root / safe_name(name) / "shards" / str(shard))

    def local(self, path: Path) -> Path | None:
        """The file a path leads to, all links followed; None if that is not inside of the root."""
        real = path.resolve()
        return real if real.is_relative_to(self.root.resolve()) else None

    @contextmanager
    def received(self, pieces: Iterable[bytes]) -> Iterator[Path]:
        """A file with these contents, which is removed at the end unless it was moved. Raises BadRequest."""
        number, name = tempfile.mkstemp(prefix=".received-", suffix=".part", dir=self.root)
        path = Path(name)
        try:
            with os.fdopen(number, "wb") as file:
                total = 0
                for piece in pieces:
                    total += len(piece)
                    self.check_size(total)
                    file.write(piece)
            yield path
        finally:
            with suppress(FileNotFoundError):
                path.unlink()

    def temporary_file(self) -> BinaryIO:
        """A file that has no name, and is gone when it is closed."""
        return cast(BinaryIO, tempfile.TemporaryFile(dir=self.root))

    def check_size(self, size: int) -> None:
        """Raises BadRequest for what is larger than the settings allow."""
        if size > self.settings.max_bytes:
            raise BadRequest(f"Snapshot is larger than allowed (limit: {self.settings.max_bytes} bytes)")

    def unused(self, folder: Path, start: str) -> Path:
        """A path for a new snapshot, named by the time; the next second if that one is taken."""
        now = datetime.now(timezone.utc)
        with self._mutex:
            while True:
                path = folder / f"{start}-{now:%Y-%m-%d-%H-%M-%S}{SUFFIX}"
                if path not in self._promised and not path.exists():
                    self._promised.add(path)
                    return path
                now += timedelta(seconds=1)

    def settled(self, path: Path) -> None:
        """A path from `unused` exists now, or never will."""
        with self._mutex:
            self._promised.discard(path)

    def _made(self) -> Path:
        if self.settings.folder is not None:
            self.settings.folder.mkdir(parents=True, exist_ok=True)
            return self.settings.folder.absolute()
        folder = tempfile.mkdtemp(prefix="qdlite-snapshots-")
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)


class SnapshotFolder:
    """The snapshots of one collection, one shard or of everything."""

    def __init__(self, store: SnapshotStore, path: Path) -> None:
        self._store = store
        self._path = path

    def descriptions(self) -> list[SnapshotDescription]:
        """All snapshots, by name."""
        found = []
        for path in sorted(self._path.glob(f"*{SUFFIX}")):
            with suppress(FileNotFoundError, NotFound):  # removed at this very moment, or no snapshot but a link
                found.append(_described(self.find(path.name)))
        return found

    def find(self, name: str) -> Path:
        """The path of a snapshot. Raises NotFound, also for names that lead elsewhere."""
        if _UNSAFE.search(name) or not name:
            raise _not_found(name)
        path = self._path / name
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):
            raise _not_found(name) from None
        if not real.is_relative_to(self._path.resolve()) or not real.is_file():
            raise _not_found(name)
        return path

    def create(self, start: str, write: Callable[[BinaryIO], None]) -> SnapshotDescription:
        """A new snapshot whose name begins with `start`. It appears when it is complete."""
        self._path.mkdir(parents=True, exist_ok=True)
        path = self._store.unused(self._path, safe_name(start))
        try:
            with replacing(path) as file:
                write(file)
                file.flush()
                _note(path, sha256(Path(file.name)))
        except BaseException:
            _checksum_path(path).unlink(missing_ok=True)
            raise
        finally:
            self._store.settled(path)
        return _described(path)

    def adopt(self, file: Path, name: str | None) -> None:
        """Moves a file in under the name it came with, or one like it that is a plain and visible file name."""
        plain = safe_name((name or "").replace("\\", "/").rsplit("/", 1)[-1]) or file.name.strip(".")
        plain = plain if plain.endswith(SUFFIX) else plain + SUFFIX
        self._path.mkdir(parents=True, exist_ok=True)
        _note(self._path / plain, sha256(file))
        os.replace(file, self._path / plain)

    def delete(self, name: str) -> None:
        """Raises NotFound."""
        path = self.find(name)
        try:
            path.unlink()
        except FileNotFoundError:
            raise _not_found(name) from None
        _checksum_path(path).unlink(missing_ok=True)


def safe_name(name: str) -> str:
    """`name` if it is a plain and visible file name on every system, else another one that stands for it alone."""
    safe = _ESCAPED.sub(lambda found: f"~{ord(found.group()):02X}", name)
    encoded = safe.encode("utf-8", "surrogatepass")
    if len(encoded) <= _LONGEST:
        return safe
    digest = hashlib.sha256(encoded).hexdigest()[:16]
    return f"{encoded[: _LONGEST - 20].decode('utf-8', 'ignore')}-{digest}"


def _described(path: Path) -> SnapshotDescription:
    status = path.stat()
    created = datetime.fromtimestamp(status.st_mtime, timezone.utc).replace(tzinfo=None)
    try:
        checksum = _checksum_path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        checksum = ""
    return SnapshotDescription(
        name=path.name,
        creation_time=created.isoformat(timespec="seconds"),
        size=status.st_size,
        checksum=checksum or UNSET,
    )


def _note(path: Path, checksum: str) -> None:
    """Writes the checksum of the snapshot at a path beside it."""
    with replacing(_checksum_path(path)) as file:
        file.write(checksum.encode())


def _checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.checksum")


def _not_found(name: str) -> NotFound:
    return NotFound(f"Snapshot {name} not found")
