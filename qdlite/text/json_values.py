"""How are options read from JSON values, and how does a value of the wrong type read in the error?

The texts are those a client of Qdrant sees, which are the deserializer's: "invalid type: string "x", expected f64".
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import regex

from qdlite.types import MIN_INT64, Json

_ESCAPED = regex.compile(r"[\p{Other}\p{Separator}\p{Grapheme_Extend}\"\\--\ ]", flags=regex.V1)
_SHORT_ESCAPES = {"\0": "\\0", "\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_LARGEST_SIZE = 2**64 - 1


class OptionError(ValueError):
    """An option has the wrong type or an unknown value; the text is the deserializer's."""


def read_bool(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    raise mismatch(value, "a boolean")


def read_text(value: Json) -> str:
    if isinstance(value, str):
        return value
    raise mismatch(value, "a string")


def read_number(value: Json) -> float:
    """A finite or infinite number; integers are accepted."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mismatch(value, "f64")
    if value != value:
        raise OptionError("invalid value: floating point `NaN`, expected float (but not NaN)")
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def read_size(value: Json) -> int:
    """A non-negative integer below 2^64; 3.0 is refused."""
    if isinstance(value, bool) or not isinstance(value, int) or value > _LARGEST_SIZE:
        raise mismatch(value, "usize")
    if value < 0:
        raise OptionError(f"invalid value: integer `{value}`, expected usize")
    return value


def read_choice(value: Json, choices: tuple[str, ...]) -> str:
    """One of the texts `choices`."""
    if not isinstance(value, str):
        raise mismatch(value, "string or map")
    if value not in choices:
        known = ", ".join(f"`{choice}`" for choice in choices)
        raise OptionError(f"unknown variant `{value}`, expected one of {known}")
    return value


def mismatch(value: Json, expected: str) -> OptionError:
    """The error for a value of the wrong type."""
    return OptionError(f"invalid type: {_described(value)}, expected {expected}")


def untagged_mismatch(name: str) -> OptionError:
    """The error for a value that has none of several allowed shapes; `name` is Qdrant's name for them."""
    return OptionError(f"data did not match any variant of untagged enum {name}")


def _described(value: Json) -> str:
    if isinstance(value, bool):
        return f"boolean `{str(value).lower()}`"
    describe = _DESCRIPTIONS.get(type(value))
    return describe(value) if describe else type(value).__name__


def _float_text(value: float) -> str:
    digits, mark, exponent = repr(value).partition("e")
    return digits + (f"e{exponent[0]}{exponent[1:].lstrip('0')}" if mark else "")


def _integer_text(value: int) -> str:
    """Integers beyond 64 bits are floating point numbers to the deserializer."""
    if MIN_INT64 <= value <= _LARGEST_SIZE:
        return f"integer `{value}`"
    return f"floating point `{_float_text(read_number(value))}`"


_DESCRIPTIONS: dict[type, Callable[[Json], str]] = {
    type(None): lambda value: "null",
    str: lambda value: f"string {debug_text(value)}",
    int: _integer_text,
    float: lambda value: f"floating point `{_float_text(value)}`",
    list: lambda value: "sequence",
    dict: lambda value: "map",
}


def debug_text(text: str) -> str:
    """`text` in quotes, with quotes, backslashes and invisible or combining characters escaped as in Rust."""

    def escape(match: regex.Match[str]) -> str:
        letter = match[0]
        return _SHORT_ESCAPES.get(letter) or f"\\u{{{ord(letter):x}}}"

    return f'"{_ESCAPED.sub(escape, text)}"'


def plain_number(value: float) -> str:
    """A number without exponent and without a trailing `.0`: -1.0 gives "-1", 1e-7 gives "0.0000001"."""
    text = format(Decimal(repr(value)), "f") if abs(value) != float("inf") else repr(value)
    return text.removesuffix(".0")
