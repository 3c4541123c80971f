"""How many tokens does a request take from a rate limiter?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from qdlite.collection.limits.estimate import estimated_count
from qdlite.collection.limits.filters import condition_count
from qdlite.collection.view import CollectionView
from qdlite.models.filters import Filter
from qdlite.models.points import UpsertPoints
from qdlite.models.updates import Update, UpdateVectors
from qdlite.queries.collect import Request, inputs
from qdlite.queries.collect import requests as every_part
from qdlite.queries.steps import Compare, Mmr, Nearest, Operation, Step
from qdlite.types import PointId, SparseArray, VectorArray

BASE_COST = 1
_SPARSE_UNIT = 64
"""So many indices of a sparse vector cost as much as one dense vector."""


def filter_cost(condition: Filter | None) -> int:
    return 0 if condition is None else condition_count(condition)


def read_cost(condition: Filter | None) -> int:
    """A scroll, count or facet."""
    return BASE_COST + filter_cost(condition)


def query_cost(steps: Iterable[Step]) -> int:
    """Queries of one request: each search that works on all points costs its vectors and its conditions. Whatever
    works on the results of others is free."""
    return sum(_leaf_cost(leaf) for step in steps for leaf in _leaves(step))


def groups_cost(step: Step) -> int:
    """A grouped query: one round, in which each search has the condition that the field is not empty. Qdrant takes
    more for each further round that it needs."""
    return sum(_leaf_cost(leaf) + 1 for leaf in _leaves(step))


def matrix_cost(condition: Filter | None, rows: int) -> int:
    """A sample among the points that have the vector, and for each of its `rows` a search among them, which counts
    as one dense vector with one condition."""
    return read_cost(condition) + 1 + 2 * rows


def example_ids(requests: Iterable[Request], collection: str) -> dict[str, set[PointId]]:
    """Ids of stored points whose vectors the queries of a request need, by the name of their collection. Qdrant
    retrieves them, which costs a token for each."""
    found: dict[str, set[PointId]] = {}
    for part in chain.from_iterable(map(every_part, requests)):
        source = collection if part.lookup_from is None else part.lookup_from.collection
        ids = [given for given in inputs(part) if isinstance(given, (int, str))]
        if ids:
            found.setdefault(source, set()).update(ids)
    return found


def write_cost(body: Update, view: CollectionView) -> int:
    """Number of points that the update names, or that its filter probably matches; at least 1."""
    if isinstance(body, UpsertPoints):
        return max(1, body.count)
    if isinstance(body, UpdateVectors):
        return max(1, len(body.points))
    if body.points is not None:
        return max(1, len(body.points))
    return 1 if body.filter is None else max(1, estimated_count(body.filter, view))


def _leaves(step: Step) -> Iterator[Step]:
    if not step.sources:
        yield step
    for source in step.sources:
        yield from _leaves(source)


def _leaf_cost(step: Step) -> int:
    conditions = sum(map(condition_count, step.scope.filters)) + bool(step.scope.excluded)
    return sum(map(_vector_cost, _compared(step.operation))) + conditions


def _compared(operation: Operation) -> Sequence[VectorArray | None]:
    """The vectors that a search compares points with; None stands for a read of points without any."""
    if isinstance(operation, Compare):
        return operation.vectors
    nearest = operation.nearest if isinstance(operation, Mmr) else operation
    return (nearest.vector if isinstance(nearest, Nearest) else None,)


def _vector_cost(vector: VectorArray | None) -> int:
    if vector is None:
        return BASE_COST
    if isinstance(vector, SparseArray):
        return -(-len(vector.indices) // _SPARSE_UNIT)
    return len(vector) if np.ndim(vector) == 2 else 1
