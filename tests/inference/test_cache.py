"""Remembered embeddings: exact inputs only, bounded, and never shared where they may differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qdlite.inference import InferenceInput, InferenceService, InferenceSettings, ProviderSettings
from qdlite.inference.cache import EmbeddingCache
from qdlite.types import SparseArray
from tests.inference.stub import Answer, Received, Stub, json_answer

StartStub = Callable[[Callable[[Received], Answer]], Stub]


def vector(value: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.full(100, value, dtype=np.float32)


def test_least_recently_used_is_forgotten() -> None:
    cache = EmbeddingCache(3 * (300 + 400 + 10))
    for name in "abc":
        cache.put(name, 10, vector(ord(name)))
    assert cache.get("a") is not None
    cache.put("d", 10, vector(0))
    assert [name for name in "abcd" if cache.get(name) is not None] == ["a", "c", "d"]
    cache.clear()
    assert cache.get("a") is None


def test_replacing_does_not_leak_size() -> None:
    cache = EmbeddingCache(2 * 710)
    cache.put("a", 10, vector(1))
    for _ in range(10):
        cache.put("b", 10, vector(2))
    assert cache.get("a") is not None


def test_larger_than_the_cache() -> None:
    cache = EmbeddingCache(500)
    cache.put("a", 10, vector(1))
    assert cache.get("a") is None


def test_copies() -> None:
    cache = EmbeddingCache(10_000)
    given = vector(1)
    cache.put("a", 1, given)
    given[0] = 5
    first = cache.get("a")
    assert isinstance(first, np.ndarray) and first[0] == 1
    first[0] = 7
    np.testing.assert_array_equal(cache.get("a"), vector(1))
    sparse = SparseArray(np.array([1], np.uint32), np.array([2], np.float32))
    cache.put("s", 1, sparse)
    again = cache.get("s")
    assert isinstance(again, SparseArray) and again.indices is not sparse.indices


@pytest.fixture
def server(stub: StartStub, monkeypatch: pytest.MonkeyPatch) -> Stub:
    monkeypatch.setenv("NO_PROXY", "*")

    def answer(request: Received) -> Answer:
        rows = [{"index": at, "embedding": [float(len(one)), 1.0]} for at, one in enumerate(request.json["input"])]
        return json_answer({"data": rows, "usage": {"total_tokens": len(rows)}})

    return stub(answer)


def test_only_what_is_missing_is_embedded(server: Stub) -> None:
    providers = ProviderSettings(base_urls={"openai": server.url})
    made = InferenceService(InferenceSettings(providers=providers, embedding_cache_bytes=100_000))

    def embed(*texts: str, mode: Any = "update", **options: Any) -> tuple[list[float], dict[str, int]]:
        inputs = [InferenceInput(text, "text", "openai/m", options or None) for text in texts]
        result = made.infer(inputs, mode)
        return [float(vector[0]) for vector in result.embeddings], result.usage

    assert embed("a", "bb") == ([1, 2], {"openai/m": 2})
    assert embed("bb", "ccc", "a") == ([2, 3, 1], {"openai/m": 1})
    assert embed("bb", "a", "bb") == ([2, 1, 2], {"openai/m": 0})
    assert [request.json["input"] for request in server.received] == [["a", "bb"], ["ccc"]]
    embed("a", mode="search")
    embed("a", dimensions=2)
    embed("a", **{"openai-api-key": "other"})
    assert len(server.received) == 5
    made.close()
    embed("a")
    assert len(server.received) == 6


def test_off_by_default(server: Stub) -> None:
    made = InferenceService(InferenceSettings(providers=ProviderSettings(base_urls={"openai": server.url})))
    for _ in range(2):
        made.infer([InferenceInput("a", "text", "openai/m")], "update")
    assert len(server.received) == 2
