"""How is a plan carried out? On arrays of offsets and scores to the end, step by step from the leaves up.

The caller holds the collection's read lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from qdlite import queries
from qdlite.models.filters import Filter
from qdlite.queries.masks import both, held
from qdlite.queries.ordering import best, leading, order, settle
from qdlite.queries.steps import (
    ByField,
    ById,
    Compare,
    Dbsf,
    Formula,
    Mmr,
    Nearest,
    Plan,
    Rrf,
    Sample,
    Scope,
    Step,
    Text,
    Tuning,
)
from qdlite.queries.view import PointView
from qdlite.types import BoolArray, Distance, FloatArray, Hits, OffsetArray, VectorArray
from qdlite.vectors.distance import descending, passes, shown
from qdlite.vectors.index import SearchParams, VectorIndex


class Ranked(Struct, frozen=True):
    """Results, best first: offsets (intp), shown scores (float32) and, after an `order_by`, the values by which
    they were ordered (int64 or float64; object with None where lists were fused)."""

    offsets: OffsetArray
    scores: FloatArray
    order_values: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.offsets)

    def part(self, selection: slice | OffsetArray | BoolArray) -> Ranked:
        values = self.order_values
        return Ranked(self.offsets[selection], self.scores[selection], None if values is None else values[selection])


def execute(plan: Plan, view: PointView) -> Ranked:
    """The results of a query. Raises WrongInput for what only the data tell: a formula that cannot be computed, a
    field without the index that an order or a text query needs."""
    ranked = run(plan.root, view)
    if plan.offset or len(ranked.offsets) > plan.limit:
        return ranked.part(slice(plan.offset, plan.offset + plan.limit))
    return ranked


def run(step: Step, view: PointView) -> Ranked:
    """The results of one step and all below it."""
    with np.errstate(all="ignore"):
        return _Run(view).step(step)


class _Run:
    """One execution; remembers the masks it has asked for."""

    def __init__(self, view: PointView) -> None:
        self.view = view
        self._masks: dict[int, tuple[Scope, BoolArray | None]] = {}

    def step(self, step: Step) -> Ranked:
        sources = [self.step(source) for source in step.sources]
        return _EXECUTORS[type(step.operation)](self, step, step.operation, sources)

    def mask(self, scope: Scope) -> BoolArray | None:
        """Points that a scope admits; None: all. Not to be written to."""
        if not scope.filters and not scope.excluded:
            return scope.within
        known = self._masks.get(id(scope))
        if known is None:
            known = self._masks[id(scope)] = scope, self._mask(scope)
        return known[1]

    def _mask(self, scope: Scope) -> BoolArray | None:
        if len(scope.filters) == 1 and scope.within is None:
            return self.view.mask(scope.filters[0], scope.excluded)
        first = scope.filters[0] if scope.filters else None
        found: BoolArray | None = both(scope.within, self.view.mask(first, scope.excluded))
        for further in scope.filters[1:]:
            found = both(found, self.view.mask(further, ()))
        return found

    def candidates(self, step: Step, sources: Sequence[Ranked], present: BoolArray) -> OffsetArray:
        """Offsets on which a step works, as far as they are `present`: all of its scope, or those of its sources."""
        if step.sources:
            offsets = union(sources)
            return offsets[held(present, offsets)]
        mask = self.mask(step.scope)
        return np.flatnonzero(present if mask is None else both(present, mask))

    def params(self, tuning: Tuning) -> SearchParams:
        if tuning.corpus is None:
            return tuning.params
        given = tuning.params
        return SearchParams(given.hnsw_ef, given.exact, given.indexed_only, self.corpus(tuning.corpus))

    def corpus(self, filter: Filter) -> BoolArray:
        mask = self.view.mask(filter, ())
        return self.view.alive if mask is None else mask

    def similarities(self, index: VectorIndex, operation: Nearest | Compare, offsets: OffsetArray) -> FloatArray:
        """Internal similarity of each of the operation's vectors to the points: (vectors, points)."""
        params = self.params(operation.tuning)
        given = (operation.vector,) if isinstance(operation, Nearest) else operation.vectors
        if not given:
            return np.zeros((0, len(offsets)), np.float32)
        return index.similarities([index.weighted(vector, params) for vector in given], offsets)


def ranked(view: PointView, hits: Hits, using: str, threshold: float | None) -> Ranked:
    """What a search found in the named vector, as clients see it."""
    distance = view.traits(using).distance
    scores = shown(distance, hits.scores)
    if hits.tied or scores is not hits.scores:  # roots of different numbers may be equal
        hits = settle(view, Hits(hits.offsets, scores), descending(distance))
    return _passing(Ranked(hits.offsets, hits.scores), threshold, distance)


