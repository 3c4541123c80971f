"""What differs between the providers: a table entry each, in data and two small functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from qdlite.inference.inputs import DataKind, Mode
from qdlite.inference.replies import vector_of
from qdlite.types import Json, VectorArray


class Prepared(NamedTuple):
    """An input ready to be sent: text, or for images an http(s) URL or data URL."""

    kind: DataKind
    data: str


class Ask(NamedTuple):
    """One call to make: `model` is the provider's own name, `options` are passed on."""

    model: str
    inputs: Sequence[Prepared]
    mode: Mode
    options: Mapping[str, Json]


class Told(NamedTuple):
    """What an answer says: a vector for each input, in order, and the tokens billed."""

    vectors: list[VectorArray]
    tokens: int


class CallLimits(NamedTuple):
    """Of one call: number of inputs, and UTF-8 bytes of all inputs together."""

    inputs: int
    size: int


@dataclass(frozen=True)
class Provider:
    """One provider. `prefix` is the model name's first part, `key_name` the header or option with the key."""

    prefix: str
    title: str
    key_name: str
    environment: tuple[str, ...]
    base_url: str
    path: str
    accepts: tuple[DataKind, ...]
    body: Callable[[Ask], dict[str, Any]]
    read: Callable[[Json], Told]
    limits: Callable[[str, DataKind], CallLimits]
    image_urls: bool = True
    """Whether images may be named by URL; otherwise qdlite fetches them."""


def read_data_list(answer: Json) -> Told:
    """An answer in OpenAI's form: `data` with `index` and `embedding` (or `embeddings`), and `usage`."""
    rows = sorted(answer["data"], key=lambda row: row["index"])
    if [row["index"] for row in rows] != list(range(len(rows))):
        raise ValueError("the indices of the embeddings are not 0, 1, 2, ...")
    vectors = [vector_of(row["embedding"] if "embedding" in row else row["embeddings"]) for row in rows]
    usage = answer.get("usage") or {}
    return Told(vectors, int(usage.get("total_tokens") or usage.get("prompt_tokens") or 0))
