"""What does Qdrant overlook in filters and formulas? Unknown keys beside those that say what a condition tests, or
what is to be computed.

Models refuse unknown keys there, because `{"foo": []}` must not pass for the empty filter that it would be without
them. A body that is refused for it comes here, and gets a second chance without what is overlooked.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Raw

from qdlite.models.filters import CLAUSES, Condition
from qdlite.models.formulas import EXPRESSIONS, ExpressionObject

_STORED = frozenset({"payload", "payloads", "vector", "vectors", "image", "object", "options", "defaults", "metadata"})
"""What belongs to the user, whatever it looks like."""

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_list = msgspec.json.Decoder(list[Raw]).decode


def without_overlooked(body: bytes) -> bytes:
    """A body of which no condition and no expression has unknown keys, except where nothing else says what it is."""
    return _value(Raw(body), "")


def _value(raw: Raw, field: str) -> Raw:
    """`field`: the name under which the value stands."""
    first = bytes(raw).lstrip()[:1]
    if first == b"[":
        return Raw(msgspec.json.encode([_value(item, field) for item in _list(raw)]))
    if first != b"{":
        return raw
    kept = _known(_object(raw), field)
    return Raw(msgspec.json.encode({name: part if name in _STORED else _value(part, name) for name, part in kept}))


def _known(parts: dict[str, Raw], field: str) -> Iterable[tuple[str, Raw]]:
    """The keys that count: of a field condition its tests, of all others only the one that says what they are."""
    variants = Condition.variants if field in CLAUSES else ExpressionObject.variants if field in EXPRESSIONS else ()
    kind = next((name for name in variants if name in parts), None)
    if kind is None:
        return parts.items()
    known = (kind, *Condition.field_tests) if kind == "key" else (kind,)
    return [(name, part) for name, part in parts.items() if name in known]
