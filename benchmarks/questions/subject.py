"""What does a question get to work with?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.data import Data
from benchmarks.engines.base import Chunk, Engine, Layout
from benchmarks.sparse_data import Integers
from benchmarks.timing import Effort, Metrics

RECALL = 0.99
"""Searches with an index are compared at this share of the true neighbours."""


@dataclass(frozen=True)
class Subject:
    """An engine, the data it is to hold or holds already, and how much effort a case is worth."""

    engine: Engine
    data: Data
    effort: Effort

    def chunks(self, stop: int | None = None) -> Iterator[Chunk]:
        """All points in batches of the engine's favourite size."""
        points = stop or self.data.shape.points
        for start in range(0, points, self.engine.batch):
            yield self.chunk(start, min(start + self.engine.batch, points))

    def chunk(self, start: int, stop: int) -> Chunk:
        rows = range(start, stop)
        shape = self.data.shape
        sparse = None
        if shape.sparse:
            documents = self.data.sparse()
            sparse = [documents.document(row) for row in rows]
        payloads = [self.data.payload(row) for row in rows]
        return Chunk(list(rows), self.data.vectors(start, stop), payloads, sparse)

    @property
    def layout(self) -> Layout:
        return Layout(self.data.shape.size, self.data.shape.sparse)

    def load(self) -> None:
        """Stores everything and waits for the indexes."""
        self.engine.create(self.layout)
        for chunk in self.chunks():
            self.engine.upsert(self.engine.points(chunk))
        self.engine.finish()


Case: TypeAlias = "tuple[str, Metrics]"
Question: TypeAlias = Callable[[Subject], Iterator[Case]]
"""Yields cases with what was measured. Raises or lets raise `NotOffered` where an engine cannot take part."""


def recall(answers: list[list[int]], truth: Integers) -> float:
    """Share of the true neighbours that were found; -1 in the truth stands for none."""
    wanted = [set(row[row >= 0].tolist()) for row in truth[: len(answers)]]
    found = sum(len(true & set(answer)) for true, answer in zip(wanted, answers, strict=True))
    return found / max(1, sum(map(len, wanted)))
