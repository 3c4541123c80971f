"""What stands in for embedding models here? Texts are hashed word by word: no download, always the same vectors.

Every script of this folder is a program that takes a server's address:
`PYTHONPATH=.:server python -m tests.integrations.with_mem0 URL`.
"""

from __future__ import annotations

import hashlib
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

TEXTS = (
    "Recipe for baking chocolate chip cookies",
    "How to change a flat car tyre",
    "The stock market fell sharply today",
)
QUERY = "chocolate cookies recipe"
"""Shares words with the first text only."""


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _number(word: str) -> int:
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")


def dense(text: str, size: int = 384) -> list[float]:
    """A unit vector; texts that share words are near each other."""
    vector = [1e-3] * size
    for word in words(text):
        vector[_number(word) % size] += 1.0
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector]


def sparse(text: str) -> tuple[list[int], list[float]]:
    """Indices and values: how often each word occurs."""
    counted = Counter(map(_number, words(text)))
    return list(counted), [float(count) for count in counted.values()]


class _SparseEmbedding:
    def __init__(self, text: str) -> None:
        indices, values = sparse(text)
        self.indices, self.values = np.array(indices), np.array(values)

    def as_object(self) -> dict[str, Any]:
        return {"indices": self.indices, "values": self.values}


class SparseTextEmbedding:
    """Looks like fastembed's class of this name."""

    def __init__(self, model_name: str = "", **options: Any) -> None:
        self.model_name = model_name

    def embed(self, texts: str | Iterable[str], **options: Any) -> Iterator[_SparseEmbedding]:
        yield from map(_SparseEmbedding, [texts] if isinstance(texts, str) else texts)

    query_embed = passage_embed = embed


class TextEmbedding(SparseTextEmbedding):
    """Looks like fastembed's class of this name."""

    def embed(self, texts: str | Iterable[str], **options: Any) -> Iterator[Any]:
        for text in [texts] if isinstance(texts, str) else texts:
            yield np.array(dense(text), dtype=np.float32)

    query_embed = passage_embed = embed


def plug_in_fastembed() -> None:
    """From now on `import fastembed` gives the stand-ins. To be called once qdrant-client is loaded."""
    module = ModuleType("fastembed")
    module.__dict__.update(SparseTextEmbedding=SparseTextEmbedding, TextEmbedding=TextEmbedding)
    sys.modules["fastembed"] = module


def main(run: Callable[[str], None]) -> None:
    """Runs an integration against the server whose address is the argument."""
    run(sys.argv[1])
    print("ok")
