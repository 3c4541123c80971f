"""Does nothing lead out of the folder of snapshots: no name, no link, no location?"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.database import Database
from qdlite.errors import BadRequest, Forbidden, NotFound, WrongInput
from qdlite.models.snapshots import ShardSnapshotRecover, SnapshotRecover
from qdlite.persistence import snapshots as store
from qdlite.persistence.snapshots import safe_name
from tests.persistence.databases import files, filled, made, state

TRICKS = [
    "",
    ".",
    "..",
    "../things.snapshot",
    "../../etc/passwd",
    "/etc/passwd",
    "things/x.snapshot",
    "..\\x.snapshot",
    "C:x.snapshot",
    "x.snapshot\0",
    "%2e%2e%2fx.snapshot",
    ".received-x.part",
    "shards",
    "x" * 5000,
]


@pytest.mark.parametrize("name", TRICKS)
def test_no_name_leads_out_of_the_folder(database: Database, folder: Path, name: str) -> None:
    made(database)
    (folder / "things" / ".received-x.part").write_bytes(b"half")
    (folder / "things.snapshot").write_bytes(b"outside")
    for ask in (
        lambda: database.snapshot_path("things", name),
        lambda: database.delete_snapshot("things", name),
        lambda: database.snapshot_path("things", name, 0),
        lambda: database.full_snapshot_path(name),
        lambda: database.delete_full_snapshot(name),
        lambda: database.recover_shard("things", 0, ShardSnapshotRecover(location=name)),
    ):
        with pytest.raises((NotFound, WrongInput)):
            ask()
    assert (folder / "things.snapshot").exists()


def test_no_link_leads_out_of_the_folder(database: Database, folder: Path, tmp_path: Path) -> None:
    path = database.snapshot_path("things", made(database).name)
    outside = tmp_path / "outside.snapshot"
    shutil.copy(path, outside)
    (folder / "things" / "link.snapshot").symlink_to(outside)
    (folder / "things" / "loop.snapshot").symlink_to(folder / "things" / "loop.snapshot")
    (folder / "linked").symlink_to(tmp_path)
    for name in ("link.snapshot", "loop.snapshot"):
        with pytest.raises(NotFound):
            database.snapshot_path("things", name)
    assert [description.name for description in database.list_snapshots("things")] == [path.name]
    for location in ((folder / "things" / "link.snapshot"), folder / "linked" / "outside.snapshot"):
        with pytest.raises(Forbidden, match="must be inside the snapshots directory"):
            database.recover_snapshot("new", SnapshotRecover(location=location.as_uri()))


@pytest.mark.parametrize("name", ["..", ".", ".hidden", "a:b", "~", "ü", "x" * 255, "%2e%2e", "con/fig"])
def test_collections_of_odd_names_stay_below_the_folder(database: Database, folder: Path, name: str) -> None:
    database._names.add(filled(name, 3))
    before = state(database, name)
    description = made(database, name)
    path = database.snapshot_path(name, description.name)
    assert path.parent.parent == folder
    database.recover_snapshot("copy", SnapshotRecover(location=path.resolve().as_uri()))
    assert state(database, "copy") == before
    assert database.list_snapshots("things") == []


@given(st.text(st.characters(codec="utf-8"), max_size=300), st.text(st.characters(codec="utf-8"), max_size=300))
def test_safe_names_are_plain_and_distinct(one: str, other: str) -> None:
    safe = safe_name(one)
    assert len(safe.encode()) <= store._LONGEST
    assert os.path.basename(safe) == safe
    assert safe not in (".", "..")
    assert safe == safe_name(one)
    if one != other:
        assert safe != safe_name(other)


@pytest.mark.parametrize("name", ["../../evil.snapshot", "..\\evil", ".hidden", "", "a/b/..", None, "x" * 999])
def test_names_of_uploads_are_made_plain(database: Database, folder: Path, name: str | None) -> None:
    sound = database.snapshot_path("things", made(database).name).read_bytes()
    database.upload_snapshot("new", [sound], name)
    (kept,) = (folder / "new").glob("*.snapshot")
    assert database.list_snapshots("new")[0].name == kept.name
    assert database.snapshot_path("new", kept.name) == kept
    assert {path.split("/")[0] for path in files(folder)} == {"things", "new"}


@pytest.mark.parametrize(
    ("location", "error", "text"),
    [
        ("file://whatever.snapshot", BadRequest, "Invalid snapshot URI, file path must be absolute or on localhost"),
        ("file://./etc/passwd", BadRequest, "Invalid snapshot URI, file path must be absolute or on localhost"),
        ("file:///whatever.snapshot", BadRequest, 'Snapshot file "/whatever.snapshot" does not exist'),
        ("file://localhost/whatever", BadRequest, 'Snapshot file "/whatever" does not exist'),
        ("file:///%00", BadRequest, "does not exist"),
        ("file:///etc/passwd", Forbidden, "Snapshot file path must be inside the snapshots directory"),
        ("file:///etc/../etc/passwd", Forbidden, "Snapshot file path must be inside the snapshots directory"),
        ("file:///", Forbidden, "Snapshot file path must be inside the snapshots directory"),
        ("ftp://host/x", BadRequest, "URL ftp://host/x with scheme ftp is not supported"),
        ("http://[x/y", BadRequest, "Invalid snapshot URI"),
    ],
)
def test_locations_that_are_refused(database: Database, location: str, error: type[Exception], text: str) -> None:
    """Texts as in Qdrant (src: lib/storage/src/content_manager/snapshots/download.rs)."""
    with pytest.raises(error) as caught:
        database.recover_snapshot("new", SnapshotRecover(location=location))
    assert text in str(caught.value)
    assert not database.collection_exists("new")


def test_a_location_must_be_a_url() -> None:
    with pytest.raises(ValueError, match="relative URL without a base"):
        SnapshotRecover(location="/tmp/x.snapshot")
