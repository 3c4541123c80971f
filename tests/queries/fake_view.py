"""A collection small enough to hold in the head: a `PointView` over plain Python points and real vector indexes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdlite.errors import WrongInput, unknown_vector
from qdlite.models.arrays import to_array
from qdlite.models.filters import Condition, Filter, many
from qdlite.models.vectors import VectorObject
from qdlite.queries.view import PointView, VectorTraits
from qdlite.types import BoolArray, FloatArray, Json, Offset, OffsetArray, PointId, VectorArray
from qdlite.vectors.create import create_index
from qdlite.vectors.index import VectorIndex

Vectors = Mapping[str, Any]


@dataclass(frozen=True)
class FakePoint:
    id: PointId
    vectors: Vectors
    payload: Mapping[str, Json] = field(default_factory=dict)


class FakeFields:
    """Payload values by top-level key; every key counts as indexed."""

    def __init__(self, points: Sequence[FakePoint]) -> None:
        self._points = points

    def order_values(self, key: str) -> tuple[OffsetArray, NDArray[Any]]:
        pairs = [(offset, value) for offset in range(len(self._points)) for value in self._listed(key, offset)]
        numbers = [(offset, value) for offset, value in pairs if isinstance(value, (int, float))]
        if key == "unindexed":
            raise WrongInput("No range index for `order_by` key: `unindexed`.")
        return np.array([offset for offset, _ in numbers], np.intp), np.array([value for _, value in numbers])

    def values(self, path: str, offsets: OffsetArray) -> Sequence[Sequence[Json]]:
        return [self._listed(path, offset) for offset in offsets.tolist()]

    def groups(self, path: str) -> tuple[OffsetArray, NDArray[np.int64], Sequence[str | int]]:
        pairs = [
            (offset, value)
            for offset in range(len(self._points))
            for value in dict.fromkeys(self._listed(path, offset))
            if isinstance(value, (str, int))
        ]
        ids = list(dict.fromkeys(value for _, value in pairs))
        codes = np.array([ids.index(value) for _, value in pairs], np.int64)
        return np.array([offset for offset, _ in pairs], np.intp), codes, ids

    def text_scores(
        self, name: str, query: str, k: float, b: float, corpus: BoolArray | None
    ) -> tuple[OffsetArray, FloatArray]:
        """The number of words in common, for want of statistics; only within the corpus."""
        wanted = set(query.split())
        scores = np.array(
            [len(wanted & set(str(point.payload.get(name)).split())) for point in self._points], np.float32
        )
        offsets = np.flatnonzero(scores if corpus is None else (scores > 0) & corpus)
        return offsets, scores[offsets]

    def _listed(self, key: str, offset: int) -> list[Json]:
        payload = self._points[offset].payload
        if key not in payload:
            return []
        return payload[key] if isinstance(payload[key], list) else [payload[key]]


class FakeView:
    """Offsets are positions in `points`; filters know `has_id` and `match.value`."""

    def __init__(self, points: Sequence[FakePoint], traits: Mapping[str, VectorTraits], name: str = "fake") -> None:
        self.points = points
        self.name = name
        self.count = len(points)
        self.alive = np.ones(len(points), np.bool_)
        self.fields = FakeFields(points)
        self.rng = np.random.default_rng(7)
        self.masks_asked = 0
        self._traits = traits
        self._indexes = {vector: self._index(vector) for vector in traits}

    def vector(self, name: str) -> VectorIndex:
        if name not in self._indexes:
            raise unknown_vector(name)
        return self._indexes[name]

    def traits(self, name: str) -> VectorTraits:
        if name not in self._traits:
            raise unknown_vector(name)
        return self._traits[name]

    def vector_names(self) -> list[str]:
        return list(self._traits)

    def mask(self, filter: Filter | None, excluded: Collection[PointId]) -> BoolArray | None:
        self.masks_asked += 1
        if filter is None and not excluded:
            return None
        matches = [filter is None or _matches(filter, point) for point in self.points]
        return np.array([ok and p.id not in excluded for ok, p in zip(matches, self.points, strict=True)], np.bool_)

    def offset_of(self, point_id: PointId) -> Offset | None:
        return next((offset for offset, point in enumerate(self.points) if point.id == point_id), None)

    def ids(self, offsets: Iterable[Offset]) -> list[PointId]:
        return [self.points[offset].id for offset in offsets]

    def sorted_offsets(self) -> OffsetArray:
        keys = [(isinstance(point.id, str), point.id) for point in self.points]
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.intp)

    def _index(self, name: str) -> VectorIndex:
        traits = self._traits[name]
        held = [offset for offset, point in enumerate(self.points) if name in point.vectors]
        vectors = [_array(self.points[offset].vectors[name]) for offset in held]
        index = _created(traits, vectors)
        if held:
            index.put(np.array(held, np.intp), index.prepare_batch(vectors))
        return index


def _created(traits: VectorTraits, vectors: Sequence[VectorArray]) -> VectorIndex:
    if traits.kind == "sparse":
        return create_index("sparse", modifier="idf" if traits.idf else "none")
    size = np.shape(vectors[0])[-1] if vectors else 2
    return create_index(traits.kind, size=size, distance=traits.distance)


def _array(given: Any) -> VectorArray:
    if isinstance(given, dict):
        return to_array(VectorObject(indices=list(given), values=list(given.values())))
    return to_array(given)


def _matches(filter: Filter, point: FakePoint) -> bool:
    required = all(_holds(condition, point) for condition in many(filter.must))
    return required and not any(_holds(condition, point) for condition in many(filter.must_not))


def _holds(condition: Condition, point: FakePoint) -> bool:
    if condition.has_id is not None:
        return point.id in condition.has_id
    assert condition.key is not None and condition.match is not None
    return point.payload.get(condition.key) == condition.match.value


def refuse(_: Any) -> Any:
    raise AssertionError("nothing to resolve or to look up here")


def as_view(view: FakeView) -> PointView:
    """The fake is what queries expect, as far as a type checker can tell."""
    return view
