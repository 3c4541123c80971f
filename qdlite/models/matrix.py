"""Which bodies ask for a distance matrix, and how is one shown?"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from qdlite.models.base import Model, UInt, at_least
from qdlite.models.common import ShardKeys
from qdlite.models.filters import Filter
from qdlite.types import PointId


class SearchMatrixRequest(Model, frozen=True, kw_only=True):
    sample: UInt | None = None
    limit: UInt | None = None
    filter: Filter | None = None
    using: str | None = None
    shard_key: ShardKeys | None = None

    rules: ClassVar = {"sample": at_least(2), "limit": at_least(1)}
    path_prefix: ClassVar = "search_request"


class MatrixPair(Struct, frozen=True, kw_only=True):
    """Two points of the sample and their score."""

    a: PointId
    b: PointId
    score: float


class MatrixPairs(Struct, frozen=True, kw_only=True):
    pairs: list[MatrixPair]


class MatrixOffsets(Struct, frozen=True, kw_only=True):
    """The same in coordinate form: positions in `ids` and a score each."""

    offsets_row: list[int]
    offsets_col: list[int]
    scores: list[float]
    ids: list[PointId]
