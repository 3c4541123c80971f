"""How near are the points of a random sample to each other?"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from qdlite.errors import WrongInput
from qdlite.models.matrix import SearchMatrixRequest
from qdlite.queries.masks import both, held
from qdlite.queries.ordering import best
from qdlite.queries.scoring.sample import sample
from qdlite.queries.view import PointView
from qdlite.types import FloatArray, OffsetArray
from qdlite.vectors.distance import descending, shown
from qdlite.vectors.index import SearchParams, VectorIndex

DEFAULT_SAMPLE = 10
DEFAULT_LIMIT = 3


class Matrix(Struct, frozen=True):
    """Nearest neighbours within a sample: `offsets` of the sample in id order; for each pair the position of the
    point (`rows`) and of its neighbour (`columns`) in the sample, and the shown score; row by row, best first."""

    offsets: OffsetArray
    rows: OffsetArray
    columns: OffsetArray
    scores: FloatArray


def distance_matrix(request: SearchMatrixRequest, view: PointView) -> Matrix:
    """Raises WrongInput for a vector that the collection does not have."""
    using = request.using or ""
    _check_name(using, view.vector_names())
    index, distance = view.vector(using), view.traits(using).distance
    offsets = _sampled(request, view, index)
    if len(offsets) < 2:
        return _matrix(np.empty(0, np.intp), [], [])
    limit = DEFAULT_LIMIT if request.limit is None else request.limit
    place = {offset: position for position, offset in enumerate(offsets.tolist())}
    columns: list[OffsetArray] = []
    scores: list[FloatArray] = []
    with np.errstate(all="ignore"):
        for position in range(len(offsets)):
            others, similarities = _neighbours(index, offsets, position)
            hits = best(view, offsets[others], shown(distance, similarities), limit, descending(distance))
            columns.append(np.array([place[offset] for offset in hits.offsets.tolist()], np.intp))
            scores.append(hits.scores)
    return _matrix(offsets, columns, scores)


def _sampled(request: SearchMatrixRequest, view: PointView, index: VectorIndex) -> OffsetArray:
    candidates = np.flatnonzero(both(index.present, view.mask(request.filter, ())))
    size = DEFAULT_SAMPLE if request.sample is None else request.sample
    chosen = np.zeros(len(view.alive), np.bool_)
    chosen[sample(candidates, size, view.rng)] = True
    in_order = view.sorted_offsets()
    return in_order[held(chosen, in_order)]


def _neighbours(index: VectorIndex, offsets: OffsetArray, position: int) -> tuple[OffsetArray, FloatArray]:
    """Positions of all other points that can be a result for this one, and their internal similarities."""
    vector = index.get(int(offsets[position]))
    assert vector is not None
    query = index.prepare_query(vector)
    possible = index.shares(query, offsets)
    possible[position] = False
    others = np.flatnonzero(possible)
    similarities: FloatArray = index.similarities([index.weighted(query, SearchParams())], offsets[others])[0]
    return others, similarities


def _matrix(offsets: OffsetArray, columns: list[OffsetArray], scores: list[FloatArray]) -> Matrix:
    rows = np.repeat(np.arange(len(columns)), [len(row) for row in columns])
    if not columns:
        return Matrix(offsets, rows.astype(np.intp), np.empty(0, np.intp), np.empty(0, np.float32))
    return Matrix(offsets, rows, np.concatenate(columns), np.concatenate(scores))


def _check_name(using: str, names: list[str]) -> None:
    if using in names:
        return
    if not names:
        raise WrongInput("Vectors are not configured in this collection")
    available = ", ".join(sorted(names))
    if not using:
        raise WrongInput(f"Collection requires specified vector name in the request, available names: {available}")
    if names == [""]:
        raise WrongInput(f"Vector with name {using} is not configured in this collection")
    raise WrongInput(f"Vector with name `{using}` is not configured in this collection, available names: {available}")