def union(sources: Sequence[Ranked]) -> OffsetArray:
    """Offsets in any of the sources, ascending, each once."""
    return np.unique(np.concatenate([source.offsets for source in sources]))


def _above(ranked: Ranked, threshold: float | None) -> Ranked:
    """Cut before the first score below the threshold."""
    if threshold is None:
        return ranked
    return _until(ranked, ranked.scores >= np.float32(threshold))


def _passing(ranked: Ranked, threshold: float | None, distance: Distance) -> Ranked:
    """Cut before the first score that is not better than the threshold in the order of the distance; Qdrant
    applies that order even to custom scores, of which larger ones are better."""
    if threshold is None:
        return ranked
    return _until(ranked, passes(distance, ranked.scores, threshold))


def _until(ranked: Ranked, passed: BoolArray) -> Ranked:
    return ranked if passed.all() else ranked.part(slice(int(np.argmin(passed))))


def _nearest(run: _Run, step: Step, operation: Nearest, sources: Sequence[Ranked]) -> Ranked:
    index = run.view.vector(operation.using)
    if step.sources:
        hits = _rescored(run, step, operation, sources, index)
    else:
        hits = index.search(operation.vector, step.limit, run.mask(step.scope), run.params(operation.tuning))
    return ranked(run.view, hits, operation.using, step.threshold)


def _rescored(run: _Run, step: Step, operation: Nearest, sources: Sequence[Ranked], index: VectorIndex) -> Hits:
    offsets = run.candidates(step, sources, index.present)
    offsets = offsets[index.shares(operation.vector, offsets)]
    return best(run.view, offsets, run.similarities(index, operation, offsets)[0], step.limit)


def _compare(run: _Run, step: Step, operation: Compare, sources: Sequence[Ranked]) -> Ranked:
    index = run.view.vector(operation.using)
    offsets = run.candidates(step, sources, index.present)
    scores = operation.scoring(run.similarities(index, operation, offsets))
    hits = best(run.view, offsets, scores, step.limit)
    return _passing(Ranked(hits.offsets, hits.scores), step.threshold, run.view.traits(operation.using).distance)


def _text(run: _Run, step: Step, operation: Text, sources: Sequence[Ranked]) -> Ranked:
    corpus = None if operation.corpus is None else run.corpus(operation.corpus)
    offsets, scores = run.view.fields.text_scores(operation.field, operation.query, operation.k, operation.b, corpus)
    mask = run.mask(step.scope)
    if mask is not None:
        kept = held(mask, offsets)
        offsets, scores = offsets[kept], scores[kept]
    hits = best(run.view, offsets, scores, step.limit)
    return _passing(Ranked(hits.offsets, hits.scores), step.threshold, "Dot")


def _by_id(run: _Run, step: Step, operation: ById, sources: Sequence[Ranked]) -> Ranked:
    offsets = run.view.sorted_offsets()
    mask = run.mask(step.scope)
    if mask is not None:
        offsets = offsets[held(mask, offsets)]
    return _all_equal(offsets[: step.limit])


def _by_field(run: _Run, step: Step, operation: ByField, sources: Sequence[Ranked]) -> Ranked:
    rows, values = run.view.fields.order_values(operation.key)
    offsets = rows.astype(np.intp, copy=False)
    kept = _admitted(run, step, sources, offsets)
    reached = queries.from_start(values, operation.start_from, operation.descending)
    wanted = both(kept, reached)
    if wanted is not None:
        offsets, values = offsets[wanted], values[wanted]
    positions = order(run.view, offsets, values, operation.descending)[: step.limit]
    offsets = offsets[positions]
    ranked = Ranked(offsets, np.ones(len(offsets), np.float32), values[positions])
    return ranked.part(queries.without_repeats(offsets)) if operation.merged else ranked


def _admitted(run: _Run, step: Step, sources: Sequence[Ranked], offsets: OffsetArray) -> BoolArray | None:
    """Which of the offsets a step works on; None: all."""
    if step.sources:
        return np.isin(offsets, union(sources))
    mask = run.mask(step.scope)
    return None if mask is None else held(mask, offsets)


def _sample(run: _Run, step: Step, operation: Sample, sources: Sequence[Ranked]) -> Ranked:
    return _all_equal(queries.sample(run.candidates(step, sources, run.view.alive), step.limit, run.view.rng))


def _all_equal(offsets: OffsetArray) -> Ranked:
    return Ranked(offsets, np.ones(len(offsets), np.float32))


