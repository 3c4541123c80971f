"""What goes into inference, and what comes out?"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import msgspec

from qdlite.errors import Timeout
from qdlite.inference.cancellation import Cancellation
from qdlite.types import Json, VectorArray

DataKind = Literal["text", "image", "object"]
Mode = Literal["update", "search"]

_encode = msgspec.json.Encoder(order="deterministic").encode


def canonical(value: Json) -> bytes:
    """One byte string per JSON value: the order of keys does not matter, 1 and 1.0 and true differ."""
    return _encode(value)


@dataclass(frozen=True, eq=False)
class InferenceInput:
    """One Document, Image or InferenceObject. Equal inputs are embedded once.

    Inputs are equal when kind, data, model and options are; absent options differ from empty ones.
    """

    data: Json
    kind: DataKind
    model: str
    options: Mapping[str, Json] | None = None

    @cached_property
    def data_key(self) -> Hashable:
        return self.data if type(self.data) is str else canonical(self.data)

    @cached_property
    def key(self) -> Hashable:
        """Equal for equal inputs, and only for them."""
        options = None if self.options is None else canonical(dict(self.options))
        return self.kind, self.data_key, self.model, options

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InferenceInput) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True)
class Call:
    """What all inputs of one request share. Header names are lower-case; `deadline` is monotonic time."""

    mode: Mode
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    deadline: float | None = None
    cancellation: Cancellation = field(default_factory=Cancellation)

    @classmethod
    def start(
        cls,
        mode: Mode,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> Call:
        deadline = None if timeout is None else time.monotonic() + min(timeout, threading.TIMEOUT_MAX)
        named = {name.lower(): value for name, value in (headers or {}).items()}
        return cls(mode, named, deadline, cancellation or Cancellation())

    def remaining(self, at_most: float | None = None) -> float | None:
        """Seconds left, not more than `at_most`; None is without limit. Raises Timeout when none are left, and
        Cancelled when the client has left."""
        self.cancellation.check()
        if self.deadline is None:
            return at_most
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Timeout("Inference did not finish within the request's timeout, or the server's if it names none")
        return left if at_most is None else min(left, at_most)


class Embedded(NamedTuple):
    """The vectors of one group of inputs, in order, and the tokens read for them, by model name."""

    vectors: list[VectorArray]
    usage: dict[str, int]


class InferenceResult(NamedTuple):
    """`embeddings[i]` answers input i. `usage`: tokens by model name as given; BM25 is never counted."""

    embeddings: list[VectorArray]
    usage: dict[str, int]
