"""Which endpoint is meant by a method and a path?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import unquote

from msgspec import Struct, field

from qdlite.errors import InvalidPath
from qdlite.models.base import Rule
from qdlite_server.endpoint import Endpoint

_SLASHES = re.compile("//+")

# Characters that cannot stand in file names somewhere; Qdrant refuses them for new collections and vectors.
_UNSAFE = '<>:"/\\|?*\0\x1f'


REMEMBERED = 256
"""Paths whose routes are not searched again."""


class _Node(Struct):
    steps: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    endpoint: Endpoint | None = None


class Route(Struct, frozen=True):
    """An endpoint and the decoded variable parts of the path that led to it. `problem` says which of them break the
    rules for names; empty if none does."""

    endpoint: Endpoint
    path: Mapping[str, str]
    problem: str = ""

    def check(self) -> None:
        """Raises InvalidPath if there is a problem."""
        if self.problem:
            raise InvalidPath(self.problem)


class Router:
    """A tree of path segments for each method; fixed segments win over variable ones."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._roots: dict[str, _Node] = {}
        for endpoint in endpoints:
            node = self._roots.setdefault(endpoint.method, _Node())
            for step in segments(endpoint.path):
                node = _below(node, step)
            if node.endpoint is not None:
                raise ValueError(f"two endpoints for {endpoint.label}")
            node.endpoint = endpoint
        self.find = lru_cache(REMEMBERED)(self._find)

    def _find(self, method: str, path: str) -> Route | None:
        """`path` is percent-encoded; repeated and trailing slashes do not matter."""
        root = self._roots.get(method)
        if root is None:
            return None
        values: list[str] = []
        endpoint = _search(root, segments(path), 0, values)
        if endpoint is None:
            return None
        names = [step[1:-1] for step in segments(endpoint.path) if step.startswith("{")]
        found = dict(zip(names, values, strict=True))
        return Route(endpoint, found, "; ".join(_problems(endpoint, found)))


def segments(path: str) -> list[str]:
    trimmed = _SLASHES.sub("/", path).strip("/")
    return trimmed.split("/") if trimmed else []


def _below(node: _Node, step: str) -> _Node:
    if not step.startswith("{"):
        return node.steps.setdefault(step, _Node())
    if node.variable is None:
        node.variable = _Node()
    return node.variable


def _search(node: _Node, steps: list[str], at: int, values: list[str]) -> Endpoint | None:
    if at == len(steps):
        return node.endpoint
    fixed = node.steps.get(steps[at])
    found = _search(fixed, steps, at + 1, values) if fixed is not None else None
    if found is None and node.variable is not None:
        mark = len(values)
        values.append(unquote(steps[at]))
        found = _search(node.variable, steps, at + 1, values)
        if found is None:
            del values[mark:]
    return found


def _problems(endpoint: Endpoint, path: Mapping[str, str]) -> Iterator[str]:
    for name, value in path.items():
        rule = endpoint.rules.get(name) or RULES.get(name)
        problem = rule(value) if rule else None
        if problem:
            yield f"{name}: {problem}"


def _without(characters: str, kind: str) -> Rule:
    def rule(name: str) -> str | None:
        for character in characters:
            if character in name:
                return f'{kind} cannot contain "{character}" char'
        return None

    return rule


def _collection_name(characters: str) -> Rule:
    without = _without(characters, "collection name")

    def rule(name: str) -> str | None:
        if not 1 <= len(name) <= 255:
            return f'value "{name}" invalid, must be from 1 to 255 characters'
        return without(name)

    return rule


def _vector_name(name: str) -> str | None:
    if len(name.encode()) > 200:
        return "vector name must be at most 200 bytes long"
    return _without(_UNSAFE, "vector name")(name)


RULES: Mapping[str, Rule] = {"collection_name": _collection_name("/\0"), "vector_name": _vector_name}
"""For names of existing things, by the name of the path's variable part."""

NEW_COLLECTION: Mapping[str, Rule] = {"collection_name": _collection_name(_UNSAFE)}