def _rrf(run: _Run, step: Step, operation: Rrf, sources: Sequence[Ranked]) -> Ranked:
    fused = queries.rrf([source.offsets for source in sources], operation.k, operation.weights)
    values = _first_values(fused.offsets, sources)
    return _above(_fused(run, step, fused, values, fused.scores), step.threshold)


def _dbsf(run: _Run, step: Step, operation: Dbsf, sources: Sequence[Ranked]) -> Ranked:
    fused = queries.dbsf([Hits(source.offsets, source.scores) for source in sources])
    values = _first_values(fused.offsets, sources)
    return _above(_fused(run, step, fused, values, _keys(fused, values)), step.threshold)


def _fused(run: _Run, step: Step, fused: Hits, values: NDArray[Any] | None, keys: NDArray[Any]) -> Ranked:
    positions = leading(run.view, fused.offsets, keys, step.limit, True)
    return Ranked(fused.offsets, fused.scores, values).part(positions)


def _keys(fused: Hits, values: NDArray[Any] | None) -> NDArray[Any]:
    """By what DBSF sorts: the scores, but points that bring a value from an `order_by` come first, by that value."""
    if values is None:
        return fused.scores
    ordered = np.array([value is not None for value in values])
    rank = np.unique(np.where(ordered, values, 0).astype(np.float64), return_inverse=True)[1].astype(np.float64)
    by_score = np.unique(fused.scores, return_inverse=True)[1].astype(np.float64)
    return np.where(ordered, rank + len(values), by_score)


def _first_values(offsets: OffsetArray, sources: Sequence[Ranked]) -> NDArray[Any] | None:
    """For each fused point the order value of the first list that holds it, None if that list has none."""
    if all(source.order_values is None for source in sources):
        return None
    first: dict[int, Any] = {}
    for source in sources:
        values = [None] * len(source) if source.order_values is None else source.order_values.tolist()
        for offset, value in zip(source.offsets.tolist(), values, strict=True):
            first.setdefault(offset, value)
    found = np.empty(len(offsets), object)
    found[:] = [first[offset] for offset in offsets.tolist()]
    return found


def _formula(run: _Run, step: Step, operation: Formula, sources: Sequence[Ranked]) -> Ranked:
    lists = [Hits(source.offsets, source.scores) for source in sources]
    inputs = queries.FormulaInputs(run.view, lists, union(sources))
    hits = best(run.view, inputs.offsets, queries.evaluate(operation.evaluate, inputs), step.limit)
    return _above(Ranked(hits.offsets, hits.scores), step.threshold)


def _mmr(run: _Run, step: Step, operation: Mmr, sources: Sequence[Ranked]) -> Ranked:
    index = run.view.vector(operation.nearest.using)
    candidates = _distinct(sources, index.present)
    if len(candidates) < 2:
        return candidates
    # The query is compared as it is, without the weights of the `idf` modifier, as Qdrant does here.
    to_query: FloatArray = index.similarities([operation.nearest.vector], candidates.offsets)[0]
    return candidates.part(
        queries.mmr(
            to_query,
            _comparison(run.view, operation.nearest.using, candidates.offsets),
            operation.relevance,
            step.limit,
        )
    )


def _comparison(view: PointView, using: str, offsets: OffsetArray) -> Callable[[int], FloatArray]:
    """Similarity of all candidates, as queries, to a chosen one, as stored: between multivectors it is not the same
    the other way round."""
    index = view.vector(using)
    if view.traits(using).kind == "multi":
        queries = [_own_query(index, offset) for offset in offsets]
        return lambda position: index.similarities(queries, offsets[[position]])[:, 0]
    return lambda position: index.similarities([_own_query(index, offsets[position])], offsets)[0]


def _own_query(index: VectorIndex, offset: np.intp) -> VectorArray:
    vector = index.get(int(offset))
    assert vector is not None
    return index.prepare_query(vector)


def _distinct(sources: Sequence[Ranked], present: BoolArray) -> Ranked:
    """All points of the sources that have the vector, each as it first appears."""
    offsets = np.concatenate([source.offsets for source in sources])
    scores = np.concatenate([source.scores for source in sources])
    first = np.sort(np.unique(offsets, return_index=True)[1])
    first = first[held(present, offsets[first])]
    return Ranked(offsets[first], scores[first])


_EXECUTORS: dict[type, Callable[[_Run, Step, Any, Sequence[Ranked]], Ranked]] = {
    Nearest: _nearest,
    Compare: _compare,
    Text: _text,
    ById: _by_id,
    ByField: _by_field,
    Sample: _sample,
    Rrf: _rrf,
    Dbsf: _dbsf,
    Formula: _formula,
    Mmr: _mmr,
}
