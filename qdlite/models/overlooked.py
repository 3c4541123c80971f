"""What does Qdrant overlook in a filter? Unknown keys beside those that say what a condition tests.

Models refuse unknown keys there, because `{"foo": []}` must not pass for the empty filter that it would be without
them. A body that is refused for it comes here, and gets a second chance without what is overlooked.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from qdlite.models.filters import Condition

_CLAUSES = frozenset({"must", "should", "must_not", "conditions"})
_STORED = frozenset({"payload", "payloads", "vector", "vectors", "image", "object", "options", "defaults", "metadata"})
"""What belongs to the user, whatever it looks like."""

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_list = msgspec.json.Decoder(list[Raw]).decode


def without_overlooked(body: bytes) -> bytes:
    """A body of which no condition has unknown keys, except where nothing else says what it is."""
    return _value(Raw(body), in_clause=False)


def _value(raw: Raw, in_clause: bool) -> Raw:
    first = bytes(raw).lstrip()[:1]
    if first == b"[":
        return Raw(msgspec.json.encode([_value(item, in_clause) for item in _list(raw)]))
    if first != b"{":
        return raw
    parts = _object(raw)
    if in_clause:
        parts = _condition(parts)
    kept = {name: part if name in _STORED else _value(part, name in _CLAUSES) for name, part in parts.items()}
    return Raw(msgspec.json.encode(kept))


def _condition(parts: dict[str, Raw]) -> dict[str, Raw]:
    """The keys that count: of a field condition its tests, of all others only the one that says what they are."""
    kind = next((name for name in Condition.variants if name in parts), None)
    if kind is None:
        return parts
    known = (kind, *Condition.field_tests) if kind == "key" else (kind,)
    return {name: part for name, part in parts.items() if name in known}
