"""Where do payloads live, and what are the bytes of a changed payload?

A payload stays as the client wrote it: reading gives the same bytes back and costs no decoding. Changes decode
only the top level, and below it only what a path touches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

import msgspec

from qdlite.models.common import JsonObject
from qdlite.payload.path import JsonPath, delete, merge_at
from qdlite.types import Json, Offset

EMPTY = b"{}"
BLOCK_BYTES = 128
RELEASE_SECONDS = 5.0
"""Qdrant's `flush_interval_sec`."""

_TOP_LEVEL = msgspec.json.Decoder(dict[str, msgspec.Raw])
_WHOLE = msgspec.json.Decoder(dict[str, Any])
_ENCODER = msgspec.json.Encoder()
_NULL = b"null"
_NULL_VALUE = msgspec.Raw(_NULL)
_EMPTY_FORMS = (EMPTY, _NULL)


def changed_keys(old: bytes, new: bytes) -> set[str]:
    """Top-level keys whose values are not written the same in two payloads."""
    before, after = _fields(old), _fields(new)
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def _fields(encoded: bytes) -> dict[str, bytes]:
    if encoded in _EMPTY_FORMS:
        return {}
    return {key: bytes(value) for key, value in _TOP_LEVEL.decode(encoded).items()}


class PayloadStore:
    """The encoded payload of each offset; `{}` where none was set."""

    def __init__(self) -> None:
        self._encoded: list[bytes] = []
        self.total_bytes = 0
        """Size of all payloads that are not empty."""
        self._blocks = 0
        self._replaced_blocks = 0
        self._released_at = time.monotonic()

    def __len__(self) -> int:
        """One more than the highest offset that ever had a payload."""
        return len(self._encoded)

    def replace(self, offsets: Sequence[Offset], payloads: Iterable[bytes]) -> list[bytes]:
        """Puts JSON objects in place of the payloads of distinct offsets; null is an empty one. Returns what they were
        before."""
        encoded, replaced = self._encoded, []
        if len(offsets) > 1 and self._follow(offsets):
            self._append(payloads)
            return [EMPTY] * len(offsets)
        if offsets and max(offsets) >= len(encoded):
            encoded += [EMPTY] * (max(offsets) + 1 - len(encoded))
        grown = added = freed = 0
        for offset, payload in zip(offsets, payloads, strict=True):
            old, new = encoded[offset], EMPTY if payload in _EMPTY_FORMS else payload
            encoded[offset] = new
            replaced.append(old)
            if new is not EMPTY:
                grown += len(new)
                added -= -len(new) // BLOCK_BYTES
            if old is not EMPTY:
                grown -= len(old)
                freed -= -len(old) // BLOCK_BYTES
        self.total_bytes += grown
        self._blocks += added - freed
        self._replaced_blocks += freed
        return replaced

    def _follow(self, offsets: Sequence[Offset]) -> bool:
        """Whether they are the next ones, as those of fresh points are."""
        first = len(self._encoded)
        return offsets[0] == first and list(offsets) == list(range(first, first + len(offsets)))

    def _append(self, payloads: Iterable[bytes]) -> None:
        """`replace` where there was nothing, in two thirds of the time."""
        added = [EMPTY if payload in _EMPTY_FORMS else payload for payload in payloads]
        self._encoded += added
        sizes = [len(payload) for payload in added if payload is not EMPTY]
        self.total_bytes += sum(sizes)
        self._blocks += sum([-(-size // BLOCK_BYTES) for size in sizes])

    def storage_bytes(self, now: float) -> int:
        """Size as Qdrant's storage has it, which its limits are about: payloads take blocks of 128 bytes, and those
        of replaced payloads are given free every few seconds. `now` is a monotonic time in seconds."""
        if now - self._released_at > RELEASE_SECONDS:
            self._released_at, self._replaced_blocks = now, 0
        return (self._blocks + self._replaced_blocks) * BLOCK_BYTES

    def raw(self, offset: Offset) -> bytes:
        """The payload as it was sent."""
        return self._encoded[offset] if offset < len(self._encoded) else EMPTY

    def all_raw(self) -> list[bytes]:
        """The payloads as they were sent, up to the highest offset that ever had one."""
        return self._encoded.copy()

    def get(self, offset: Offset) -> JsonObject:
        """The payload, freshly decoded."""
        return _WHOLE.decode(self.raw(offset))

    def objects(self, offsets: Iterable[Offset]) -> list[JsonObject]:
        """The payloads of some offsets that had one before, freshly decoded."""
        return list(map(_WHOLE.decode, map(self._encoded.__getitem__, offsets)))

    def items(self, key: str) -> Iterator[tuple[Offset, JsonObject]]:
        """Offsets and payloads of which only the value of `key` is decoded; payloads without it are left out."""
        value_in = _key_reader(key)
        for offset, encoded in enumerate(self._encoded):
            if encoded is not EMPTY:
                value = value_in(encoded)
                if value is not msgspec.UNSET:
                    yield offset, {key: value}

    def one(self, offset: Offset, key: str) -> JsonObject:
        """The payload of one offset, of which only the value of `key` is decoded."""
        value = _key_reader(key)(self.raw(offset))
        return {} if value is msgspec.UNSET else {key: value}


@lru_cache(maxsize=256)
def _key_reader(key: str) -> Callable[[bytes], Json]:
    """Decodes the value of one key, UNSET if it is missing; skipping the others is several times faster than
    decoding all."""
    try:
        shape = msgspec.defstruct("_Key", [("value", Any, msgspec.UNSET)], rename={"value": key})
    except ValueError:  # a key with control characters
        return lambda encoded: _WHOLE.decode(encoded).get(key, msgspec.UNSET)
    decode = msgspec.json.Decoder(shape).decode
    return lambda encoded: decode(encoded).value  # type: ignore[attr-defined]


def merging(patch: bytes, path: JsonPath | None = None) -> Callable[[bytes], bytes]:
    """Merges a patch into payloads, or into the objects at `path`; null removes a key.

    Values that the patch does not touch keep their bytes.
    """
    if path is not None:
        return partial(_merged_at, patch, path)
    values, removed = _TOP_LEVEL.decode(patch), []
    if _NULL_VALUE in values.values():
        removed = [key for key, value in values.items() if value == _NULL_VALUE]
        for key in removed:
            del values[key]
    return partial(_merged, values, removed)


def _merged(values: dict[str, msgspec.Raw], removed: list[str], encoded: bytes) -> bytes:
    parts = _TOP_LEVEL.decode(encoded)
    parts.update(values)
    for key in removed:
        parts.pop(key, None)
    return _ENCODER.encode(parts)


def _merged_at(patch: bytes, path: JsonPath, encoded: bytes) -> bytes:
    parts = _TOP_LEVEL.decode(encoded)
    changed = merge_at(_decoded(parts, path.key), path, _WHOLE.decode(patch))
    parts[path.key] = msgspec.Raw(_encode(changed[path.key]))
    return _ENCODER.encode(parts)


def deleted_keys(encoded: bytes, paths: Iterable[JsonPath]) -> bytes:
    """The payload without the values at `paths`. Values that no path touches keep their bytes."""
    parts = _TOP_LEVEL.decode(encoded)
    for path in paths:
        if len(path.steps) == 1:
            parts.pop(path.key, None)
        elif path.key in parts:
            changed = delete(_decoded(parts, path.key), path)
            parts[path.key] = msgspec.Raw(_encode(changed[path.key]))
    return msgspec.json.encode(parts)


def _decoded(parts: dict[str, msgspec.Raw], key: str) -> JsonObject:
    return {key: msgspec.json.decode(parts[key])} if key in parts else {}


def _encode(value: Json) -> bytes:
    """JSON of a decoded value. Old versions of msgspec refuse integers beyond 64 bits."""
    try:
        return msgspec.json.encode(value)
    except (OverflowError, msgspec.MsgspecError):
        import json

        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
