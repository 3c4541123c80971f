"""What is a payload on the wire? An object or null, kept as the bytes that came."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Raw

from qdlite.errors import MalformedBody
from qdlite.models import depth
from qdlite.models.common import JsonObject

NULL = Raw(b"null")
NOT_A_MAP = "invalid type: expected a map as payload"

_DEEPEST = depth.DEEPEST - 3
"""A payload stands in a point, which stands in a list, which is a field of the body."""

_FIRST_BYTES = frozenset({b"{", b"n"})
_first_byte = itemgetter(slice(1))
_PAYLOAD = msgspec.json.Decoder(dict[str, Any] | None)


def check_payload(payload: Raw) -> None:
    """Raises ValueError for anything but an object or null, and for one that is nested too deep."""
    check_payloads((payload,))


def check_payloads(payloads: Iterable[Raw]) -> None:
    """The same for many."""
    texts = list(map(bytes, payloads))
    if not _FIRST_BYTES.issuperset(map(_first_byte, texts)):
        raise ValueError(NOT_A_MAP)
    for text in texts:
        if len(text) > 2 * _DEEPEST and depth.first_beyond(text, _DEEPEST) is not None:
            raise ValueError("recursion limit exceeded")


def payload_object(raw: Raw | bytes) -> JsonObject:
    """Decodes a payload; null is an empty one. Raises MalformedBody."""
    try:
        return _PAYLOAD.decode(raw) or {}
    except (msgspec.MsgspecError, RecursionError) as error:
        raise MalformedBody(str(error)) from None


def payload_objects(raws: Iterable[Raw | bytes]) -> list[JsonObject | None]:
    """Decodes many payloads. Raises MalformedBody."""
    try:
        return list(map(_PAYLOAD.decode, raws))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise MalformedBody(str(error)) from None
