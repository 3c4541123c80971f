"""Which texts are JSON paths, and what are their steps?

Paths are part of a body, as in Qdrant: one that cannot be read is refused with the body, before anything else is looked
at, whether or not anything would ever be held against it.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any, TypeAlias, cast

from qdlite.errors import MalformedBody

Step: TypeAlias = "str | int | None"
"""A key of an object, an index of an array, or None for all elements of an array (`[]`)."""

Steps: TypeAlias = tuple[Step, ...]

_KEY = r'(?P<key>[{letters}_-]+)|"(?P<quoted>[^"\\]*)"'
_NEXT = r"\.(?:{key})|\[(?P<index>[0-9]*)\]"
_LARGEST_INDEX = 2**64 - 1


@lru_cache(maxsize=4096)
def steps_of(text: str) -> Steps:
    """Reads `key(.key | [n] | [])*`; keys other than letters, digits, `_` and `-` stand in quotes.

    Raises MalformedBody.
    """
    first, further = _patterns(text.isascii())
    match = first.match(text)
    steps: list[Step] = []
    at = 0
    while match:
        steps.append(_step(match))
        at = match.end()
        match = further.match(text, at)
    if not steps or at != len(text) or any(type(step) is int and step > _LARGEST_INDEX for step in steps):
        raise MalformedBody(f"Invalid json path: '{text}'")
    return tuple(steps)


def readable(given: Any) -> None:
    """A rule for fields that hold a path, a list of paths, or a model that has them: it finds nothing wrong in the
    former, or raises MalformedBody."""
    if isinstance(given, str):
        steps_of(given)
    elif isinstance(given, list):
        for text in given:
            steps_of(text)


def variable(text: str) -> int | str:
    """What a variable of a formula means: the score of a prefetch, by its number, or the value at a path, which is
    spelled in the one way that `spelled` has. Raises ValueError in Qdrant's words."""
    reserved = text.startswith("$")
    try:
        steps = steps_of(text.removeprefix("$"))
    except MalformedBody:
        raise ValueError(f"Invalid {'reserved' if reserved else 'payload'} variable: {text}") from None
    if not reserved:
        return spelled(steps)
    if steps[0] != "score":
        raise ValueError(f"Invalid reserved word: {text}")
    number = steps[1] if len(steps) == 2 else 0
    if len(steps) > 2 or not isinstance(number, int):
        raise ValueError(f"Invalid reserved variable: {text}")
    return number


def spelled(steps: Steps) -> str:
    """The text of a path."""
    return "".join(map(_spelled, steps)).removeprefix(".")


def _spelled(step: Step) -> str:
    if isinstance(step, str):
        plain = _patterns(step.isascii())[0].fullmatch(step)
        return f".{step}" if plain and plain["key"] else f'."{step}"'
    return "[]" if step is None else f"[{step}]"


@cache
def _patterns(plain: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Of the first step and of those that follow. Only letters beyond ASCII (not `plain`) need the package regex,
    which is slow to load."""
    if plain:
        compiled, letters = re.compile, "A-Za-z0-9"
    else:
        import regex

        compiled, letters = cast(Any, regex.compile), r"\p{Alphabetic}\p{N}"
    key = _KEY.replace("{letters}", letters)
    return compiled(key), compiled(_NEXT.replace("{key}", key))


def _step(match: re.Match[str]) -> Step:
    groups = match.groupdict()
    if groups["key"] is not None:
        return str(groups["key"])
    if groups["quoted"] is not None:
        return str(groups["quoted"])
    return int(groups["index"]) if groups["index"] else None
