"""Do snapshots work through the stock client and over plain HTTP, on both faces?"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from qdlite import Database
from qdlite.database import SnapshotSettings
from qdlite_server.api import Api
from qdlite_server.app import App
from tests.faces import Face, running

WRONG = "3" * 64


@pytest.fixture
def things(client: QdrantClient) -> Iterator[QdrantClient]:
    client.create_collection("things", models.VectorParams(size=2, distance=models.Distance.DOT))
    points = [models.PointStruct(id=row, vector=[float(row), 1.0], payload={"row": row}) for row in range(10)]
    client.upsert("things", points)
    client.create_payload_index("things", "row", models.PayloadSchemaType.INTEGER)
    yield client


def rows(client: QdrantClient, name: str = "things") -> list[Any]:
    return client.scroll(name, limit=100, with_vectors=True)[0]


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def made(client: QdrantClient, name: str = "things") -> models.SnapshotDescription:
    description = client.create_snapshot(name)
    assert description is not None
    return description


def text_of(response: httpx.Response) -> str:
    error: str = response.json()["status"]["error"]
    return error


# The stock client


def test_collection_snapshots(things: QdrantClient, face: Face) -> None:
    before, info = rows(things), things.get_collection("things")
    description = made(things)
    assert things.list_snapshots("things") == [description]
    things.delete("things", [1, 2, 3])
    location = face.database.snapshot_path("things", description.name).as_uri()
    for priority in models.SnapshotPriority:
        assert things.recover_snapshot("things", location, checksum=description.checksum, priority=priority) is True
        assert rows(things) == before
    assert things.recover_snapshot("copy", location) is True
    assert rows(things, "copy") == before
    assert things.get_collection("copy").payload_schema == info.payload_schema
    found = things.query_points("copy", query=[1.0, 0.0], limit=3, query_filter=models.Filter(must=[in_range(2, 5)]))
    assert [point.id for point in found.points] == [5, 4, 3]
    assert things.delete_snapshot("things", description.name) is True
    assert things.list_snapshots("things") == []


def in_range(low: float, high: float) -> models.FieldCondition:
    return models.FieldCondition(key="row", range=models.Range(gte=low, lte=high))


def test_shard_snapshots(things: QdrantClient) -> None:
    before = rows(things)
    description = things.create_shard_snapshot("things", 0)
    assert description is not None
    assert things.list_shard_snapshots("things", 0) == [description]
    assert things.list_snapshots("things") == []
    things.delete("things", [1, 2, 3])
    assert things.recover_shard_snapshot("things", 0, description.name) is True
    assert rows(things) == before
    assert things.delete_shard_snapshot("things", 0, description.name) is True
    assert things.list_shard_snapshots("things", 0) == []


def test_full_snapshots(things: QdrantClient, face: Face) -> None:
    things.create_collection("more", models.VectorParams(size=2, distance=models.Distance.DOT))
    things.update_collection_aliases(
        [models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name="things", alias_name="nick"))]
    )
    description = things.create_full_snapshot()
    assert description is not None
    assert things.list_full_snapshots() == [description]
    with Database() as other:
        other.load(face.database.full_snapshot_path(description.name))
        assert other.list_collections() == ["more", "things"]
        assert other.list_aliases() == [("nick", "things")]
    assert things.delete_full_snapshot(description.name) is True
    assert things.list_full_snapshots() == []


def test_uploads_by_the_client(things: QdrantClient, face: Face) -> None:
    before = rows(things)
    description = made(things)
    content = face.database.snapshot_path("things", description.name).read_bytes()
    things.delete("things", [1, 2, 3])
    api = things.http.snapshots_api
    api.recover_from_uploaded_snapshot("things", snapshot=io.BytesIO(content), checksum=sha256(content).hexdigest())
    assert rows(things) == before
    api.recover_from_uploaded_snapshot("new", snapshot=io.BytesIO(content))
    assert rows(things, "new") == before
    things.delete("things", [1, 2, 3])
    api.recover_shard_from_uploaded_snapshot("things", 0, snapshot=io.BytesIO(content))
    assert rows(things) == before


def test_not_waiting(things: QdrantClient, http: httpx.Client) -> None:
    for kind in ("/snapshots", "/collections/things/snapshots", "/collections/things/shards/0/snapshots"):
        response = http.post(kind, params={"wait": "false"})
        assert response.status_code == 202
        assert set(response.json()) == {"status", "time"}
        assert response.json()["status"] == "accepted"
        eventually(lambda kind=kind: len(http.get(kind).json()["result"]) == 1)  # type: ignore[misc]
        name = http.get(kind).json()["result"][0]["name"]
        assert http.delete(f"{kind}/{name}", params={"wait": "false"}).status_code == 202
        eventually(lambda kind=kind: http.get(kind).json()["result"] == [])  # type: ignore[misc]


# Plain HTTP


@pytest.mark.parametrize(
    "base", ["/collections/things/snapshots", "/collections/things/shards/0/snapshots", "/snapshots"]
)
def test_downloads(things: QdrantClient, http: httpx.Client, base: str) -> None:
    description = http.post(base).json()["result"]
    response = http.get(f"{base}/{description['name']}", headers={"accept-encoding": "gzip", "origin": "http://a"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"] == f"attachment; filename*=UTF-8''{description['name']}"
    assert sha256(response.content).hexdigest() == description["checksum"]
    assert len(response.content) == description["size"]


def test_a_shard_is_streamed_without_keeping_a_snapshot(things: QdrantClient, http: httpx.Client, face: Face) -> None:
    before = rows(things)
    content = http.get("/collections/things/shards/0/snapshot").content
    assert list(face.database.snapshots_folder.iterdir()) == []
    assert http.post("/collections/copy/snapshots/upload", files={"snapshot": content}).json()["result"] is True
    assert rows(things, "copy") == before


def test_recovery_from_another_node(things: QdrantClient, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.delenv("HTTP_PROXY", raising=False)
    description = made(things)
    before = rows(things)
    with Database() as other, running(App(Api(face.database))) as url:
        location = f"{url}/collections/things/snapshots/{description.name}"
        node = QdrantClient(transport=_transport(other), url="http://node", check_compatibility=False)
        with pytest.raises(UnexpectedResponse, match=f"Snapshot checksum mismatch: expected {WRONG}, got "):
            node.recover_snapshot("here", location, checksum=WRONG)
        assert not node.collection_exists("here")
        assert node.recover_snapshot("here", location, checksum=description.checksum) is True
        assert rows(node, "here") == before


def _transport(database: Database) -> httpx.BaseTransport:
    from qdlite_server.inprocess import InProcessTransport

    return InProcessTransport(database)


def test_wrong_checksums_change_nothing(things: QdrantClient, http: httpx.Client, face: Face) -> None:
    description = made(things)
    path = face.database.snapshot_path("things", description.name)
    response = http.put("/collections/missing/snapshots/recover", json={"location": path.as_uri(), "checksum": WRONG})
    assert response.status_code == 400
    assert text_of(response).startswith(f"Wrong input: Snapshot checksum mismatch: expected {WRONG}, got ")
    response = http.post(
        f"/collections/missing/snapshots/upload?checksum={WRONG}", files={"snapshot": path.read_bytes()}
    )
    assert response.status_code == 400
    # `upload_snapshot` in `src/actix/api/snapshot_api.rs` expects what the file has.
    assert text_of(response) == f"Checksum mismatch: expected {description.checksum}, actual {WRONG}"
    shard = http.post(
        f"/collections/missing/shards/0/snapshots/upload?checksum={WRONG}", files={"snapshot": path.read_bytes()}
    )
    assert text_of(shard) == text_of(response)
    assert not things.collection_exists("missing")


def test_a_damaged_upload_changes_nothing(things: QdrantClient, http: httpx.Client, face: Face) -> None:
    before = rows(things)
    content = bytearray(http.get("/collections/things/shards/0/snapshot").content)
    content[len(content) // 2] ^= 1
    response = http.post("/collections/things/snapshots/upload", files={"snapshot": bytes(content)})
    assert response.status_code == 400
    assert text_of(response) == "Wrong input: The snapshot is damaged: a checksum does not match"
    assert rows(things) == before
    assert list(face.database.snapshots_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        (
            "PUT",
            "/recover",
            {"location": "file:///etc/passwd"},
            403,
            "Forbidden: Snapshot file path must be inside the",
        ),
        ("PUT", "/recover", {"location": "x.snapshot"}, 400, "Format error in JSON body: relative URL without a base"),
        ("PUT", "/recover", {}, 400, "Format error in JSON body: "),
        ("PUT", "/recover", {"location": "file:///x", "priority": "mine"}, 400, "Format error in JSON body: "),
        (
            "PUT",
            "/recover",
            {"location": "file:///x", "checksum": "3"},
            422,
            "Validation error in JSON body: [checksum: ",
        ),
        ("POST", "/upload?checksum=3", None, 422, "Validation error in query parameters: [checksum: "),
        ("POST", "/upload?priority=mine", None, 400, "Deserialize error in query parameters: unknown variant `mine`"),
        ("POST", "/upload", None, 400, "Bad request: Multipart error: "),
        ("POST", "?wait=maybe", None, 400, "Deserialize error in query parameters: "),
        ("GET", "/nothing.snapshot", None, 404, "Not found: Snapshot nothing.snapshot not found"),
        ("DELETE", "/nothing.snapshot", None, 404, "Not found: Snapshot nothing.snapshot not found"),
        ("GET", "/..%2F..%2Fetc%2Fpasswd", None, 404, "Not found: Snapshot ../../etc/passwd not found"),
        ("DELETE", "/..%2F..%2Fetc%2Fpasswd", None, 404, "Not found: Snapshot ../../etc/passwd not found"),
    ],
)
def test_what_is_refused(
    things: QdrantClient, http: httpx.Client, method: str, path: str, body: Any, status: int, text: str
) -> None:
    response = http.request(method, f"/collections/things/snapshots{path}", json=body)
    assert response.status_code == status
    assert text_of(response).startswith(text)


@pytest.mark.parametrize(
    ("shard", "status", "text"),
    [
        ("1", 404, "Not found: shard 1 not found"),
        ("x", 400, 'Deserialize error in path parameters: can not parse "x" to a u32'),
        ("4294967296", 400, "Deserialize error in path parameters: "),
    ],
)
def test_other_shards(things: QdrantClient, http: httpx.Client, shard: str, status: int, text: str) -> None:
    for method, path in (("GET", "snapshots"), ("POST", "snapshots"), ("GET", "snapshot")):
        response = http.request(method, f"/collections/things/shards/{shard}/{path}")
        assert response.status_code == status
        assert text_of(response).startswith(text)


def test_paths_of_full_snapshots(http: httpx.Client) -> None:
    for name in ("/etc/passwd", "..%2F..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "%2E%2E", "x.snapshot"):
        assert http.get(f"/snapshots/{name}").status_code == 404
        assert http.delete(f"/snapshots/{name}").status_code == 404


def test_missing_collections(http: httpx.Client) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/x.snapshot"), ("DELETE", "/x.snapshot")):
        response = http.request(method, f"/collections/nothing/snapshots{path}")
        assert response.status_code == 404
        assert text_of(response) == "Not found: Collection `nothing` doesn't exist!"


def test_a_new_collection_needs_a_sound_name(things: QdrantClient, http: httpx.Client) -> None:
    content = http.get("/collections/things/shards/0/snapshot").content
    response = http.post("/collections/a%3Ab/snapshots/upload", files={"snapshot": content})
    assert response.status_code == 422
    assert not things.collection_exists("a:b")


# What the network adds


def test_uploads_are_not_bound_by_the_limit_of_bodies(tmp_path: Path) -> None:
    settings = SnapshotSettings(folder=tmp_path, max_bytes=400_000)
    with (
        Database(snapshots=settings) as database,
        running(App(Api(database, max_body=1000))) as url,
        httpx.Client(base_url=url) as http,
    ):
        vectors = {"vectors": {"size": 2, "distance": "Dot"}}
        assert http.put("/collections/c", json=vectors).status_code == 200
        points = [{"id": row, "vector": [row, 1]} for row in range(9)]
        assert http.put("/collections/c/points?wait=true", json={"points": points}).status_code == 200
        content = http.get("/collections/c/shards/0/snapshot").content
        filler = ("filler", bytes(200_000))
        files = [("other", filler), ("snapshot", ("s.snapshot", content))]
        response = http.post("/collections/copy/snapshots/upload", files=files)
        assert response.json()["result"] is True
        assert http.get("/collections/copy").json()["result"]["points_count"] == 9
        assert [path.name for path in (tmp_path / "copy").glob("*.snapshot")] == ["s.snapshot"]
        too_large = [("other", ("filler", bytes(399_999))), ("snapshot", ("s.snapshot", content))]
        response = http.post("/collections/late/snapshots/upload", files=too_large)
        assert response.status_code == 400
        assert "larger than allowed (limit: 400000 bytes)" in text_of(response)
        assert not database.collection_exists("late")


def test_a_large_snapshot_travels_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qdlite_server.app.PIECE", 1000)
    with (
        Database(snapshots=SnapshotSettings(folder=tmp_path)) as database,
        running(App(Api(database))) as url,
        httpx.Client(base_url=url) as http,
    ):
        http.put("/collections/c", json={"vectors": {"size": 64, "distance": "Dot"}})
        points = [{"id": row, "vector": [row] * 64} for row in range(200)]
        http.put("/collections/c/points?wait=true", json={"points": points})
        description = http.post("/collections/c/snapshots").json()["result"]
        content = http.get(f"/collections/c/snapshots/{description['name']}").content
        assert len(content) > 50_000
        assert sha256(content).hexdigest() == description["checksum"]
        response = http.post("/collections/copy/snapshots/upload", files={"snapshot": content})
        assert response.json()["result"] is True
        assert database.get_collection("copy").points_count == 200
