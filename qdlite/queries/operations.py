"""Which operation does each kind of query stand for? One builder a kind; vectors and formulas come out prepared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from msgspec import Struct

from qdlite import queries
from qdlite.errors import invalid
from qdlite.models.examples import VectorInput
from qdlite.models.filters import Filter
from qdlite.models.params import IdfCorpus
from qdlite.models.params import SearchParams as WireParams
from qdlite.models.query import Query, TextQueryInput
from qdlite.models.reads import OrderBy
from qdlite.queries.collect import Request, inputs
from qdlite.queries.examples import Examples
from qdlite.queries.steps import (
    ByField,
    ById,
    Compare,
    Dbsf,
    Formula,
    Mmr,
    Nearest,
    Operation,
    Rrf,
    Sample,
    Scoring,
    Text,
    Tuning,
)
from qdlite.queries.view import PointView
from qdlite.types import VectorArray
from qdlite.vectors.index import SearchParams

DEFAULT_DIVERSITY = 0.5
_DEFAULT_TUNING = Tuning(SearchParams())


class Place(Struct, frozen=True):
    """Where a query stands: the request it is in, and what it can see."""

    request: Request
    view: PointView
    examples: Examples

    @property
    def query(self) -> Query:
        return cast(Query, self.request.query)


def operation(kind: str, place: Place) -> Operation:
    """Raises WrongInput and NotFound for what cannot be executed."""
    return _OPERATIONS[kind](place)


def order_by(wanted: str | OrderBy, merged: bool = False) -> ByField:
    """Raises MalformedBody if `start_from` is a text that is no date."""
    from qdlite.models.datetimes import parse_bound  # few need it, and not for the first answer

    if isinstance(wanted, str):
        return ByField(wanted, False, None, merged)
    start = wanted.start_from
    begin = parse_bound(start) if isinstance(start, str) else start
    return ByField(wanted.key, wanted.direction == "desc", begin, merged)


def tuning(params: WireParams | None, using: str, view: PointView) -> Tuning:
    """Raises WrongInput for the `idf` parameter on a vector that does not weigh by it."""
    if params is None:
        return _DEFAULT_TUNING
    wanted = SearchParams(params.hnsw_ef, params.exact, params.indexed_only)
    if params.idf is None:
        return Tuning(wanted)
    if not view.traits(using).idf:
        raise invalid(
            f'search param `idf` requires a sparse vector with the `idf` modifier, which vector "{using}" is not'
        )
    return Tuning(wanted, _corpus(params))


def _corpus(params: WireParams | None) -> Filter | None:
    return params.idf.corpus if params is not None and isinstance(params.idf, IdfCorpus) else None


def _nearest(place: Place) -> Operation:
    query = place.request.query
    given = query.nearest if isinstance(query, Query) else query
    nearest = _search(place, place.examples.prepared(cast(VectorInput, given)))
    if not isinstance(query, Query) or query.mmr is None:
        return nearest
    diversity = DEFAULT_DIVERSITY if query.mmr.diversity is None else query.mmr.diversity
    return Mmr(nearest, 1.0 - diversity, query.mmr.candidates_limit)


def _search(place: Place, vector: VectorArray) -> Nearest:
    using = place.examples.using
    return Nearest(using, vector, tuning(place.request.params, using, place.view))


def _recommend(place: Place) -> Operation:
    given = place.query.recommend
    assert given is not None
    positive, negative = given.positive or [], given.negative or []
    strategy = given.strategy or "average_vector"
    if strategy == "average_vector":
        raw = place.examples.raw
        average = queries.average_vector([raw(one) for one in positive], [raw(one) for one in negative])
        return _search(place, place.examples.prepare(average))
    score = queries.best_score if strategy == "best_score" else queries.sum_scores
    return _compare(place, partial(score, positives=len(positive)))


def _feedback(place: Place) -> Operation:
    given = place.query.relevance_feedback
    assert given is not None
    naive = given.strategy.naive
    found = queries.feedback_pairs([item.score for item in given.feedback], naive.b, naive.c)
    return _compare(place, partial(queries.feedback, a=naive.a, found=found))


def _compare(place: Place, scoring: Scoring) -> Compare:
    """A score of the similarities to all examples, in the order in which `inputs` gives them."""
    using = place.examples.using
    vectors = place.examples.all_prepared(inputs(place.request))
    place.view.vector(using)
    return Compare(using, vectors, scoring, tuning(place.request.params, using, place.view))


def _order_by(place: Place) -> Operation:
    # Whether the field can order shows when its values are asked for, which is too costly to do twice.
    return order_by(cast("str | OrderBy", place.query.order_by))


def _fusion(place: Place) -> Operation:
    _need_prefetches(place, "Fusion")
    return Dbsf() if place.query.fusion == "dbsf" else Rrf(queries.DEFAULT_K, None)


def _rrf(place: Place) -> Operation:
    _need_prefetches(place, "Fusion")
    given = place.query.rrf
    assert given is not None
    count = len(place.request.prefetches())
    if given.weights is not None and len(given.weights) != count:
        raise invalid(
            f"Number of weights in RRF should match number of pre-fetches: got {len(given.weights)}, expected {count}"
        )
    return Rrf(
        queries.DEFAULT_K if given.k is None else given.k, None if given.weights is None else tuple(given.weights)
    )


def _formula(place: Place) -> Operation:
    _need_prefetches(place, "Formula")
    query = place.query
    assert query.formula is not None
    return Formula(queries.Parser(query.defaults).parse(query.formula))


def _text(place: Place) -> Operation:
    field = place.request.using
    if not field:
        raise invalid("A text query needs `using` to name the payload field to search")
    if place.request.prefetch:
        raise invalid("BM25 over a text index cannot rescore prefetches")
    text = place.query.text
    wanted = text if isinstance(text, TextQueryInput) else TextQueryInput(query=text or "")
    params = queries.bm25_params(wanted.scoring)
    return Text(field, wanted.query, params.k, params.b, _corpus(place.request.params))


def _need_prefetches(place: Place, what: str) -> None:
    if not place.request.prefetch:
        raise invalid(f"cannot apply {what} without prefetches")


_OPERATIONS: dict[str, Callable[[Place], Operation]] = {
    "nearest": _nearest,
    "recommend": _recommend,
    "discover": lambda place: _compare(place, queries.discover),
    "context": lambda place: _compare(place, queries.context),
    "relevance_feedback": _feedback,
    "order_by": _order_by,
    "fusion": _fusion,
    "rrf": _rrf,
    "formula": _formula,
    "sample": lambda place: Sample(),
    "text": _text,
    "by_id": lambda place: ById(),
}
