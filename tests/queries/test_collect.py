"""Every place where a request can hold a vector input."""

from __future__ import annotations

from typing import Any

import msgspec

from qdlite.models.query import QueryRequest
from qdlite.queries.collect import inference_objects, kind_of, lookups, referenced_ids
from tests.queries.conftest import UUID


def request(**fields: Any) -> QueryRequest:
    return msgspec.convert(fields, QueryRequest)


def document(text: str) -> dict[str, str]:
    return {"text": text, "model": "m"}


FEEDBACK = {"strategy": {"naive": {"a": 1, "b": 1, "c": 1}}}


def everywhere(make: Any) -> QueryRequest:
    """A request with inputs 1 to 10 in all the places there are, besides a vector and a sparse vector."""
    empty: dict[str, list[float]] = {"indices": [], "values": []}
    context = {"context": {"positive": make(5), "negative": make(6)}}
    discover = {"target": make(7), "context": [{"positive": empty, "negative": make(8)}]}
    feedback = {"target": make(9), "feedback": [{"example": make(10), "score": 1}], **FEEDBACK}
    return request(
        query={"recommend": {"positive": [make(1), [0.5]], "negative": [make(2)]}},
        prefetch=[
            {"query": make(3)},
            {"query": {"nearest": make(4), "mmr": {}}, "prefetch": {"query": context}},
            {"query": {"discover": discover}},
            {"query": {"relevance_feedback": feedback}},
            {"query": {"discover": {"target": [1.0], "context": None}}},
            {"query": {"order_by": "x"}},
            {"query": {"formula": 1, "defaults": {"a": 77}}, "prefetch": [{}]},
        ],
    )


def test_inference_objects() -> None:
    found = inference_objects(everywhere(lambda number: document(str(number))))
    assert sorted(int(str(one.text)) for one in found) == list(range(1, 11))


def test_referenced_ids() -> None:
    assert referenced_ids(everywhere(lambda number: number), "c") == set(range(1, 11))
    assert referenced_ids(request(query=UUID.replace("-", "")), "c") == {UUID}
    assert referenced_ids(request(), "c") == set()


def test_ids_looked_up_elsewhere_are_not_meant() -> None:
    both = request(
        query=1,
        lookup_from={"collection": "other"},
        prefetch=[{"query": 2, "lookup_from": {"collection": "c"}}, {"query": 3, "lookup_from": {"collection": "d"}}],
    )
    assert referenced_ids(both, "c") == {2}
    assert lookups(both) == ["other", "c", "d"]


def test_kinds() -> None:
    assert kind_of(request()) == "by_id"
    assert [kind_of(request(query=query)) for query in (3, UUID, [1.0], document("a"))] == ["nearest"] * 4
    assert kind_of(request(query={"text": "words"})) == "text"
    assert kind_of(request(query={"context": None})) == "context"
