"""Are payloads kept as they were sent, and changed as Qdrant changes them?"""

from __future__ import annotations

import json
from typing import Any

import pytest
import qdrant_edge as edge
from hypothesis import given
from hypothesis import strategies as st

from qdlite.models.common import PayloadSelector
from qdlite.models.decoding import encode
from qdlite.models.payloads import payload_object
from qdlite.payload.path import parse, select
from qdlite.payload.store import EMPTY, PayloadStore, deleted_keys, merging
from tests.filters.oracle import Oracle, against_engine
from tests.filters.strategies import PATHS, payloads

paths = st.sampled_from([*PATHS, "a.x", "o", "o.x.z", "n[1]", "n[0].m", "n[].m[1].y", "new", "new.x", "new[]", "a[0]"])


def test_bytes_come_back_as_they_were() -> None:
    store = PayloadStore()
    raw = b'{ "a" : 1e2, "b": 123456789012345678901234567890 }'
    assert store.replace([3], [raw]) == [EMPTY]
    assert store.raw(3) == raw
    assert store.raw(0) == store.raw(99) == EMPTY
    assert store.get(3) == {"a": 100.0, "b": 123456789012345678901234567890}
    assert store.total_bytes == len(raw)
    assert list(store.items("a")) == [(3, {"a": 100.0})]
    assert store.one(3, "c") == {}
    assert store.replace([1, 3], [raw, b"null"]) == [EMPTY, raw]
    assert store.replace([1], [b"{}"]) == [raw]
    assert store.raw(3) == EMPTY
    assert store.total_bytes == 0


@pytest.mark.parametrize("key", ["", "a b", "value", "é", "\n", "\x01", "/"])
def test_reading_one_key(key: str) -> None:
    store = PayloadStore()
    store.replace([0, 1], [json.dumps({"x": [1], key: {"k": 2}, "y": "z"}).encode(), encode({"x": 1})])
    assert list(store.items(key)) == [(0, {key: {"k": 2}})]
    assert store.one(1, key) == {}


def test_get_is_fresh() -> None:
    store = PayloadStore()
    store.replace([0], [b'{"a":[1]}'])
    store.get(0)["a"].append(2)
    assert store.get(0) == {"a": [1]}


def test_untouched_values_keep_their_bytes() -> None:
    raw = b'{"a": 1.50, "b": {"c": 123456789012345678901234567890, "d": 1}, "e": 1E2}'
    assert merging(b'{"e":null,"f":2.0}')(raw) == (
        b'{"a":1.50,"b":{"c": 123456789012345678901234567890, "d": 1},"f":2.0}'
    )
    assert merging(b'{"d":null}', parse("b"))(raw) == (b'{"a":1.50,"b":{"c":123456789012345678901234567890},"e":1E2}')
    assert deleted_keys(raw, [parse("b.d"), parse("e"), parse("x.y")]) == (
        b'{"a":1.50,"b":{"c":123456789012345678901234567890}}'
    )


@against_engine
@given(payloads, st.lists(st.tuples(st.one_of(st.none(), paths), payloads), min_size=1, max_size=6))
def test_merging_as_the_engine_does(payload: dict[str, Any], changes: list[tuple[str | None, dict[str, Any]]]) -> None:
    encoded = encode(payload)
    with Oracle([payload]) as oracle:
        for key, patch in changes:
            oracle.shard.update(edge.UpdateOperation.set_payload([1], patch, key))
            encoded = merging(encode(patch), parse(key) if key else None)(encoded)
            assert payload_object(encoded) == oracle.shard.retrieve([1], True, False)[0].payload


@against_engine
@given(payloads, st.lists(st.lists(paths, max_size=2), min_size=1, max_size=4))
def test_deleting_as_the_engine_does(payload: dict[str, Any], changes: list[list[str]]) -> None:
    encoded = encode(payload)
    with Oracle([payload]) as oracle:
        for keys in changes:
            oracle.shard.update(edge.UpdateOperation.delete_payload([1], keys))
            encoded = deleted_keys(encoded, map(parse, keys))
            assert payload_object(encoded) == oracle.shard.retrieve([1], True, False)[0].payload


@against_engine
@given(payloads, st.lists(paths, max_size=3), st.booleans())
def test_selecting_as_the_engine_does(payload: dict[str, Any], keys: list[str], including: bool) -> None:
    theirs = edge.PayloadSelector.Include(keys) if including else edge.PayloadSelector.Exclude(keys)
    ours = PayloadSelector(include=keys) if including else PayloadSelector(exclude=keys)
    with Oracle([payload]) as oracle:
        assert select(payload, ours) == (oracle.shard.retrieve([1], theirs, False)[0].payload or {})


def test_fresh_payloads_count_the_same_together_as_alone() -> None:
    payloads = [b"{}", b'{"a":1}', b"null", encode({"a": "x" * 300}), encode({"a": "x" * 128})]
    together, alone = PayloadStore(), PayloadStore()
    for store in (together, alone):
        store.replace([0], [b'{"b":2}'])
    assert together.replace([1, 2, 3, 4, 5], payloads) == [EMPTY] * 5
    for offset, payload in enumerate(payloads, 1):
        assert alone.replace([offset], [payload]) == [EMPTY]
    assert together.all_raw() == alone.all_raw()
    assert together.total_bytes == alone.total_bytes
    assert together.storage_bytes(0.0) == alone.storage_bytes(0.0)
    assert together.raw(3) is EMPTY
    assert together.replace([6, 5], [b'{"c":3}', b'{"d":4}']) == [EMPTY, payloads[-1]], "not the next ones in order"
    assert together.raw(6) == b'{"c":3}'
