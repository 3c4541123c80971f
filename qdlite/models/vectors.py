"""How does a vector look on the wire? Dense, multi, sparse, and the inference objects that stand for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, TypeAlias, TypeVar, cast

import msgspec
from msgspec import Raw, UnsetType

from qdlite.models.base import OneOf, Problem, UInt, not_empty
from qdlite.models.checks import placeheld
from qdlite.models.decoding import decode_raw
from qdlite.types import Json, VectorArray

_NAMED_DENSE: msgspec.json.Decoder[dict[str, WireVector]] = msgspec.json.Decoder(dict[str, list[float]])

MAX_MULTIVECTOR_COMPONENTS = 1_048_576

_G = TypeVar("_G")


class VectorObject(OneOf, frozen=True, kw_only=True):
    """A sparse vector, or an inference object (`text`, `image` or `object`, with `model` and `options`)."""

    indices: list[UInt] | None = None
    values: list[float] | None = None
    text: str | None = None
    image: Json = None
    object: Json = None
    model: str | None = None
    options: dict[str, Json] | None = None

    variants: ClassVar = ("indices", "text", "image", "object")
    expected: ClassVar = "data did not match any variant of untagged enum VectorStruct"

    def __post_init__(self) -> None:
        needed = self.values if self.kind == "indices" else self.model
        if not self.kind or needed is None:
            raise ValueError(self.expected)
        if self.indices and max(self.indices) > 0xFFFFFFFF:
            raise ValueError("invalid value: sparse indices are unsigned 32-bit integers")

    @property
    def is_inference(self) -> bool:
        return self.kind != "indices"

    @property
    def inference_name(self) -> str:
        """What Qdrant calls the kind of an inference object in messages."""
        return {"text": "Document", "image": "Image"}.get(self.kind, "Object")

    def problems(self) -> Iterator[Problem]:
        if self.model == "":
            yield "model", cast(str, not_empty(self.model))
        if self.indices is None or self.values is None:
            return
        if len(self.indices) != len(self.values):
            yield "values", "Validation error: must be the same length as indices [{}]"
        if len(set(self.indices)) != len(self.indices):
            yield "indices", "Validation error: must be unique [{}]"


WireVector: TypeAlias = "list[float] | list[list[float]] | VectorObject | VectorArray"
"""One vector value: dense, multi, sparse, or an inference object. Who calls the engine from Python may also give
arrays."""


def narrow(raw: Raw) -> WireVector:
    """Decodes one vector value by its first bytes. Raises MalformedBody."""
    text = bytes(raw)
    if text[:1] != b"[":
        return decode_raw(text, VectorObject)  # type: ignore[no-any-return]
    multi = text[1:].lstrip()[:1] == b"["
    return decode_raw(text, list[list[float]] if multi else list[float])  # type: ignore[no-any-return]


def given_vectors(vector: _G | UnsetType, vectors: _G | UnsetType) -> _G:
    """What a point has for its vectors, under either name of the field. Raises ValueError if it has none."""
    given = vectors if isinstance(vector, UnsetType) else vector
    if isinstance(given, UnsetType):
        raise ValueError("missing field `vector`")
    return given


def narrow_struct(raw: Raw) -> dict[str, WireVector]:
    """Decodes a point's `vector`: a bare value (under the name "") or a map of names to values.

    An object is a map of names if every value parses as a vector; otherwise it must be an inference object. The
    deciding test is whether it has a `model` that is a string, which no vector value is.
    """
    text = bytes(raw)
    if text[:1] == b"[":
        return {"": narrow(raw)}
    if text.find(b"{", 1) < 0 and (dense := _named_dense(text)) is not None:
        return dense
    parts: dict[str, Raw] = decode_raw(text, dict[str, Raw])
    model = parts.get("model")
    if model is not None and bytes(model)[:1] == b'"':
        return {"": decode_raw(text, VectorObject)}
    return {name: narrow(part) for name, part in parts.items()}


def _named_dense(text: bytes) -> dict[str, WireVector] | None:
    """The usual case in one pass: every value is a plain list of numbers. None if it is anything else."""
    try:
        return _NAMED_DENSE.decode(text)
    except msgspec.MsgspecError:
        return None


def vector_problems(vector: Any) -> Iterator[Problem]:
    """What breaks a rule in one vector value to store: emptiness, raggedness, size, sparse consistency."""
    if isinstance(vector, VectorObject):
        if not vector.is_inference:  # Qdrant leaves what stands for a vector to the inference
            yield from vector.problems()
    elif not len(vector):
        yield "vector", "dense vector must not be empty"
    else:
        yield from multivector_problems(vector)


def point_problems(vectors: dict[str, WireVector]) -> Iterator[Problem]:
    """Problems of a point's vectors. Qdrant shows a lone unnamed vector without a placeholder for its name."""
    if vectors.keys() == {""}:
        for where, message in vector_problems(vectors[""]):
            yield f"vector.{where}", message
    else:
        yield from placeheld(map(vector_problems, vectors.values()), "vector")


def multivector_problems(vector: Any) -> Iterator[Problem]:
    """What breaks a rule in a list of lists; nothing for a dense vector."""
    if isinstance(vector, list) and vector and isinstance(vector[0], list):
        problem = _multivector_problem(vector)
        if problem:
            yield "data", problem


def _multivector_problem(rows: list[list[float]]) -> str | None:
    if any(not row for row in rows):
        return "all vectors must be non-empty"
    total = sum(map(len, rows))
    if total >= MAX_MULTIVECTOR_COMPONENTS:
        return f"Total size of all vectors ({total}) must be less than {MAX_MULTIVECTOR_COMPONENTS}"
    other = next((len(row) for row in rows if len(row) != len(rows[0])), None)
    if other is not None:
        return f"all vectors must have the same dimension, found vector with dimension {other}"
    return None
