"""Which endpoint is meant by a method and a path?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import unquote

from msgspec import Struct, field

from qdlite.errors import InvalidPath
from qdlite.models.base import Rule
from qdlite.models.names import collection_name, new_collection_name, vector_name
from qdlite_server.endpoint import Endpoint

_SLASHES = re.compile("//+")

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


RULES: Mapping[str, Rule] = {"collection_name": collection_name, "vector_name": vector_name}
"""For names of existing things, by the name of the path's variable part."""

NEW_COLLECTION: Mapping[str, Rule] = {"collection_name": new_collection_name}
