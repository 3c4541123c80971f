"""One request's inputs: order, duplicates, usage, refusals; with built-in models, which need no files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from qdlite.errors import InferenceError, WrongInput
from qdlite.inference import InferenceInput, InferenceService, InferenceSettings
from qdlite.inference.embedders.hashing import HashingEmbedder
from qdlite.types import FloatArray, SparseArray


def text(data: Any, model: str = "hashing/16", options: dict[str, Any] | None = None) -> InferenceInput:
    return InferenceInput(data, "text", model, options)


@pytest.fixture
def offline(tmp_path: Any) -> InferenceService:
    return InferenceService(InferenceSettings(offline=True, cache_dir=tmp_path))


def test_nothing_to_do(offline: InferenceService) -> None:
    assert offline.infer([], "update") == ([], {})


def test_order_and_usage(offline: InferenceService) -> None:
    result = offline.infer(
        [text("one two"), text("x", "BM25"), text("three"), text("four", "Hashing/8"), text("one two")], "update"
    )
    assert [getattr(vector, "shape", "sparse") for vector in result.embeddings] == [
        (16,), "sparse", (16,), (8,), (16,)
    ]  # fmt: skip
    assert result.usage == {"hashing/16": 3, "Hashing/8": 1}  # BM25 is never counted, a duplicate not twice
    np.testing.assert_array_equal(result.embeddings[0], result.embeddings[4])


def test_identical_inputs_are_embedded_once(offline: InferenceService, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[list[str]] = []
    original = HashingEmbedder.embed

    def embed(self: HashingEmbedder, texts: Sequence[str]) -> tuple[list[FloatArray], int]:
        batches.append(list(texts))
        return original(self, texts)

    monkeypatch.setattr(HashingEmbedder, "embed", embed)
    options: dict[str, Any] = {"mrl": 4}
    offline.infer([text("a"), text("b"), text("a"), text("b", options=options), text("c", "hashing/8")], "update")
    assert batches == [["a", "b"], ["c"]]


def test_bm25_golden_value(offline: InferenceService) -> None:
    """Vector of this sentence as given by Qdrant (see the BM25 tests for its source)."""
    recipe = text("Recipe for baking chocolate chip cookies", "qdrant/BM25")
    for options in (None, {}, {"unknown": 1}):
        vector = offline.infer([text(recipe.data, recipe.model, options)], "update").embeddings[0]
        assert isinstance(vector, SparseArray)
        assert vector.indices.tolist() == [112174620, 177304315, 662344706, 771857363, 1617337648]
        np.testing.assert_allclose(vector.values, 1.6697302, rtol=1e-7)
    query = offline.infer([recipe], "search").embeddings[0]
    assert isinstance(query, SparseArray) and set(query.values.tolist()) == {1.0}


def test_bm25_options_apply_to_their_inputs_only(offline: InferenceService) -> None:
    plain, scaled = offline.infer([text("a word", "bm25"), text("a word", "bm25", {"k": 0})], "update").embeddings
    assert isinstance(plain, SparseArray) and isinstance(scaled, SparseArray)
    assert scaled.values.tolist() == [1.0] != plain.values.tolist()
    with pytest.raises(WrongInput, match="k1 must be finite"):
        offline.infer([text("a word", "bm25", {"k": -1})], "update")


@pytest.mark.parametrize("kind", ["image", "object"])
def test_bm25_takes_text_only(offline: InferenceService, kind: Any) -> None:
    with pytest.raises(WrongInput) as refused:
        offline.infer([InferenceInput("x", kind, "Bm25")], "update")
    assert str(refused.value) == "Wrong input: Only text input is supported for Bm25."


def test_mrl(offline: InferenceService) -> None:
    whole, part = offline.infer([text("some words"), text("some words", options={"mrl": 5})], "search").embeddings
    assert isinstance(whole, np.ndarray) and isinstance(part, np.ndarray)
    assert part.shape == (5,) and part.dtype == np.float32
    np.testing.assert_allclose(part, whole[:5] / np.linalg.norm(whole[:5]), atol=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (text("x", options={"mrl": 17}), "mrl is 17, but hashing/16 has 16 dimensions"),
        (text("x", options={"mrl": 0}), "positive integer, got 0"),
        (text("x", options={"mrl": True}), "positive integer, got True"),
        (text("x", options={"mrl": "8"}), "positive integer, got '8'"),
        (text("x", options={"dimensions": 8}), "does not know the option dimensions"),
        (text(7), "must be a string"),
        (text("x", "hashing/none"), "from 1 to 65536"),
        (text("x", "hashing/" + "9" * 5000), "from 1 to 65536"),
        (text(" "), "text for model hashing/16 is empty"),
        (text("x" * 1_000_001), "has 1000001 characters, more than the 1000000 allowed"),
        (InferenceInput("x", "image", "hashing/4"), "embeds text, not image"),
    ],
)
def test_refusals(offline: InferenceService, given: InferenceInput, message: str) -> None:
    with pytest.raises(InferenceError, match=message):
        offline.infer([text("fine"), given], "update")


def test_options_for_the_client_and_keys_have_no_effect(offline: InferenceService) -> None:
    plain, with_options = offline.infer(
        [text("a"), text("a", options={"cache_dir": "/x", "openai-api-key": "k", "threads": 2})], "update"
    ).embeddings
    np.testing.assert_array_equal(plain, with_options)


def test_turned_off() -> None:
    service = InferenceService(InferenceSettings(enabled=False))
    with pytest.raises(InferenceError, match="turned off"):
        service.infer([text("x")], "update")
    assert service.infer([], "update").embeddings == []


def test_no_models_are_offered_when_turned_off() -> None:
    assert InferenceService(InferenceSettings(enabled=False)).models() == []


def test_describe_built_in_models(offline: InferenceService) -> None:
    hashing, bm25 = offline.describe("hashing/32"), offline.describe("BM25")
    assert hashing is not None and (hashing.dimensions, hashing.state) == (32, "built in")
    assert bm25 is not None and bm25.dimensions is None
    assert offline.describe("no/such-model") is None
    assert [model.name for model in offline.models()][:2] == ["qdrant/bm25", "hashing/<dimensions>"]


def test_without_fastembed(offline: InferenceService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fastembed", None)
    with pytest.raises(InferenceError) as refused:
        offline.infer([text("x", "BAAI/bge-small-en-v1.5")], "update")
    assert 'pip install "qdlite[inference]"' in str(refused.value)
    assert offline.describe("BAAI/bge-small-en-v1.5") is None
    assert len(offline.models()) == 2
    assert len(offline.infer([text("x", "bm25"), text("x")], "update").embeddings) == 2
