"""Do results equal those of Qdrant's own engine, for any combination of queries?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import WrongInput
from qdlite.models.query import QueryRequest
from qdlite.queries.execute import execute
from qdlite.queries.plan import plan
from qdlite.queries.view import VectorTraits
from qdlite.types import PointId
from tests.queries.fake_view import FakePoint, FakeView, refuse
from tests.queries.oracle import Answer, Oracle

COUNT = 40
TRAITS = {
    "dot": VectorTraits("dense", "Dot"),
    "cosine": VectorTraits("dense", "Cosine"),
    "euclid": VectorTraits("dense", "Euclid"),
    "manhattan": VectorTraits("dense", "Manhattan"),
    "sparse": VectorTraits("sparse", "Dot"),
    "idf": VectorTraits("sparse", "Dot", idf=True),
}
DENSE = ["dot", "cosine", "euclid", "manhattan"]


def points() -> list[FakePoint]:
    """Vectors of 4 components, few of them ever equally near to anything; every third point lacks `price`."""
    rng = np.random.default_rng(11)
    made = []
    for number in range(COUNT):
        vectors: dict[str, Any] = {name: rng.normal(size=4).astype(np.float32).tolist() for name in DENSE}
        for name in ("sparse", "idf"):
            indices = sorted(rng.choice(6, 3, replace=False).tolist())
            vectors[name] = dict(zip(indices, rng.uniform(0.1, 2, 3).astype(np.float32).tolist(), strict=True))
        payload: dict[str, Any] = {
            "rank": float(rng.uniform(-5, 5)),
            "count": int(rng.integers(0, 6)),
            "colour": ["red", "blue"][number % 2],
            "place": {"lon": float(rng.uniform(-180, 180)), "lat": float(rng.uniform(-90, 90))},
            "made": f"20{number:02d}-03-04T05:06:07Z",
        }
        if number % 3:
            payload["price"] = float(rng.uniform(1, 100))
        made.append(FakePoint(number, vectors, payload))
    return made


@pytest.fixture(scope="module")
def fake() -> FakeView:
    return FakeView(points(), TRAITS)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    return Oracle(tmp_path_factory.mktemp("oracle") / "shard", points(), TRAITS, ["rank", "price"])


def answer(view: FakeView, fields: Mapping[str, Any]) -> Answer:
    request = msgspec.convert(fields, QueryRequest)
    ranked = execute(plan(request, view, refuse, refuse), view)
    return list(zip(view.ids(ranked.offsets.tolist()), ranked.scores.tolist(), strict=True))


def agree(ours: Answer, theirs: Answer, relative: float = 1e-5) -> None:
    """The same scores in the same order, and the same points but for equal scores (the last ones may be cut)."""
    scores = [score for _, score in theirs]
    assert [score for _, score in ours] == pytest.approx(scores, rel=relative, abs=1e-6)
    assert dict(_settled(ours)).keys() == dict(_settled(theirs)).keys()


def _settled(found: Answer) -> list[tuple[PointId, float]]:
    """Without the points whose score is about that of the last: others might stand in their place."""
    return [(point, score) for point, score in found if abs(score - found[-1][1]) > 1e-5 * (1 + abs(score))]


numbers = st.floats(-2, 2, width=32).map(lambda number: round(number, 3))
vectors = st.lists(numbers, min_size=4, max_size=4).filter(lambda vector: any(abs(x) > 0.05 for x in vector))
sparse = st.dictionaries(st.integers(0, 7), st.floats(0.125, 2, width=32), min_size=1, max_size=4).map(
    lambda found: {"indices": list(found), "values": list(found.values())}
)
ids = st.integers(0, COUNT - 1)


def inputs(using: str) -> st.SearchStrategy[Any]:
    return st.one_of(ids, vectors if using in DENSE else sparse)


def pairs(using: str) -> st.SearchStrategy[list[Any]]:
    one = st.fixed_dictionaries({"positive": inputs(using), "negative": inputs(using)})
    return st.lists(one, min_size=1, max_size=3)


def vector_queries(using: str) -> st.SearchStrategy[Any]:
    """Queries scored by vectors, but for those with many ties."""
    some = st.lists(inputs(using), min_size=1, max_size=3)
    feedback = st.lists(
        st.fixed_dictionaries({"example": inputs(using), "score": st.floats(0, 1, width=32)}), min_size=1, max_size=4
    )
    return st.one_of(
        inputs(using),
        st.fixed_dictionaries(
            {
                "recommend": st.fixed_dictionaries(
                    {"positive": some, "negative": some, "strategy": st.sampled_from(["best_score", "sum_scores"])}
                )
            }
        ),
        st.fixed_dictionaries({"discover": st.fixed_dictionaries({"target": inputs(using), "context": pairs(using)})}),
        st.fixed_dictionaries({"context": pairs(using)}),
        st.fixed_dictionaries(
            {
                "relevance_feedback": st.fixed_dictionaries(
                    {
                        "target": inputs(using),
                        "feedback": feedback,
                        "strategy": st.just({"naive": {"a": 0.5, "b": 1.5, "c": 0.25}}),
                    }
                )
            }
        ),
    )


@st.composite
def leaves(draw: st.DrawFn, most: int = COUNT) -> dict[str, Any]:
    using = draw(st.sampled_from(list(TRAITS)))
    fields = {"query": draw(vector_queries(using)), "using": using, "limit": draw(st.integers(1, most))}
    threshold = draw(st.one_of(st.none(), st.floats(-2, 2, width=32)))
    return fields if threshold is None else {**fields, "score_threshold": threshold}


def recommendations(side: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {
            "positive": st.lists(side, min_size=1, max_size=3),
            "negative": st.lists(other, max_size=3),
            "strategy": st.sampled_from(["best_score", "sum_scores"]),
        }
    ).map(lambda found: {"recommend": found})


@st.composite
def clear_leaves(draw: st.DrawFn) -> dict[str, Any]:
    """Queries that give no two points the same score: which of equal ones a prefetch keeps is not said."""
    using = draw(st.sampled_from(list(TRAITS)))
    some = recommendations(st.integers(0, 19), st.integers(20, COUNT - 1))
    query = draw(st.one_of(inputs(using), some) if using in DENSE[:3] else inputs(using))
    fields = {"query": query, "using": using, "limit": draw(st.integers(1, 20))}
    threshold = draw(st.one_of(st.none(), st.floats(-2, 2, width=32)))
    return fields if threshold is None else {**fields, "score_threshold": threshold}


@given(fields=leaves())
def test_vector_queries(fake: FakeView, oracle: Oracle, fields: dict[str, Any]) -> None:
    agree(answer(fake, fields), oracle.answer(fields))


@given(fields=clear_leaves(), offset=st.integers(0, 30))
def test_offset(fake: FakeView, oracle: Oracle, fields: dict[str, Any], offset: int) -> None:
    everything = oracle.answer(fields | {"limit": fields["limit"] + offset})
    agree(answer(fake, fields | {"offset": offset}), everything[offset:])


@given(fields=leaves(), prefetches=st.lists(clear_leaves(), min_size=1, max_size=3))
def test_rescoring(fake: FakeView, oracle: Oracle, fields: dict[str, Any], prefetches: list[Any]) -> None:
    fields = fields | {"prefetch": prefetches}
    agree(answer(fake, fields), oracle.answer(fields))


fusions = st.one_of(
    st.just({"fusion": "rrf"}), st.just({"fusion": "dbsf"}), st.integers(1, 60).map(lambda k: {"rrf": {"k": k}})
)


@given(
    query=fusions,
    prefetches=st.lists(clear_leaves(), min_size=1, max_size=3),
    weighted=st.booleans(),
    limit=st.integers(1, 60),
)
def test_fusion(
    fake: FakeView, oracle: Oracle, query: dict[str, Any], prefetches: list[Any], weighted: bool, limit: int
) -> None:
    if weighted and "rrf" in query:
        query = {"rrf": {**query["rrf"], "weights": [0.5, 3.0, 0.0][: len(prefetches)]}}
    fields = {"query": query, "prefetch": prefetches, "limit": limit}
    agree(answer(fake, fields), oracle.answer(fields))


@given(vector=vectors, using=st.sampled_from(DENSE), diversity=st.floats(0, 1, width=32), wanted=st.integers(1, 12))
def test_mmr(fake: FakeView, oracle: Oracle, vector: list[float], using: str, diversity: float, wanted: int) -> None:
    query = {"nearest": vector, "mmr": {"diversity": round(diversity, 2), "candidates_limit": 20}}
    fields = {"query": query, "using": using, "limit": wanted}
    assert [point for point, _ in answer(fake, fields)] == [point for point, _ in oracle.answer(fields)]
    behind = fields | {"prefetch": [{"query": vector[::-1], "using": "dot", "limit": 15}]}
    assert [point for point, _ in answer(fake, behind)] == [point for point, _ in oracle.answer(behind)]


@given(
    direction=st.sampled_from(["asc", "desc"]),
    start=st.one_of(st.none(), st.floats(-6, 110)),
    key=st.sampled_from(["rank", "price"]),
    limit=st.integers(1, 50),
    prefetched=st.booleans(),
)
def test_order_by(
    fake: FakeView, oracle: Oracle, direction: str, start: float | None, key: str, limit: int, prefetched: bool
) -> None:
    order: dict[str, Any] = {"key": key, "direction": direction}
    fields: dict[str, Any] = {
        "query": {"order_by": order if start is None else order | {"start_from": start}},
        "limit": limit,
    }
    if prefetched:
        fields["prefetch"] = [{"query": 3, "using": "dot", "limit": 20}]
    assert answer(fake, fields) == oracle.answer(fields)


def leaf_expressions() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.floats(-3, 3, width=32),
        st.sampled_from(["$score", "$score[1]", "$score[7]", "rank", "count", "price", "absent"]),
        st.just({"key": "colour", "match": {"value": "red"}}),
        st.just({"geo_distance": {"origin": {"lon": 10.5, "lat": -33.0}, "to": "place"}}),
        st.just({"datetime_key": "made"}),
        st.just({"datetime": "2010-01-01T00:00:00Z"}),
    )


def expressions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    decay = st.fixed_dictionaries(
        {"x": inner}, optional={"target": inner, "scale": st.just(2.5), "midpoint": st.just(0.25)}
    )
    return st.one_of(
        *[several.map(lambda parts, name=name: {name: parts}) for name in ("mult", "sum", "max", "min")],  # type: ignore[misc]
        *[
            inner.map(lambda part, name=name: {name: part})  # type: ignore[misc]
            for name in ("neg", "abs", "sqrt", "exp", "log10", "ln", "acosh")
        ],
        *[decay.map(lambda part, name=name: {name: part}) for name in ("lin_decay", "exp_decay", "gauss_decay")],  # type: ignore[misc]
        st.fixed_dictionaries({"left": inner, "right": inner, "by_zero_default": st.floats(-1, 1, width=32)}).map(
            lambda part: {"div": part}
        ),
        st.fixed_dictionaries({"base": inner, "exponent": inner}).map(lambda part: {"pow": part}),
    )


@given(formula=st.recursive(leaf_expressions(), expressions, max_leaves=6))
def test_formula(fake: FakeView, oracle: Oracle, formula: Any) -> None:
    fields = {
        "query": {"formula": formula, "defaults": {"absent": 2, "price": 7.5, "$score[1]": -1}},
        "prefetch": [
            {"query": [0.5, 1.0, -1.0, 2.0], "using": "dot", "limit": 12},
            {"query": [1.0, 0.0, 1.0, -2.0], "using": "euclid", "limit": 9},
        ],
        "limit": 30,
    }
    theirs = _or_none(lambda: oracle.answer(fields))
    ours = _or_none(lambda: answer(fake, fields))
    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        agree(ours, theirs)


def _or_none(ask: Any) -> Answer | None:
    """None if the formula cannot be computed: of the engine only that much can be told."""
    try:
        found: Answer = ask()
    except WrongInput:
        return None
    except Exception as error:
        assert type(error) is Exception, error
        return None
    return found
