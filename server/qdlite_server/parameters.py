"""Which query parameters does an endpoint take, and what do they mean?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from msgspec import Struct

from qdlite.errors import InvalidParameter, MalformedParameter
from qdlite.models.base import Rule, at_least

Values: TypeAlias = Mapping[str, Any]
"""Parameter values by name; every parameter the endpoint knows is present."""

_DIGITS = re.compile(r"\+?[0-9]+")
_CONSISTENCY = frozenset({"majority", "quorum", "all"})


class Parameter(Struct, frozen=True):
    """One query parameter. `parse` raises ValueError with the reason; `rule` judges the parsed value."""

    name: str
    parse: Callable[[str], Any]
    rule: Rule | None = None
    default: Any = None


class Parameters(Struct, frozen=True, eq=False):
    """All query parameters of an endpoint. Compared by identity, so that parsed values can be cached."""

    known: tuple[Parameter, ...] = ()

    def parse(self, query: str) -> Values:
        """Reads a query string; unknown parameters are ignored. Raises MalformedParameter or InvalidParameter."""
        return _parsed(self, query)


@lru_cache(maxsize=1024)
def _parsed(parameters: Parameters, query: str) -> Values:
    given: dict[str, str] = {}
    names = {parameter.name for parameter in parameters.known}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name in given and name in names:
            raise MalformedParameter(f"duplicate field `{name}`")
        given[name] = text
    values = {parameter.name: _value(parameter, given.get(parameter.name)) for parameter in parameters.known}
    problems = list(_problems(parameters, values))
    if problems:
        raise InvalidParameter("; ".join(problems))
    return MappingProxyType(values)


def _value(parameter: Parameter, text: str | None) -> Any:
    if text is None:
        return parameter.default
    try:
        return parameter.parse(text)
    except ValueError as error:
        raise MalformedParameter(str(error)) from None


def _problems(parameters: Parameters, values: Values) -> Iterator[str]:
    for parameter in parameters.known:
        value = values[parameter.name]
        problem = parameter.rule(value) if parameter.rule and value is not None else None
        if problem:
            yield f"{parameter.name}: {problem}"


def boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("provided string was not `true` or `false`")
    return text == "true"


def unsigned(text: str) -> int:
    if not text:
        raise ValueError("cannot parse integer from empty string")
    if not _DIGITS.fullmatch(text):
        raise ValueError("invalid digit found in string")
    number = int(text[:40])
    if number >= 2**64:
        raise ValueError("number too large to fit in target type")
    return number


def positive(text: str) -> int:
    number = unsigned(text)
    if number == 0:
        raise ValueError("invalid value: integer `0`, expected a nonzero u64")
    return number


def ordering(text: str) -> str:
    if text not in ("weak", "medium", "strong"):
        raise ValueError(f"unknown variant `{text}`, expected one of `weak`, `medium`, `strong`")
    return text


def consistency(text: str) -> int | str | None:
    if not text:
        return None
    if text in _CONSISTENCY:
        return text
    if not _DIGITS.fullmatch(text) or int(text[:40]) == 0:
        raise ValueError(f"failed to deserialize read consistency query parameter value '{text}'")
    return int(text[:40])


def plain(text: str) -> str:
    return text


_WAIT = Parameter("wait", boolean, default=False)
_TIMEOUT = Parameter("timeout", unsigned, at_least(1))

NONE = Parameters()
COLLECTION = Parameters((_TIMEOUT,))
WRITE = Parameters((_WAIT, Parameter("ordering", ordering, default="weak"), Parameter("timeout", unsigned)))
READ = Parameters((Parameter("consistency", consistency), Parameter("timeout", positive)))
SNAPSHOT = Parameters((Parameter("wait", boolean, default=True),))
