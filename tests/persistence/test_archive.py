"""Is what is read from an archive what was written, and is every damage noticed?"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.collection import capture as captures
from qdlite.collection.capture import CollectionCapture
from qdlite.collection.collection import Collection
from qdlite.errors import WrongInput
from qdlite.persistence import archive
from qdlite.persistence.archive import Archive
from qdlite.persistence.frames import FORMAT, MAGIC, FrameWriter
from tests.persistence import examples
from tests.persistence.examples import KINDS, collections, content, create, index, update


def state(collection: Collection) -> dict[str, Any]:
    return collection.read(lambda view: content(view.state))


def written(*given: Collection, aliases: dict[str, str] | None = None) -> bytes:
    file = io.BytesIO()
    archive.write(file, [(collection.name, collection.capture()) for collection in given], aliases)
    return file.getvalue()


def read(content: bytes) -> Archive:
    return archive.read(io.BytesIO(content))


def small() -> Collection:
    collection = create({"vectors": {"": {"size": 3, "distance": "Dot"}}, "sparse_vectors": {"s": {}}})
    points = [
        {"id": 1, "vector": {"": [1, 2, 3], "s": {"indices": [5, 9], "values": [1, 2]}}, "payload": {"a": "b"}},
        {"id": examples.UUIDS[0], "vector": {"": [4, 5, 6]}},
    ]
    update(collection, {"upsert": {"points": points}})
    index(collection, "a", "keyword")
    return collection


@given(collections())
def test_a_collection_comes_back(collection: Collection) -> None:
    found = read(written(collection))
    assert list(found.collections) == [collection.name]
    assert content(found.collections[collection.name]) == state(collection)


@given(collections(), st.integers(1, 300))
def test_the_size_of_parts_does_not_matter(collection: Collection, part_bytes: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(captures, "PART_BYTES", part_bytes)
        found = read(written(collection))
    assert content(found.collections[collection.name]) == state(collection)


@given(collections())
def test_a_clone_is_equal_and_independent(collection: Collection) -> None:
    before = state(collection)
    clone = collection.clone("other")
    assert state(clone) == before
    update(clone, {"upsert": {"points": [{"id": 7, "vector": {}, "payload": {"new": True}}]}})
    assert state(collection) == before


@given(collections(), collections())
def test_what_is_written_after_the_capture_is_not_in_it(collection: Collection, other: Collection) -> None:
    before = state(collection)
    taken = collection.read(lambda view: CollectionCapture.of(view.state))
    points = [{"id": row, "vector": {}, "payload": {"late": row}} for row in range(40)]
    update(collection, {"upsert": {"points": points}})
    update(collection, {"delete": {"points": list(range(0, 40, 3))}})
    file = io.BytesIO()
    archive.write(file, [("things", taken)])
    assert content(archive.read(file).collections["things"]) == before


def test_a_database_comes_back() -> None:
    one, two = small(), create({"vectors": {"size": 3, "distance": "Dot"}}, "two")
    found = read(written(one, two, aliases={"a": "things", "b": "two"}))
    assert {name: content(there) for name, there in found.collections.items()} == {
        "things": state(one),
        "two": state(two),
    }
    assert found.aliases == {"a": "things", "b": "two"}
    assert read(written()) == Archive()


def test_a_restored_collection_takes_writes() -> None:
    collection = small()
    restored = Collection.of("again", read(written(collection)).collections["things"])
    for each in (collection, restored):
        update(each, {"upsert": {"points": [{"id": 1, "vector": {"": [7, 8, 9]}, "payload": {"a": "c"}}]}})
        update(each, {"delete": {"points": [examples.UUIDS[0]]}})
    assert state(restored) == state(collection)


@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    content = bytearray(written(small()))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(WrongInput):
        read(bytes(content))


def test_every_bit_matters() -> None:
    content = written(create({"vectors": {}}))
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WrongInput):
            read(bytes(damaged))


def test_every_truncation_is_noticed() -> None:
    content = written(small())
    for length in range(len(content)):
        with pytest.raises(WrongInput, match="cut off"):
            read(content[:length])


def test_nothing_may_follow_the_end() -> None:
    with pytest.raises(WrongInput, match="follows its end"):
        read(written(small()) + b"\0")


def frames(content: bytes) -> list[bytes]:
    """The frames of an archive with their lengths and checksums."""
    found, at = [], len(MAGIC) + 4
    while at < len(content):
        length = 8 + int.from_bytes(content[at : at + 4], "little")
        found.append(content[at : at + length])
        at += length
    return found


def test_frames_cannot_be_lost_repeated_or_swapped() -> None:
    content = written(small(), create({"vectors": {}}, "two"))
    head, parts = content[: len(MAGIC) + 4], frames(content)
    assert head + b"".join(parts) == content
    for at in range(len(parts) - 1):
        lost = parts[:at] + parts[at + 1 :]
        repeated = parts[: at + 1] + parts[at:]
        swapped = [*parts[:at], parts[at + 1], parts[at], *parts[at + 2 :]]
        for wrong in (lost, repeated, swapped):
            with pytest.raises(WrongInput):
                read(head + b"".join(wrong))


def test_a_tar_of_qdrant_is_refused_with_advice() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("config.json"), io.BytesIO())
    with pytest.raises(WrongInput, match=r"made by a Qdrant server.*`migrate`"):
        read(file.getvalue())


@pytest.mark.parametrize("content", [b"PK\3\4", b"\x80\4\x95", b"hello" * 100, bytes(600)])
def test_foreign_files_are_refused(content: bytes) -> None:
    with pytest.raises(WrongInput, match="is not a snapshot of qdlite"):
        read(content)


def test_a_newer_format_is_named() -> None:
    content = bytearray(written(small()))
    content[len(MAGIC)] = FORMAT + 1
    with pytest.raises(WrongInput, match=f"has format {FORMAT + 1}; this version of qdlite reads format {FORMAT}"):
        read(bytes(content))


def reworked(content: bytes, change: dict[str, Any]) -> bytes:
    """An archive with sound checksums in which the frames of some kinds were replaced; None drops one."""
    file = io.BytesIO()
    writer = FrameWriter(file)
    for frame in frames(content)[:-1]:
        ((kind, value),) = msgpack.unpackb(frame[8:]).items()
        new = change.get(kind, lambda value: value)(value)
        if new is not None:
            writer.write({kind: new})
    writer.end()
    return file.getvalue()


def column(change: dict[str, Any], name: str = "") -> Any:
    def changed(points: dict[str, Any]) -> dict[str, Any]:
        vectors = {**points["vectors"], name: {**points["vectors"][name], **change}}
        return {**points, "vectors": vectors}

    return changed


def words(*numbers: int) -> bytes:
    return np.array(numbers, "<u4").tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"points": lambda points: {**points, "ids": [1, 1]}},
        {"points": lambda points: {**points, "ids": [1]}},
        {"points": lambda points: {**points, "ids": [1, "no uuid"]}},
        {"points": lambda points: {**points, "ids": [True, 2]}},
        {"points": lambda points: {**points, "ids": [-1, 2]}},
        {"points": lambda points: {**points, "versions": b"1234567"}},
        {"points": lambda points: {**points, "payloads": [b"{}", b"{"]}},
        {"points": lambda points: {**points, "payloads": [b"{}", b"[]"]}},
        {"points": lambda points: {**points, "payloads": [b"{}"]}},
        {"points": lambda points: {**points, "payloads": [b"{}", 5]}},
        {"points": lambda points: {**points, "vectors": {"unknown": points["vectors"][""]}}},
        {"points": lambda points: {**points, "vectors": 7}},
        {"points": column({"values": bytes(20)})},
        {"points": column({"values": "text"})},
        {"points": column({"rows": words(0, 2)})},
        {"points": column({"rows": words(1, 0)})},
        {"points": column({"rows": b""})},
        {"points": column({"indices": words(9, 5)}, "s")},
        {"points": column({"indices": words(5, 5)}, "s")},
        {"points": column({"lengths": words(3)}, "s")},
        {"points": lambda points: None},
        {"points": lambda points: [points]},
        {"collection": lambda head: None},
        {"collection": lambda head: {**head, "version": "x"}},
        {"collection": lambda head: {**head, "config": b"{}"}},
        {"collection": lambda head: {**head, "config": b"no json"}},
        {"collection": lambda head: {**head, "points": 3}},
        {"index": lambda body: b'{"field":"a","schema":"unheard","params":null}'},
        {"index": lambda body: b'{"field":"a[","schema":"keyword","params":null}'},
        {"index": lambda body: b'{"field":"a","schema":"text","params":{"type":"text","stopwords":"klingon"}}'},
        {"aliases": lambda aliases: {"alias": "nothing"}},
        {"aliases": lambda aliases: {"things": "more"}},
        {"aliases": lambda aliases: None},
        {"about": lambda about: None},
    ],
)
def test_sound_frames_with_unsound_content_are_refused(change: dict[str, Any]) -> None:
    """Archives come from anywhere: what does not fit must never reach a collection."""
    content = written(small())
    assert read(reworked(content, {})).collections
    with pytest.raises(WrongInput, match="cannot be understood"):
        read(reworked(content, change))


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.qdlite"
    archive.save(path, [("things", small().capture())])
    before = path.read_bytes()

    def failing() -> Any:
        yield "things", small().capture()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        archive.save(path, failing())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path], "no temporary file is left"


def test_a_graph_is_built_again() -> None:
    collection = create({"vectors": {"size": 3, "distance": "Euclid"}, "optimizers_config": {"indexing_threshold": 1}})
    points = [{"id": row, "vector": vector} for row, vector in enumerate(examples.rows(500))]
    update(collection, {"upsert": {"points": points}})
    restored = Collection.of("again", read(written(collection)).collections["things"])
    assert restored.has_work and collection.has_work
    while restored.build_step(1.0):
        pass
    assert restored.info().indexed_vectors_count == 500


def test_kinds_are_all_used() -> None:
    """The random collections have every datatype and kind of vector."""
    assert {str(params.get("datatype")) for params, _ in KINDS.values()} == {"None", "float16", "uint8"}
