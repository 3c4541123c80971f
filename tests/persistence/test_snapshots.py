"""Do snapshots come back whole or not at all, and does nothing lead out of their folder?"""

from __future__ import annotations

import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.collection.collection import Collection
from qdlite.database import Database, SnapshotSettings
from qdlite.errors import AlreadyExists, BadRequest, ChecksumMismatch, Forbidden, NotFound, ServiceError, WrongInput
from qdlite.models.aliases import AliasAction, ChangeAliases, CreateAlias, RenameAlias
from qdlite.models.collections import UpdateCollection
from qdlite.models.snapshots import Priority, ShardSnapshotRecover, SnapshotDescription, SnapshotRecover
from qdlite.persistence import snapshots as store
from qdlite.persistence.files import replacing
from qdlite.persistence.snapshots import SnapshotStore, safe_name
from tests.persistence.examples import KINDS, collections, content, create, index, rows, update

WRONG = "3" * 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    with Database(snapshots=SnapshotSettings(folder=folder)) as opened:
        opened._names.add(filled("things"))
        yield opened


def filled(name: str, count: int = 20) -> Collection:
    collection = create({"vectors": {"size": 3, "distance": "Dot"}, "metadata": {"of": name}}, name)
    vectors = enumerate(rows(count))
    points = [{"id": row, "vector": vector, "payload": {"word": f"w{row % 3}"}} for row, vector in vectors]
    update(collection, {"upsert": {"points": points}})
    index(collection, "word", "keyword")
    return collection


def state(database: Database, name: str = "things") -> dict[str, Any]:
    return database.collection(name).read(lambda view: content(view.state))


def everything(database: Database) -> dict[str, Any]:
    return {name: state(database, name) for name in database.list_collections()}


def made(database: Database, name: str = "things", shard: int | None = None) -> SnapshotDescription:
    description = database.create_snapshot(name, shard)
    assert description is not None
    return description


def change(database: Database, name: str = "things") -> None:
    update(database.collection(name), {"delete": {"points": [1, 2, 3]}})
    update(database.collection(name), {"set_payload": {"payload": {"new": 1}, "points": [4]}})


def alias(database: Database, name: str, target: str) -> None:
    database.change_aliases(
        ChangeAliases(actions=[AliasAction(create_alias=CreateAlias(collection_name=target, alias_name=name))])
    )


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# Making and listing


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


# Bringing back


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
    with pytest.raises(ChecksumMismatch, match=f"Checksum mismatch: expected {WRONG}, actual "):
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


# Names and places


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


# Other nodes


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


# Whole databases


@given(st.lists(collections(), max_size=3, unique_by=lambda collection: collection.name))
def test_a_database_is_saved_and_loaded(given_collections: list[Collection]) -> None:
    with Database() as database, Database() as other:
        for collection in given_collections:
            database._names.add(collection)
            alias(database, f"alias of {collection.name}", collection.name)
        path = database.snapshots_folder / "saved"
        database.save(path)
        other.load(path)
        assert everything(other) == everything(database)
        assert other.list_aliases() == database.list_aliases()


def test_loading_adds_all_or_nothing(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "saved"
    alias(database, "nick", "things")
    database.save(path)
    saved = state(database)
    with Database() as other:
        other._names.add(filled("more", 3))
        other.load(path)
        assert other.list_collections() == ["more", "things"]
        change(other)
        before = everything(other)
        with pytest.raises(AlreadyExists, match="Collection `things` already exists!"):
            other.load(path)
        assert everything(other) == before
        other.load(path, replace=True)
        assert state(other) == saved
        assert other.list_collections() == ["more", "things"]
    with Database() as other:
        other._names.add(filled("nick", 3))
        for replace in (False, True):
            with pytest.raises(AlreadyExists):
                other.load(path, replace=replace)
        assert other.list_collections() == ["nick"]


def test_an_alias_that_hides_a_collection_is_loaded_like_any_other(database: Database, tmp_path: Path) -> None:
    database._names.add(filled("hidden", 3))
    alias(database, "nick", "things")
    rename = RenameAlias(old_alias_name="nick", new_alias_name="hidden")
    database.change_aliases(ChangeAliases(actions=[AliasAction(rename_alias=rename)]))
    database.save(tmp_path / "saved")
    with Database() as other:
        for replace in (False, True):
            other.load(tmp_path / "saved", replace=replace)
            assert other.list_aliases() == [("hidden", "things")]
            assert other.list_collections() == ["hidden", "things"]


def test_a_full_snapshot_can_be_loaded(database: Database) -> None:
    description = database.create_full_snapshot()
    assert description is not None
    with Database() as other:
        other.load(database.full_snapshot_path(description.name))
        assert everything(other) == everything(database)


def test_graphs_are_built_after_loading(tmp_path: Path) -> None:
    body = {"vectors": {"size": 3, "distance": "Euclid"}, "optimizers_config": {"indexing_threshold": 1}}
    collection = create(body)
    points = [{"id": row, "vector": vector} for row, vector in enumerate(rows(400))]
    update(collection, {"upsert": {"points": points}})
    with Database() as database, Database() as other:
        database._names.add(collection)
        database.save(tmp_path / "saved")
        other.load(tmp_path / "saved")
        assert other.wait_until_indexed(20)
        assert other.get_collection("things").indexed_vectors_count == 400
        location = database.snapshot_path("things", made(database).name).as_uri()
        database.recover_snapshot("fresh", SnapshotRecover(location=location))
        assert database.wait_until_indexed(20)
        assert database.get_collection("fresh").indexed_vectors_count == 400


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


def test_kinds_are_all_used() -> None:
    """The random collections above have every datatype and kind of vector."""
    assert {str(params.get("datatype")) for params, _ in KINDS.values()} == {"None", "float16", "uint8"}
