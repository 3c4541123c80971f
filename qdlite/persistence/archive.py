"""How is a collection, or a whole database, written to one file and read back?

An archive is a sequence of frames (see `frames`), each a map with one key that says what it is:

    about       when the archive was written
    collection  name, configuration, operation counter and number of points of the collection that follows
    points      some of its points: ids, versions, payloads, vectors (see `columns`)
    index       one of its payload indexes
    aliases     all aliases, by name

A snapshot of a collection is an archive with one collection, one of everything an archive with all of them. Reading
builds new states and gives them out only when the whole file has proved sound. Only plain data is ever read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from qdlite.collection.capture import CollectionCapture, Part, restored
from qdlite.collection.operations import CreateIndex
from qdlite.collection.state import CollectionState
from qdlite.errors import QdliteError, WrongInput
from qdlite.models.info import CollectionConfig
from qdlite.persistence.columns import Plain, decode_part, encode_part, layouts
from qdlite.persistence.files import replacing
from qdlite.persistence.frames import FrameWriter, read_frames
from qdlite.persistence.settings import decode_config, decode_index, encode_config, encode_index

_BREAKS = (KeyError, TypeError, ValueError, AttributeError, msgspec.MsgspecError)
"""What decoding raises for frames that are intact but not such as this version writes."""


@dataclass
class Archive:
    """What an archive holds: states of collections by name, and aliases with what they point at."""

    collections: dict[str, CollectionState] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def save(
    path: str | PathLike[str],
    collections: Iterable[tuple[str, CollectionCapture]],
    aliases: Mapping[str, str] | None = None,
) -> None:
    """Writes an archive to a path: either all of it is there at the end, or what was there before."""
    with replacing(Path(path)) as file:
        write(file, collections, aliases)


def write(
    file: BinaryIO, collections: Iterable[tuple[str, CollectionCapture]], aliases: Mapping[str, str] | None = None
) -> None:
    """Writes an archive to an open file. Captures are asked for one after the other."""
    frames = FrameWriter(file)
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    frames.write({"about": {"time": now}})
    for name, capture in collections:
        for frame in _collection_frames(name, capture):
            frames.write(frame)
    frames.write({"aliases": dict(aliases or {})})
    frames.end()


def load(path: str | PathLike[str]) -> Archive:
    """Reads an archive. Raises WrongInput if it is damaged, cut off, or no archive of qdlite at all."""
    with open(path, "rb") as file:
        return read(file)


def read(file: BinaryIO) -> Archive:
    """The same from an open file, from its beginning."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return _Reader(read_frames(file, size)).archive()


def _collection_frames(name: str, capture: CollectionCapture) -> Iterator[Plain]:
    head = {"name": name, "config": encode_config(capture.config), "version": capture.version}
    yield {"collection": {**head, "points": len(capture.offsets)}}
    known = layouts(capture.config)
    for part in capture.parts():
        yield {"points": encode_part(part, known)}
    for index in capture.indexes:
        yield {"index": encode_index(index)}


class _Reader:
    """Turns frames into an archive. Frames are looked at one ahead, because a collection's last one is not marked."""

    def __init__(self, frames: Iterator[Any]) -> None:
        self._frames = frames
        self._kind: str | None = None
        self._value: Any = None

    def archive(self) -> Archive:
        self._advance()
        self._take("about")
        found = Archive()
        while self._kind == "collection":
            with _understood():
                name, state = self._collection(self._take("collection"))
                if name in found.collections:
                    raise ValueError("two collections have one name")
            found.collections[name] = state
        with _understood():
            found.aliases = _aliases(self._take("aliases"), found)
        if self._kind is not None:
            raise _foreign(f"{self._kind} is not expected where it stands")
        return found

    def _collection(self, head: Plain) -> tuple[str, CollectionState]:
        config = decode_config(head["config"])
        state = restored(config, int(head["version"]), self._parts(config), self._indexes())
        if len(state.ids) != head["points"]:
            raise ValueError("points are missing")
        return str(head["name"]), state

    def _parts(self, config: CollectionConfig) -> Iterator[Part]:
        known = layouts(config)
        while self._kind == "points":
            yield decode_part(self._take("points"), known)

    def _indexes(self) -> Iterator[CreateIndex]:
        while self._kind == "index":
            yield decode_index(self._take("index"))

    def _take(self, kind: str) -> Any:
        if self._kind != kind:
            raise _foreign(f"{kind} is missing")
        value = self._value
        self._advance()
        return value

    def _advance(self) -> None:
        frame = next(self._frames, None)
        if frame is None:
            self._kind = self._value = None
        elif isinstance(frame, dict) and len(frame) == 1:
            ((self._kind, self._value),) = frame.items()
        else:
            raise _foreign("a frame does not say what it is")


def _aliases(plain: Mapping[str, str], found: Archive) -> dict[str, str]:
    aliases = {str(alias): str(target) for alias, target in plain.items()}
    for alias, target in aliases.items():
        if target not in found.collections:
            raise ValueError(f"the alias {alias} cannot be")
    return aliases


@contextmanager
def _understood() -> Iterator[None]:
    """Turns what decoding raises into one sentence. Errors that are sentences already stay as they are."""
    try:
        yield
    except WrongInput:
        raise
    except QdliteError as error:
        raise _foreign(error.description) from None
    except _BREAKS as error:
        raise _foreign(f"{type(error).__name__}: {error}") from None


def _foreign(reason: str) -> WrongInput:
    return WrongInput(f"The snapshot cannot be understood: {reason}")
