"""What must an engine be able to do to be measured?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

from benchmarks.data import Condition, Floats
from benchmarks.sparse_data import Integers

M = 16
EF_CONSTRUCT = 100
FIELDS = {"category": "keyword", "area": "keyword", "price": "float"}
"""Payload fields that every engine may index, with Qdrant's name of the type."""


class NotOffered(Exception):
    """The engine cannot do this; its cell in the table stays empty."""


@dataclass(frozen=True)
class Chunk:
    """Points to be stored: numpy rows, payload dicts and sparse vectors, as a program would have them."""

    ids: list[int]
    vectors: Floats | None
    payloads: list[dict[str, Any]] | None
    sparse: list[tuple[Integers, Floats]] | None = None


@dataclass(frozen=True)
class Layout:
    """What the collection holds: a dense vector of `size` components (0: none), a sparse one."""

    size: int
    sparse: bool = False
    index_payload: bool = True


class Engine(ABC):
    """One collection of one engine. Ids are numbers, scores are not returned. What `query`, `terms`, `points` and
    `condition` return is in the engine's own form, so that conversions of inputs are not measured with searches."""

    name: ClassVar[str]
    package: ClassVar[str]
    batch: ClassVar[int] = 1000
    efs: ClassVar[tuple[int, ...]] = (32, 48, 64, 72, 80, 96, 112, 128, 160)
    """Widths of the graph search to try; the narrowest that reaches the wanted recall counts."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    @classmethod
    def installed(cls) -> str | None:
        """Its version, or None."""
        try:
            return version(cls.package)
        except PackageNotFoundError:
            return None

    @abstractmethod
    def create(self, layout: Layout) -> None:
        """Make the empty collection."""

    @abstractmethod
    def points(self, chunk: Chunk) -> Any:
        """A chunk as `upsert` takes it; counted as part of loading."""

    @abstractmethod
    def upsert(self, points: Any) -> None: ...

    @abstractmethod
    def finish(self) -> None:
        """Return when every index is ready."""

    def settle(self) -> None:
        """Return when the engine has nothing left to do in the background. Most have nothing of the kind."""
        return

    def query(self, vector: Floats) -> Any:
        """A dense query in the form that the engine takes soonest."""
        return vector.tolist()

    def terms(self, indices: Integers, values: Floats) -> Any:
        return indices.tolist(), values.tolist()

    def condition(self, condition: Condition) -> Any:
        raise NotOffered

    def nearest(
        self, query: Any, top: int, ef: int | None = None, exact: bool = False, condition: Any = None
    ) -> list[int]:
        raise NotOffered

    def sparse(self, terms: Any, top: int) -> list[int]:
        raise NotOffered

    def hybrid(self, query: Any, terms: Any, top: int) -> list[int]:
        """Reciprocal rank fusion of 100 dense and 100 sparse candidates."""
        raise NotOffered

    def retrieve(self, point: int) -> Any:
        raise NotOffered

    def scroll(self, condition: Any, limit: int) -> Sequence[Any]:
        raise NotOffered

    def count(self, condition: Any) -> int:
        raise NotOffered

    def set_payload(self, point: int, payload: dict[str, Any]) -> None:
        raise NotOffered

    def delete(self, points: list[int]) -> None:
        raise NotOffered

    @abstractmethod
    def close(self) -> None:
        """End threads and let go of files."""
