"""What must an embedder be able to do, and how may its inputs be put into batches?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from qdlite.inference.inputs import DataKind, Mode
from qdlite.types import VectorArray

Item: TypeAlias = Any
"""A text (str) or a decoded image (PIL.Image.Image)."""


TOGETHER = 16
ALONE = 8
"""What a batch costs beside its tokens, measured in tokens, where threads share its work and where one does it all: the
weights are read, and threads that share meet after every step. About the same for all models."""


class BatchLimits(NamedTuple):
    """A batch has at most `items` inputs, and its longest input times their number is at most `tokens`.

    `even` allows only inputs of one length together, for models whose result depends on padding. The default
    is small because a query that arrives meanwhile waits for the running batch to end. `overhead` is what a batch
    costs beside its tokens, measured in tokens.
    """

    items: int = 32
    tokens: int = 1024
    even: bool = False
    overhead: int = TOGETHER


ONE_BY_ONE = BatchLimits(items=1)


class Prepared(NamedTuple):
    """Items as `embed` takes them, and the tokens of each: special tokens included, as cut to the context window;
    0 for images."""

    items: Sequence[Item]
    sizes: Sequence[int]


class Embedder(Protocol):
    """A loaded model. Only if it is `concurrent`, several batches may be embedded at once; otherwise the model's lane
    makes one call after another."""

    concurrent: bool

    def limits(self, kind: DataKind) -> BatchLimits: ...

    def prepare(self, items: Sequence[Item], kind: DataKind, mode: Mode) -> Prepared:
        """What can be done before the model is free."""

    def embed(self, items: Sequence[Item], kind: DataKind, mode: Mode) -> list[VectorArray]:
        """One batch, in order; queries (mode `search`) may be treated differently from passages."""
