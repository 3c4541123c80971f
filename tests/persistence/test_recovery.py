"""Do collections come back from snapshots as they were, or stay as they are?"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given

from qdlite.collection.collection import Collection
from qdlite.database import Database, SnapshotSettings
from qdlite.errors import BadRequest, ChecksumMismatch, NotFound, WrongInput
from qdlite.models.collections import UpdateCollection
from qdlite.models.snapshots import Priority, ShardSnapshotRecover, SnapshotRecover
from tests.persistence.databases import change, everything, files, filled, made, state
from tests.persistence.examples import collections, create, update

WRONG = "3" * 64


@given(collections())
def test_any_collection_is_recovered(collection: Collection) -> None:
    with Database() as database:
        database._names.add(collection)
        before = state(database, collection.name)
        location = database.snapshot_path(collection.name, made(database, collection.name).name).as_uri()
        update(collection, {"upsert": {"points": [{"id": 99, "vector": {}}]}})
        assert database.recover_snapshot(collection.name, SnapshotRecover(location=location)) is True
        assert state(database, collection.name) == before
        assert database.recover_snapshot("elsewhere", SnapshotRecover(location=location)) is True
        assert state(database, "elsewhere") == before


@pytest.mark.parametrize("priority", [None, "no_sync", "snapshot", "replica"])
def test_every_priority_means_the_snapshot(database: Database, priority: Priority | None) -> None:
    before = state(database)
    location = database.snapshot_path("things", made(database).name).as_uri()
    change(database)
    database.recover_snapshot("things", SnapshotRecover(location=location, priority=priority))
    assert state(database) == before


def test_an_existing_collection_keeps_its_configuration(database: Database) -> None:
    location = database.snapshot_path("things", made(database).name).as_uri()
    database.update_collection("things", UpdateCollection(metadata={"of": "now"}))
    config = database.get_collection("things").config
    before = database.collection("things")
    database.recover_snapshot("things", SnapshotRecover(location=location))
    assert database.get_collection("things").config == config
    assert database.collection("things") is before, "requests that hold the collection go on with it"


def test_other_vectors_are_refused(database: Database) -> None:
    location = database.snapshot_path("things", made(database).name).as_uri()
    database._names.add(create({"vectors": {"size": 4, "distance": "Dot"}}, "larger"))
    database._names.add(create({"vectors": {"size": 3, "distance": "Dot"}, "sparse_vectors": {"s": {}}}, "sparser"))
    before = everything(database)
    for name, what in (("larger", "vectors"), ("sparser", "sparse vectors")):
        with pytest.raises(WrongInput, match=f"not compatible with existing collection: Collection {what}: "):
            database.recover_snapshot(name, SnapshotRecover(location=location))
    assert everything(database) == before


def test_the_checksum_decides(database: Database) -> None:
    description = made(database)
    location = database.snapshot_path("things", description.name).as_uri()
    before = state(database)
    change(database)
    changed = everything(database)
    for name in ("things", "missing"):
        with pytest.raises(WrongInput, match=f"Snapshot checksum mismatch: expected {WRONG}, got "):
            database.recover_snapshot(name, SnapshotRecover(location=location, checksum=WRONG))
    assert everything(database) == changed
    assert isinstance(description.checksum, str)
    database.recover_snapshot("things", SnapshotRecover(location=location, checksum=description.checksum.upper()))
    assert state(database) == before


def test_a_damaged_snapshot_changes_nothing(database: Database) -> None:
    path = database.snapshot_path("things", made(database).name)
    sound = path.read_bytes()
    change(database)
    before = everything(database)
    for damaged in (sound[:-1], sound[:50] + b"\0" + sound[51:], b"", b"ustar" * 200):
        path.write_bytes(damaged)
        for name in ("things", "missing"):
            with pytest.raises(WrongInput):
                database.recover_snapshot(name, SnapshotRecover(location=path.as_uri()))
    assert everything(database) == before


def test_a_full_snapshot_is_not_one_collection(database: Database) -> None:
    database._names.add(filled("more"))
    full = database.create_full_snapshot()
    assert full is not None
    location = database.full_snapshot_path(full.name).as_uri()
    with pytest.raises(WrongInput, match="holds 2 collections"):
        database.recover_snapshot("things", SnapshotRecover(location=location))


def test_a_shard_is_recovered_by_name(database: Database) -> None:
    before = state(database)
    description = made(database, shard=0)
    change(database)
    with pytest.raises(WrongInput, match="checksum mismatch"):
        database.recover_shard("things", 0, ShardSnapshotRecover(location=description.name, checksum=WRONG))
    assert database.recover_shard("things", 0, ShardSnapshotRecover(location=description.name)) is True
    assert state(database) == before
    of_collection = made(database)
    with pytest.raises(NotFound):
        database.recover_shard("things", 0, ShardSnapshotRecover(location=of_collection.name))
    with pytest.raises(NotFound):
        database.recover_shard("missing", 0, ShardSnapshotRecover(location=description.name))
    location = database.snapshot_path("things", of_collection.name).as_uri()
    with pytest.raises(WrongInput, match=r"Invalid snapshot URL .*: URLs with file scheme are not supported"):
        database.recover_shard("things", 0, ShardSnapshotRecover(location=location))


def test_uploads(database: Database, folder: Path) -> None:
    before = state(database)
    sound = database.snapshot_path("things", made(database).name).read_bytes()
    change(database)
    changed, there = everything(database), files(folder)
    with pytest.raises(ChecksumMismatch, match=f"Checksum mismatch: expected [0-9a-f]{{64}}, actual {WRONG}"):
        database.upload_snapshot("things", [sound], "x.snapshot", WRONG)
    with pytest.raises(WrongInput):
        database.upload_snapshot("missing", [sound[:100]], "x.snapshot")
    assert (everything(database), files(folder)) == (changed, there), "nothing has changed, nothing is left"
    pieces = [sound[at : at + 7] for at in range(0, len(sound), 7)]
    assert database.upload_snapshot("things", pieces, "x.snapshot", sha256(sound).hexdigest()) is True
    assert state(database) == before
    assert "x.snapshot" in [description.name for description in database.list_snapshots("things")]
    assert database.upload_snapshot("new", iter(pieces), wait=False) is None
    database._jobs.close()
    assert state(database, "new") == before
    assert len(database.list_snapshots("new")) == 1


def test_the_size_of_uploads_is_limited(folder: Path) -> None:
    with (
        Database(snapshots=SnapshotSettings(folder=folder, max_bytes=100)) as database,
        pytest.raises(BadRequest, match=r"larger than allowed \(limit: 100 bytes\)"),
    ):
        database.upload_snapshot("things", [bytes(60), bytes(60)])
    assert files(folder) == []
