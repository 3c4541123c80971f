"""Are snapshots made whole or not at all, while everything else goes on, each in its place?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from qdlite.collection.collection import Collection
from qdlite.database import Database, SnapshotSettings
from qdlite.errors import NotFound
from qdlite.models.snapshots import SnapshotRecover
from qdlite.persistence import snapshots as store
from qdlite.persistence.files import replacing
from qdlite.persistence.snapshots import SnapshotStore
from tests.persistence.databases import alias, change, files, filled, made, state


def test_a_snapshot_is_described_and_listed(database: Database, folder: Path) -> None:
    assert database.list_snapshots("things") == []
    description = made(database)
    path = database.snapshot_path("things", description.name)
    assert path == folder / "things" / description.name
    assert description.name.startswith("things-1-20")
    assert description.name.endswith(".snapshot")
    assert description.size == path.stat().st_size
    assert description.checksum == sha256(path.read_bytes()).hexdigest()
    assert database.list_snapshots("things") == [description]
    assert database.list_full_snapshots() == []


def test_snapshots_of_one_second_have_names_of_their_own(database: Database) -> None:
    names = [made(database).name for _ in range(4)]
    assert len(set(names)) == 4
    assert [description.name for description in database.list_snapshots("things")] == sorted(names)


def test_each_kind_has_its_own_place(database: Database, folder: Path) -> None:
    alias(database, "other-name", "things")
    of_collection, of_shard = made(database, "other-name"), made(database, "other-name", 0)
    full = database.create_full_snapshot()
    assert full is not None
    assert [description.name for description in database.list_snapshots("things")] == [of_collection.name]
    assert [description.name for description in database.list_snapshots("things", 0)] == [of_shard.name]
    assert database.list_full_snapshots() == [full]
    assert of_shard.name.startswith("things-shard-0-20")
    assert full.name.startswith("full-snapshot-20")
    assert {name for name in files(folder) if name.endswith(".snapshot")} == {
        full.name,
        f"things/{of_collection.name}",
        f"things/shards/0/{of_shard.name}",
    }


def test_deleting(database: Database, folder: Path) -> None:
    full = database.create_full_snapshot()
    assert full is not None
    assert database.delete_snapshot("things", made(database).name) is True
    assert database.delete_snapshot("things", made(database, shard=0).name, 0) is True
    assert database.delete_full_snapshot(full.name) is True
    assert files(folder) == []
    with pytest.raises(NotFound, match=f"Snapshot {full.name} not found"):
        database.delete_full_snapshot(full.name)


def test_only_shard_0_is_there(database: Database) -> None:
    with pytest.raises(NotFound, match="shard 1 not found"):
        database.create_snapshot("things", 1)
    with pytest.raises(NotFound, match="Collection `nothing` doesn't exist!"):
        database.list_snapshots("nothing", 0)


def test_a_failed_snapshot_leaves_nothing(database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Collection, "capture", fail)
    with pytest.raises(OSError, match="disk full"):
        database.create_snapshot("things")
    assert files(folder) == []


def test_a_temporary_folder_goes_with_the_database() -> None:
    with Database() as database:
        database._names.add(filled("things"))
        made(database)
        kept = database.snapshots_folder
        assert files(kept)
    assert not kept.exists()


def test_no_folder_is_made_before_it_is_needed(folder: Path) -> None:
    with Database(snapshots=SnapshotSettings(folder=folder)):
        pass
    assert not folder.exists()


def test_not_waiting(database: Database) -> None:
    assert database.create_snapshot("things", wait=False) is None
    assert database.create_snapshot("nothing", wait=False) is None
    database._jobs.close()
    (description,) = database.list_snapshots("things")
    before = state(database)
    change(database)
    location = database.snapshot_path("things", description.name).as_uri()
    assert database.recover_snapshot("things", SnapshotRecover(location=location), wait=False) is None
    database._jobs.close()
    assert state(database) == before


def test_what_fails_unseen_is_logged(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    database.delete_snapshot("things", "x.snapshot", wait=False)
    database._jobs.close()
    assert "Not found: Snapshot x.snapshot not found" in caplog.text


def test_searches_and_writes_go_on_while_a_snapshot_is_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive's writer is held up; meanwhile everything else must get through."""
    before = state(database)
    held, go_on = threading.Event(), threading.Event()
    write = replacing

    @contextmanager
    def slow(path: Path) -> Iterator[Any]:
        with write(path) as file:

            class Slow:
                name = file.name

                def write(self, content: bytes) -> int:
                    if b"points" in content[:16]:
                        held.set()
                        assert go_on.wait(10)
                    return file.write(content)

                def flush(self) -> None:
                    file.flush()

            yield Slow() if path.suffix == ".snapshot" else file

    monkeypatch.setattr(store, "replacing", slow)
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.append(made(database)))
    thread.start()
    assert held.wait(10)
    change(database)
    assert state(database) != before
    go_on.set()
    thread.join(10)
    location = database.snapshot_path("things", done[0].name).as_uri()
    database.recover_snapshot("then", SnapshotRecover(location=location))
    assert state(database, "then") == before


def test_stores_do_not_share_temporary_folders() -> None:
    one, other = SnapshotStore(), SnapshotStore()
    assert one.root != other.root
    one.close()
    other.close()
    assert not one.root.exists()
