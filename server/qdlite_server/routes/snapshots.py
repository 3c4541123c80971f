"""How are snapshots made, listed, fetched, removed and brought back?"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, get_args
from urllib.parse import quote

from qdlite.database import Database
from qdlite.errors import MalformedPath, NotFound
from qdlite.models.snapshots import Priority, ShardSnapshotRecover, SnapshotRecover, checksum_problem
from qdlite_server import parameters
from qdlite_server.endpoint import ACCEPTED, Answer, Call, Endpoint, unsupported
from qdlite_server.multipart import Part, Upload
from qdlite_server.parameters import Parameter, Parameters
from qdlite_server.routing import NEW_COLLECTION

FULL = "/snapshots"
COLLECTION = "/collections/{collection_name}/snapshots"
SHARD = "/collections/{collection_name}/shards/{shard_id}"
BINARY = "application/octet-stream"
FIELD = "snapshot"


def _priority(text: str) -> str:
    known = get_args(Priority)
    if text not in known:
        raise ValueError(f"unknown variant `{text}`, expected one of {', '.join(f'`{name}`' for name in known)}")
    return text


UPLOAD = Parameters(
    (
        *parameters.SNAPSHOT.known,
        Parameter("priority", _priority),
        Parameter("checksum", parameters.plain, checksum_problem),
    )
)


def create_full(database: Database, call: Call) -> object:
    return database.create_full_snapshot(call.wait) or ACCEPTED


def list_full(database: Database, call: Call) -> object:
    return database.list_full_snapshots()


def fetch_full(database: Database, call: Call) -> object:
    return _sent(database.full_snapshot_path(_name(call)))


def delete_full(database: Database, call: Call) -> object:
    return database.delete_full_snapshot(_name(call), call.wait) or ACCEPTED


def create(database: Database, call: Call) -> object:
    return database.create_snapshot(call.collection, _shard(call), call.wait) or ACCEPTED


def listed(database: Database, call: Call) -> object:
    return database.list_snapshots(call.collection, _shard(call))


def fetch(database: Database, call: Call) -> object:
    return _sent(database.snapshot_path(call.collection, _name(call), _shard(call)))


def delete(database: Database, call: Call) -> object:
    return database.delete_snapshot(call.collection, _name(call), _shard(call), call.wait) or ACCEPTED


def recover(database: Database, call: Call) -> object:
    return database.recover_snapshot(call.collection, call.body, call.wait) or ACCEPTED


def recover_shard(database: Database, call: Call) -> object:
    return database.recover_shard(call.collection, _shard(call) or 0, call.body, call.wait) or ACCEPTED


def upload(database: Database, call: Call) -> object:
    part: Part = call.body.file(FIELD)
    checksum = call.parameters["checksum"]
    done = database.upload_snapshot(call.collection, part.pieces, part.name, checksum, _shard(call), call.wait)
    return done or ACCEPTED


def stream(database: Database, call: Call) -> object:
    """A snapshot that is not kept anywhere."""
    file = database.temporary_file()  # whoever sends it closes it
    try:
        database.write_snapshot(call.collection, file, _shard(call))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return _answer(file, f"{call.collection}-shard-{_shard(call)}.snapshot")


def _name(call: Call) -> str:
    return call.path["snapshot_name"]


def _shard(call: Call) -> int | None:
    """The shard in the path, None if the path is that of a collection."""
    text = call.path.get("shard_id")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:11]) < 2**32):
        raise MalformedPath(f'can not parse "{text}" to a u32')
    return int(text)


def _sent(path: Path) -> Answer:
    try:
        return _answer(path.open("rb"), path.name)
    except FileNotFoundError:  # deleted at this very moment
        raise NotFound(f"Snapshot {path.name} not found") from None


def _answer(file: BinaryIO, name: str) -> Answer:
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Answer(200, content_type=BINARY, headers=(("content-disposition", disposition),), file=file)


def _of(base: str) -> list[Endpoint]:
    """What collections and their shards have in common."""
    return [
        Endpoint("GET", base, listed),
        Endpoint("POST", base, create, None, parameters.SNAPSHOT),
        Endpoint("POST", f"{base}/upload", upload, Upload, UPLOAD, NEW_COLLECTION, streamed=True),
        Endpoint("GET", f"{base}/{{snapshot_name}}", fetch, streamed=True),
        Endpoint("DELETE", f"{base}/{{snapshot_name}}", delete, None, parameters.SNAPSHOT),
    ]


PARTIAL = "they bring replicas in a cluster up to date"

ENDPOINTS = [
    Endpoint("GET", FULL, list_full),
    Endpoint("POST", FULL, create_full, None, parameters.SNAPSHOT),
    Endpoint("GET", f"{FULL}/{{snapshot_name}}", fetch_full, streamed=True),
    Endpoint("DELETE", f"{FULL}/{{snapshot_name}}", delete_full, None, parameters.SNAPSHOT),
    *_of(COLLECTION),
    Endpoint("PUT", f"{COLLECTION}/recover", recover, SnapshotRecover, parameters.SNAPSHOT),
    *_of(f"{SHARD}/snapshots"),
    Endpoint("PUT", f"{SHARD}/snapshots/recover", recover_shard, ShardSnapshotRecover, parameters.SNAPSHOT),
    Endpoint("GET", f"{SHARD}/snapshot", stream, streamed=True),
    unsupported("POST", f"{SHARD}/snapshot/partial/create", "partial snapshots", PARTIAL, documented=False),
    unsupported("POST", f"{SHARD}/snapshot/partial/recover", "partial snapshots", PARTIAL, documented=False),
    unsupported("POST", f"{SHARD}/snapshot/partial/recover_from", "partial snapshots", PARTIAL, documented=False),
    unsupported("GET", f"{SHARD}/snapshot/partial/manifest", "partial snapshots", PARTIAL, documented=False),
]
