"""How do bytes become wire models, and models bytes? What is wrong with a body is said where, and in Qdrant's words."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from qdlite.errors import MalformedBody
from qdlite.lazily import pattern
from qdlite.models import depth

_M = TypeVar("_M")

_building = threading.Lock()


@cache
def _decoder(model: Any) -> msgspec.json.Decoder[Any]:
    """One at a time: msgspec remembers what it learns about a class before it has learnt all of it, and a decoder
    that another thread makes of that crashes the process."""
    with _building:
        return msgspec.json.Decoder(model)


def decode(body: bytes, model: type[_M], usual: type[_M] | None = None) -> _M:
    """Decodes one JSON body. Raises MalformedBody with the path of the offending value.

    `usual`: a narrower form of the model that takes less time to decode; tried first. Such models are large, and see
    for themselves that what they leave raw is not nested too deep.
    """
    try:
        if not body.isascii():
            body.decode()
        if usual is None:
            _check_depth(body)
        else:
            with suppress(msgspec.MsgspecError, RecursionError):
                return cast(_M, _decoder(cast(Hashable, usual)).decode(body))
        return cast(_M, _tolerantly(body, _decoder(cast(Hashable, model))))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if isinstance(error, RecursionError):
            _check_depth(body)
        raise MalformedBody(_location(body, str(error))) from None


def _check_depth(body: bytes) -> None:
    place = depth.first_beyond(body)
    if place is not None:
        raise MalformedBody(f"recursion limit exceeded at {_line_and_column(body, place)}")


def _line_and_column(body: bytes, place: int) -> str:
    line, column = body.count(b"\n", 0, place) + 1, place - (body.rfind(b"\n", 0, place) + 1) + 1
    return f"line {line} column {column}"


def _tolerantly(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    """Decodes a body, if need be without the unknown keys that Qdrant overlooks."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        if not _expected(str(error)):
            raise
    from qdlite.models.overlooked import without_overlooked  # models of conditions stand on this file

    return decoder.decode(without_overlooked(body))


_UNKNOWN = pattern(r"Object contains unknown field .* - at `\$.*?\.?(\w+)(?:\[[^]]*\])?`")
_EXPECTED: dict[str, str] = {}


def expect(fields: Iterable[str], text: str) -> None:
    """Sets what is said of an object with unknown keys, by the field that holds it."""
    _EXPECTED.update(dict.fromkeys(fields, text))


def _expected(text: str) -> str:
    """What is said of an unknown key in place of msgspec's text; empty for any other problem."""
    unknown = _UNKNOWN().fullmatch(text)
    return _EXPECTED.get(unknown[1], "") if unknown else ""


def decode_raw(raw: msgspec.Raw | bytes, model: Any) -> Any:
    """Decodes a part that was left raw in the first pass. Raises ValueError, which in the `__post_init__` of a
    model becomes part of the body's error, with the path of that model."""
    try:
        return _decoder(model).decode(raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _location(body: bytes, text: str) -> str:
    """Qdrant's texts end with a line and column; msgspec gives the byte of a syntax error."""
    expected = _expected(text)
    if expected:
        return expected
    if not body:
        return "EOF while parsing a value at line 1 column 0"
    if text == "Input data was truncated":
        line, column = body.count(b"\n") + 1, len(body) - (body.rfind(b"\n") + 1)
        return f"EOF while parsing at line {line} column {column}"
    if "(byte " in text:
        place = int(text.rsplit("(byte ", 1)[1].rstrip(")"))
        return f"{text.rsplit(' (byte', 1)[0]} at {_line_and_column(body, place)}"
    return text


def encode(value: object) -> bytes:
    """Encodes models and plain values; Raw parts pass through untouched."""
    return _encode(value)


_encode = msgspec.json.Encoder().encode
