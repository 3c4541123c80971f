"""Which values does a JSON path name, and how are values read, merged, deleted and selected by paths?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from qdlite.models.common import JsonObject, PayloadSelector
from qdlite.models.paths import Step, Steps, spelled, steps_of
from qdlite.types import Json


class JsonPath(Struct, frozen=True):
    """A parsed path. The first step is always a key. Equal if the steps are, however they were spelled."""

    steps: Steps

    @property
    def key(self) -> str:
        """The top-level key that the path starts with."""
        return str(self.steps[0])

    def __str__(self) -> str:
        return spelled(self.steps)

    def values(self, payload: JsonObject) -> list[Json]:
        """All values at the path, none if it leads nowhere. Arrays are entered only by `[n]` and `[]`."""
        first, *rest = self.steps
        found: list[Json] = [payload[first]] if first in payload else []
        for step in rest:
            found = _STEPPED[type(step)](found, step)
        return found

    def array_key(self) -> JsonPath:
        """The path of the elements: `[]` is added unless the path already ends so."""
        return self if self.steps[-1] is None else JsonPath((*self.steps, None))

    def extend(self, inner: JsonPath) -> JsonPath:
        """The path of `inner` inside the value at this path."""
        return JsonPath(self.steps + inner.steps)

    def strip_prefix(self, prefix: JsonPath) -> JsonPath | None:
        """The rest below `prefix`; None if the path is not below it, or not at a key of it."""
        size = len(prefix.steps)
        rest = self.steps[size:]
        if self.steps[:size] != prefix.steps or not rest or not isinstance(rest[0], str):
            return None
        return JsonPath(rest)

    @property
    def enters_elements(self) -> bool:
        """Whether the path ends with `[]`."""
        return self.steps[-1] is None


def _in_objects(values: list[Json], key: Step) -> list[Json]:
    return [value[key] for value in values if type(value) is dict and key in value]


def _at_index(values: list[Json], index: Any) -> list[Json]:
    return [value[index] for value in values if type(value) is list and index < len(value)]


def _in_arrays(values: list[Json], _: Step) -> list[Json]:
    return [element for value in values if type(value) is list for element in value]


_STEPPED: dict[type, Callable[[list[Json], Any], list[Json]]] = {
    str: _in_objects,
    int: _at_index,
    type(None): _in_arrays,
}


@lru_cache(maxsize=4096)
def parse(text: str) -> JsonPath:
    """Reads a path. Raises MalformedBody."""
    return JsonPath(steps_of(text))


def merge_at(payload: JsonObject, path: JsonPath | None, patch: JsonObject) -> JsonObject:
    """Merges `patch` into the objects at `path`, in place; returns `payload`, which must be a fresh dict.

    Without a path it merges top-level keys; null removes a key. Objects are made on the way, also in place of
    other values; an array that is missing becomes an empty one, and nothing is ever appended to an array.
    """
    if path is None:
        return _merged(payload, patch)
    places: list[tuple[Any, Any]] = [(payload, path.key)]
    for step in path.steps[1:]:
        places = [inner for container, at in places for inner in _ENTERED[type(step)](container, at, step)]
    for container, at in places:
        _merged(_object_at(container, at), patch)
    return payload


def _merged(target: JsonObject, patch: JsonObject) -> JsonObject:
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = value
    return target


def _value_at(container: Any, at: Any) -> Json:
    return container.get(at) if type(container) is dict else container[at]


def _object_at(container: Any, at: Any) -> JsonObject:
    value = _value_at(container, at)
    found: JsonObject = value if type(value) is dict else {}
    container[at] = found
    return found


def _array_at(container: Any, at: Any) -> list[Json]:
    value = _value_at(container, at)
    found: list[Json] = value if type(value) is list else []
    container[at] = found
    return found


def _enter_key(container: Any, at: Any, key: str) -> list[tuple[Any, Any]]:
    return [(_object_at(container, at), key)]


def _enter_index(container: Any, at: Any, index: int) -> list[tuple[Any, Any]]:
    array = _array_at(container, at)
    return [(array, index)] if index < len(array) else []


def _enter_elements(container: Any, at: Any, _: None) -> list[tuple[Any, Any]]:
    array = _array_at(container, at)
    return [(array, index) for index in range(len(array))]


_ENTERED: dict[type, Callable[[Any, Any, Any], list[tuple[Any, Any]]]] = {
    str: _enter_key,
    int: _enter_index,
    type(None): _enter_elements,
}


def delete(payload: JsonObject, path: JsonPath) -> JsonObject:
    """Removes the values at `path`, in place; returns `payload`, which must be a fresh dict.

    A last step `[n]` removes nothing (that could not be repeated safely), a last `[]` empties the array.
    """
    *way, last = path.steps
    containers: list[Json] = [payload]
    for step in way:
        containers = _STEPPED[type(step)](containers, step)
    for container in containers:
        if isinstance(last, str) and type(container) is dict:
            container.pop(last, None)
        elif last is None and type(container) is list:
            container.clear()
    return payload


def select(payload: JsonObject, selector: PayloadSelector) -> JsonObject:
    """The part of a payload that a selector keeps, as a new object.

    Elements of arrays are addressed by `[]` only: an include path with `[n]` leaves an empty array.
    """
    if selector.include is not None:
        return _included(payload, _all_steps(selector.include))  # type: ignore[no-any-return]
    return _without(payload, _all_steps(selector.exclude or []))  # type: ignore[no-any-return]


def _all_steps(texts: Iterable[str]) -> list[Steps]:
    return [parse(text).steps for text in texts]


def _below(patterns: list[Steps], step: Step) -> list[Steps]:
    return [pattern[1:] for pattern in patterns if pattern and pattern[0] == step]


def _included(value: Json, patterns: list[Steps]) -> Json:
    if () in patterns:
        return value
    if type(value) is dict:
        inner = {key: _below(patterns, key) for key in value}
        return {key: _included(value[key], rest) for key, rest in inner.items() if rest}
    if type(value) is list:
        rest = _below(patterns, None)
        return [_included(element, rest) for element in value] if rest else []
    return value


def _without(value: Json, patterns: list[Steps]) -> Json:
    if type(value) is dict:
        inner = {key: _below(patterns, key) for key in value}
        return {key: _without(value[key], rest) for key, rest in inner.items() if () not in rest}
    if type(value) is list:
        rest = _below(patterns, None)
        return [] if () in rest else [_without(element, rest) for element in value]
    return value


_TOP_LEVEL = msgspec.json.Decoder(dict[str, msgspec.Raw])
_WHOLE = msgspec.json.Decoder(dict[str, Any])


def selection(selector: PayloadSelector) -> Callable[[bytes], bytes]:
    """A function from encoded payloads to the encoded part that the selector keeps.

    Where the selector names top-level keys only, the values pass through byte by byte. Raises MalformedBody.
    """
    paths = _all_steps(selector.include if selector.include is not None else selector.exclude or [])
    keys = {steps[0] for steps in paths}
    including = selector.include is not None
    if any(len(steps) > 1 for steps in paths):
        return lambda raw: msgspec.json.encode(select(_WHOLE.decode(raw), selector))

    def top_level(raw: bytes) -> bytes:
        parts = _TOP_LEVEL.decode(raw)
        return msgspec.json.encode({key: part for key, part in parts.items() if (key in keys) is including})

    return top_level
