"""Which collections do these tests save? Any: all kinds of vectors, payloads, indexes, points deleted and rewritten."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from qdlite.collection.collection import Collection
from qdlite.collection.config import new_config
from qdlite.collection.state import CollectionState
from qdlite.models.collections import CreateCollection
from qdlite.models.decoding import decode
from qdlite.models.indexes import CreateFieldIndex
from qdlite.models.updates import UpdateOperation
from qdlite.types import VectorArray
from qdlite.vectors.index import SearchParams

SIZE = 3
UUIDS = [f"0000000{digit}-0000-4000-8000-00000000000{digit}" for digit in range(6)]

ids: SearchStrategy[int | str] = st.one_of(
    st.integers(0, 12), st.sampled_from([2**32, 2**63, 2**64 - 1]), st.sampled_from(UUIDS)
)
floats = st.floats(-100, 100, width=32)
dense = st.lists(floats, min_size=SIZE, max_size=SIZE)
bytes_ = st.lists(st.integers(0, 255), min_size=SIZE, max_size=SIZE)
multi = st.lists(dense, min_size=1, max_size=4)
sparse = st.dictionaries(st.integers(0, 2**32 - 1), floats, max_size=5).map(
    lambda entries: {"indices": list(entries), "values": list(entries.values())}
)
json_values: SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    # single surrogates are no text
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
payloads = st.fixed_dictionaries(
    {},
    optional={
        "word": st.sampled_from(["red", "green", "blue"]),
        "number": st.integers(-5, 5),
        "place": st.fixed_dictionaries({"lon": st.floats(-180, 180), "lat": st.floats(-90, 90)}),
        "any": json_values,
        "nested": st.fixed_dictionaries({"list": st.lists(json_values, max_size=2)}),
    },
)
KINDS: dict[str, tuple[dict[str, Any], SearchStrategy[Any]]] = {
    "": ({"size": SIZE, "distance": "Dot"}, dense),
    "cosine": ({"size": SIZE, "distance": "Cosine"}, dense),
    "half": ({"size": SIZE, "distance": "Euclid", "datatype": "float16", "on_disk": True}, dense),
    "bytes": ({"size": SIZE, "distance": "Manhattan", "datatype": "uint8", "hnsw_config": {"m": 4}}, bytes_),
    "multi": ({"size": SIZE, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}}, multi),
    "multi-half": (
        {"size": SIZE, "distance": "Cosine", "datatype": "float16", "multivector_config": {"comparator": "max_sim"}},
        multi,
    ),
}
SPARSE: dict[str, dict[str, Any]] = {"sparse": {}, "idf": {"modifier": "idf", "index": {"on_disk": False}}}
INDEXES: list[tuple[str, Any]] = [
    ("word", "keyword"),
    ("number", {"type": "integer", "lookup": True, "range": False}),
    ("number", "float"),
    ("place", "geo"),
    ("nested.list[]", {"type": "keyword", "is_tenant": True}),
    ("any", {"type": "text", "tokenizer": "word", "lowercase": True, "min_token_len": 2}),
]
EXTRAS: list[dict[str, Any]] = [
    {},
    {"metadata": {"owner": "ä", "big": 2**64 - 1, "list": [1.5, None]}},
    {"hnsw_config": {"m": 8, "on_disk": None}, "optimizers_config": {"indexing_threshold": 0}},
    {"quantization_config": {"scalar": {"type": "int8", "quantile": 0.9}}, "shard_number": 2},
    {"strict_mode_config": {"enabled": True, "max_query_limit": 7, "sparse_config": {"idf": {"max_length": 9}}}},
]


def create(body: dict[str, Any], name: str = "things") -> Collection:
    return Collection(name, new_config(decode(json.dumps(body).encode(), CreateCollection)))


def update(collection: Collection, body: dict[str, Any]) -> None:
    def no_inference(item: object) -> VectorArray:
        raise AssertionError(item)

    collection.update(*decode(json.dumps(body).encode(), UpdateOperation).update, no_inference)


def index(collection: Collection, field: str, schema: Any) -> None:
    body = json.dumps({"field_name": field, "field_schema": schema}).encode()
    collection.create_field_index(decode(body, CreateFieldIndex))


@st.composite
def collections(draw: st.DrawFn) -> Collection:
    """A collection after some operations."""
    named = draw(st.lists(st.sampled_from(list(KINDS)), unique=True, max_size=4))
    sparse_names = draw(st.lists(st.sampled_from(list(SPARSE)), unique=True))
    if named == [""] and draw(st.booleans()):
        vectors: Any = KINDS[""][0]
    else:
        vectors = {name: KINDS[name][0] for name in named}
    body = {"vectors": vectors, "sparse_vectors": {name: SPARSE[name] for name in sparse_names}}
    collection = create({**body, **draw(st.sampled_from(EXTRAS))}, draw(st.sampled_from(["things", "a b", "ü/.."])))
    values = {name: KINDS[name][1] for name in named} | dict.fromkeys(sparse_names, sparse)
    point = st.fixed_dictionaries(
        {"id": ids, "vector": st.fixed_dictionaries({}, optional=values), "payload": st.none() | payloads}
    )
    for _ in range(draw(st.integers(0, 5))):
        _operate(draw, collection, point)
    return collection


def _operate(draw: st.DrawFn, collection: Collection, point: SearchStrategy[Any]) -> None:
    what = draw(st.sampled_from(["upsert", "upsert", "upsert", "delete", "payload", "index", "vectors"]))
    if what == "upsert":
        update(collection, {"upsert": {"points": draw(st.lists(point, min_size=1, max_size=8))}})
    elif what == "delete":
        update(collection, {"delete": {"points": draw(st.lists(ids, min_size=1, max_size=4))}})
    elif what == "payload":
        update(collection, {"set_payload": {"payload": draw(payloads), "filter": {}}})
    elif what == "index":
        index(collection, *draw(st.sampled_from(INDEXES)))
    elif names := list(collection.read(lambda view: view.state.vectors)):
        body = {"filter": {}, "vector": [draw(st.sampled_from(names))]}
        update(collection, {"delete_vectors": body})


def content(state: CollectionState) -> dict[str, Any]:
    """All that can be asked of a state, in a form that compares: vectors to the bit, payloads to the byte."""
    offsets = state.ids.sorted_offsets()
    points = []
    for offset in offsets.tolist():
        vectors = {name: _bits(index.get(offset)) for name, index in state.vectors.items()}
        version = int(state.ids.versions[offset])
        points.append((state.ids.id_of(offset), version, state.payloads.raw(offset), vectors))
    return {
        "config": state.config,
        "version": state.version,
        "schema": state.fields.schema(),
        "points": points,
        "counts": {name: index.count for name, index in state.vectors.items()},
        "found": {name: _found(state, name) for name in state.vectors},
        "modifiers": {name: getattr(index, "modifier", None) for name, index in state.vectors.items()},
    }


def _bits(vector: VectorArray | None) -> Any:
    if vector is None:
        return None
    parts = vector if isinstance(vector, tuple) else (vector,)
    return [(part.shape, part.dtype.str, part.tobytes()) for part in parts]


def _found(state: CollectionState, name: str) -> Any:
    """What a search by each stored vector finds, as ids and scores."""
    index = state.vectors[name]
    answers = []
    for offset in state.ids.sorted_offsets().tolist():
        vector = index.get(offset)
        if vector is not None:
            hits = index.search(index.prepare_query(vector), 5, None, SearchParams())
            answers.append((state.ids.ids_of(hits.offsets.tolist()), hits.scores.tolist()))
    return answers


def rows(count: int, size: int = SIZE) -> list[list[float]]:
    values: list[list[float]] = np.random.default_rng(count).random((count, size), np.float32).tolist()
    return values
