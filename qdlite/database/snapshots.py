"""How are collections saved and brought back? Snapshots, and files of one's own choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from os import PathLike
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from qdlite import persistence
from qdlite.collection.collection import Collection
from qdlite.collection.state import CollectionState
from qdlite.database.core import DatabaseCore
from qdlite.errors import ChecksumMismatch, NotFound, WrongInput

if TYPE_CHECKING:
    from pathlib import Path

    from qdlite.models.snapshots import ShardSnapshotRecover, SnapshotDescription, SnapshotRecover

PEER = 1
"""The id of this node in names of snapshots."""

_R = TypeVar("_R")


class Snapshots(DatabaseCore):
    """With `shard` a call is about the snapshots of one shard: all points lie in shard 0, so that they hold the same.

    With `wait` False a call returns None at once and works on; what goes wrong then is only logged.
    """

    @property
    def snapshots_folder(self) -> Path:
        """Where snapshots are kept."""
        return self._snapshots().root

    @property
    def max_snapshot_bytes(self) -> int:
        """The largest snapshot that is taken from outside."""
        return self._snapshots().settings.max_bytes

    def temporary_file(self) -> BinaryIO:
        """A file beside the snapshots, for one that is on its way. It has no name, and is gone when it is closed."""
        return self._snapshots().temporary_file()

    def create_snapshot(self, name: str, shard: int | None = None, wait: bool = True) -> SnapshotDescription | None:
        """A new snapshot of a collection, as it is at one moment; reads and writes go on meanwhile."""

        def create() -> SnapshotDescription:
            collection = self._sharded(name, shard)
            part = PEER if shard is None else f"shard-{shard}"
            write = _writer([collection])
            return self._folder(collection.name, shard).create(f"{collection.name}-{part}", write)

        return self._done(create, wait, f"Snapshot of {name}")

    def list_snapshots(self, name: str, shard: int | None = None) -> list[SnapshotDescription]:
        """The snapshots of a collection, by name."""
        return self._folder(self._sharded(name, shard).name, shard).descriptions()

    def snapshot_path(self, name: str, snapshot: str, shard: int | None = None) -> Path:
        """Where a snapshot of a collection lies. Raises NotFound."""
        return self._folder(self._sharded(name, shard).name, shard).find(snapshot)

    def delete_snapshot(self, name: str, snapshot: str, shard: int | None = None, wait: bool = True) -> bool | None:
        """Deletes a snapshot of a collection. Raises NotFound."""

        def delete() -> bool:
            self._folder(self._sharded(name, shard).name, shard).delete(snapshot)
            return True

        return self._done(delete, wait, f"Deletion of the snapshot {snapshot}")

    def write_snapshot(self, name: str, file: BinaryIO, shard: int | None = None) -> None:
        """Writes a snapshot of a collection into an open file instead of the snapshots folder."""
        _writer([self._sharded(name, shard)])(file)

    def recover_snapshot(self, name: str, body: SnapshotRecover, wait: bool = True) -> bool | None:
        """Puts the points of a snapshot in place of a collection's, or creates the collection if there is none.

        Nothing has changed if it raises: BadRequest and Forbidden for the location, WrongInput for a wrong checksum,
        a damaged file, or vectors other than the collection's.
        """

        def recover() -> bool:
            with persistence.located(self._snapshots(), body.location, body.api_key) as path:
                _check(path, body.checksum)
                self._recover(name, _only_collection(path))
            return True

        return self._done(recover, wait, f"Recovery of {name}")

    def recover_shard(self, name: str, shard: int, body: ShardSnapshotRecover, wait: bool = True) -> bool | None:
        """The same for a shard of an existing collection, from a URL or from a snapshot of that shard by name."""
        from qdlite.models.snapshots import is_url  # few need it, and not for the first answer

        def recover() -> bool:
            collection = self._sharded(name, shard)
            with ExitStack() as stack:
                if is_url(body.location):
                    if body.location.partition(":")[0].lower() not in persistence.REMOTE:
                        scheme = body.location.partition(":")[0]
                        raise WrongInput(
                            f"Invalid snapshot URL {body.location}: URLs with {scheme} scheme are not supported"
                        )
                    path = stack.enter_context(persistence.located(self._snapshots(), body.location, body.api_key))
                else:
                    path = self._folder(collection.name, shard).find(body.location)
                _check(path, body.checksum)
                self._recover(name, _only_collection(path))
            return True

        return self._done(recover, wait, f"Recovery of {name}")

    def upload_snapshot(
        self,
        name: str,
        content: Iterable[bytes],
        file_name: str | None = None,
        checksum: str | None = None,
        shard: int | None = None,
        wait: bool = True,
    ) -> bool | None:
        """Recovers from the bytes of a snapshot, and keeps them among the snapshots under `file_name`.

        The content is read before this returns, also with `wait` False. Raises ChecksumMismatch, else as
        `recover_snapshot`.
        """
        with ExitStack() as stack:
            path = stack.enter_context(self._snapshots().received(content))
            kept = stack.pop_all()

        def recover() -> bool:
            with kept:
                found = persistence.sha256(path)
                if checksum is not None and not persistence.equal_checksums(found, checksum):  # named as in Qdrant
                    raise ChecksumMismatch(f"Checksum mismatch: expected {found}, actual {checksum}")
                if shard is not None:
                    self._sharded(name, shard)
                collection = self._recover(name, _only_collection(path))
                self._folder(collection.name, shard).adopt(path, file_name)
            return True

        return self._done(recover, wait, f"Recovery of {name}")

    def create_full_snapshot(self, wait: bool = True) -> SnapshotDescription | None:
        """A new snapshot of everything: all collections, each as it is at one moment, and the aliases."""

        def create() -> SnapshotDescription:
            return self._snapshots().everything().create("full-snapshot", _writer(*self._names.everything()))

        return self._done(create, wait, "Full snapshot")

    def list_full_snapshots(self) -> list[SnapshotDescription]:
        """The snapshots of everything, by name."""
        return self._snapshots().everything().descriptions()

    def full_snapshot_path(self, snapshot: str) -> Path:
        """Where a snapshot of everything lies. Raises NotFound."""
        return self._snapshots().everything().find(snapshot)

    def delete_full_snapshot(self, snapshot: str, wait: bool = True) -> bool | None:
        """Deletes a snapshot of everything. Raises NotFound."""

        def delete() -> bool:
            self._snapshots().everything().delete(snapshot)
            return True

        return self._done(delete, wait, f"Deletion of the snapshot {snapshot}")

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the whole database into one file: a full snapshot at a place of one's own choice.

        The file is complete or not there; one that was there before stays until the new one is complete.
        """
        collections, aliases = self._names.everything()
        persistence.save(path, ((collection.name, collection.capture()) for collection in collections), aliases)

    def load(self, path: str | PathLike[str], replace: bool = False) -> None:
        """Adds all collections and aliases of a file made by `save`, or of any snapshot.

        Nothing has changed if it raises: WrongInput for a damaged or foreign file, AlreadyExists for a name that is
        taken. With `replace`, collections and aliases of equal names are replaced instead.
        """
        found = persistence.load(path)
        collections = [Collection.of(name, state) for name, state in found.collections.items()]
        self._names.add_all(collections, found.aliases, replace)
        for collection in collections:
            self._builder.wake(collection)

    def _done(self, work: Callable[[], _R], wait: bool, what: str) -> _R | None:
        if wait:
            return work()
        self._jobs.start(work, what)
        return None

    def _folder(self, name: str, shard: int | None) -> persistence.SnapshotFolder:
        return self._snapshots().collection(name) if shard is None else self._snapshots().shard(name, shard)

    def _sharded(self, name: str, shard: int | None) -> Collection:
        collection = self.collection(name)
        if shard:
            raise NotFound(f"shard {shard} not found")
        return collection

    def _recover(self, name: str, state: CollectionState) -> Collection:
        """Puts a state in place of that of a collection, or makes a collection of it."""
        if self._names.knows(name):
            collection = self.collection(name)
            collection.recover(state)
        else:
            collection = Collection.of(name, state)
            self._names.add(collection)
        self._builder.wake(collection)
        return collection


def _writer(collections: Iterable[Collection], aliases: dict[str, str] | None = None) -> Callable[[BinaryIO], None]:
    """Writes collections as an archive; each is captured only when its turn has come."""

    def write(file: BinaryIO) -> None:
        persistence.write(file, ((collection.name, collection.capture()) for collection in collections), aliases)

    return write


def _check(path: Path, checksum: str | None) -> None:
    if checksum is not None and not persistence.equal_checksums(found := persistence.sha256(path), checksum):
        raise WrongInput(f"Snapshot checksum mismatch: expected {checksum}, got {found}")


def _only_collection(path: Path) -> CollectionState:
    """The state in the snapshot of a single collection."""
    states = list(persistence.load(path).collections.values())
    if len(states) != 1:
        raise WrongInput(f"The snapshot holds {len(states)} collections; only one with a single collection fits here")
    return states[0]
