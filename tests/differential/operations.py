"""Which updates are worth comparing? Points, vectors, payload and schema, by ids and by filters."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from qdlite.types import PointId
from tests.differential.collections import Layout, layout_vectors
from tests.differential.filters import IDS, filters
from tests.differential.payloads import indexes, payloads
from tests.filters import strategies as odd

FORMS: dict[PointId, PointId] = {"5c56c793-69f3-4fbf-87e6-c4bf54c28c26": "5C56C79369F34FBF87E6C4BF54C28C26"}
"""An id in another spelling."""

Operation = dict[str, Any]
PATHS = [
    *("a", "o", "o.x", "n", "n[]", "n[].x", "n[0]", "n[0].x", "items[]", "items[].colour", "items[1]", "items[0].new"),
    *("new.deep", "new[]", "new[0].x", '"k.k"', "nowhere", "colour"),
]
"""Payload paths to write to and to delete."""


def ids(most: int = 4) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(IDS), min_size=1, max_size=most, unique=True)


def vector_maps(layout: Layout, least: int = 0) -> st.SearchStrategy[Any]:
    """Vectors of one point by name, any subset of the names; a lone unnamed one may stand bare."""
    every = st.fixed_dictionaries({}, optional={name: layout_vectors(layout, name) for name in layout.names})
    full = st.fixed_dictionaries({name: layout_vectors(layout, name) for name in layout.names})
    maps = st.one_of(full, full, full, every.filter(lambda vectors: len(vectors) >= least))
    return maps.map(lambda vectors: vectors[""] if list(vectors) == [""] else vectors)


@st.composite
def points(draw: st.DrawFn, layout: Layout) -> dict[str, Any]:
    point_id: Any = draw(st.sampled_from(IDS))
    point = {
        "id": draw(st.sampled_from([point_id, FORMS.get(point_id, point_id)])),
        "vector": draw(vector_maps(layout)),
    }
    payload = draw(st.one_of(payloads, payloads, st.none()))
    return point if payload is None else {**point, "payload": payload}


def selections() -> st.SearchStrategy[dict[str, Any]]:
    some_ids = ids().map(lambda some: {"points": some})
    return st.one_of(some_ids, some_ids, filters.map(lambda filter: {"filter": filter}))


def upserts(layout: Layout, least: int = 1, most: int = 4) -> st.SearchStrategy[Operation]:
    return st.lists(points(layout), min_size=least, max_size=most).map(lambda some: {"upsert": {"points": some}})


@st.composite
def conditional(draw: st.DrawFn, operations: st.SearchStrategy[Operation], modes: bool) -> Operation:
    ((kind, body),) = draw(operations).items()
    body = {**body, "update_filter": draw(filters)} if draw(st.booleans()) else body
    if modes:
        body = {**body, "update_mode": draw(st.sampled_from(["upsert", "insert_only", "update_only"]))}
    return {kind: body}


def vector_updates(layout: Layout) -> st.SearchStrategy[Operation]:
    one = st.fixed_dictionaries({"id": st.sampled_from(IDS), "vector": vector_maps(layout, least=1)})
    some = st.lists(one, min_size=1, max_size=3)
    return some.map(lambda updates: {"update_vectors": {"points": updates}})


def _on(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Operation]:
    """An operation on selected points."""
    return st.builds(lambda where, what: {kind: {**where, **what}}, selections(), st.fixed_dictionaries(fields))


_written = st.one_of(
    payloads, st.dictionaries(st.sampled_from(["a", "o", "x", "colour"]), st.one_of(st.none(), odd.leaves))
)
payload_updates: st.SearchStrategy[Operation] = st.one_of(
    _on("set_payload", payload=_written),
    _on("set_payload", payload=_written, key=st.sampled_from(PATHS)),
    _on("overwrite_payload", payload=_written),
    _on("delete_payload", keys=st.lists(st.sampled_from(PATHS), min_size=1, max_size=2)),
    _on("clear_payload"),
)
index_updates: st.SearchStrategy[Operation] = st.one_of(
    indexes.map(lambda index: {"create_index": {"field_name": index[0], "field_schema": index[1]}}),
    indexes.map(lambda index: {"drop_index": {"field_name": index[0]}}),
)


def updates(layout: Layout) -> st.SearchStrategy[Operation]:
    names = st.lists(st.sampled_from(layout.names), min_size=1, max_size=2, unique=True)
    deletions = selections().map(lambda where: {"delete": where})
    kinds = {
        "upsert": upserts(layout),
        "conditional": conditional(upserts(layout), True),
        "delete": deletions,
        "update_vectors": conditional(vector_updates(layout), False),
        "delete_vectors": _on("delete_vectors", vector=names),
        "payload": payload_updates,
        "more payload": payload_updates,
        "index": index_updates,
    }
    return st.sampled_from(list(kinds)).flatmap(kinds.__getitem__)
