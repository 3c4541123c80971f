"""How deep is a text of JSON nested? Qdrant's reader gives up at the 128th level, wherever it is.

Nearly all texts have fewer brackets than that, which is known after some steps through them. In others brackets are
matched as if there were no strings, and with regard to strings only if that looks too deep: so a text whose strings
hold many closing brackets may pass although it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from qdlite.lazily import pattern

DEEPEST = 127
_TOKENS = pattern(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]')


def first_beyond(text: bytes, deepest: int = DEEPEST) -> int | None:
    """Where the first bracket opens that is nested deeper than `deepest`; None if there is none."""
    if len(text) <= 2 * deepest or not _opens_more_often(text, deepest):
        return None
    from bisect import bisect  # few texts come so far

    opening = sorted([*_places(text, b"["), *_places(text, b"{")])
    closing = sorted([*_places(text, b"]"), *_places(text, b"}")])
    if all(number - bisect(closing, place) <= deepest for number, place in enumerate(opening, 1)):
        return None
    return _exactly(text, deepest)


def _opens_more_often(text: bytes, times: int) -> bool:
    found = 0
    for bracket in (b"{", b"["):
        place = text.find(bracket)  # numbers are left behind faster than they could be searched by counting
        while place >= 0 and found <= times:
            found += 1
            place = text.find(bracket, place + 1)
    return found > times


def _places(text: bytes, bracket: bytes) -> Iterator[int]:
    place = text.find(bracket)
    while place >= 0:
        yield place
        place = text.find(bracket, place + 1)


def _exactly(text: bytes, deepest: int) -> int | None:
    depth = 0
    for token in _TOKENS().finditer(text.decode("latin-1")):  # a character a byte
        if token[0] in "[{":
            depth += 1
            if depth > deepest:
                return token.start()
        elif token[0] in "]}":
            depth -= 1
    return None
