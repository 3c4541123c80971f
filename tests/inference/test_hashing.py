"""The stand-in model: deterministic, unit length, near for shared words."""

from __future__ import annotations

from typing import Any

import mmh3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import InferenceError
from qdlite.inference.embedders import hashing
from qdlite.inference.embedders.hashing import HashingEmbedder, dimensions_of
from qdlite.types import FloatArray


def embed(*texts: str, dimensions: int = 64) -> list[FloatArray]:
    return HashingEmbedder(dimensions).embed(texts)[0]


@pytest.mark.parametrize(("model", "size"), [("hashing/1", 1), ("Hashing/384", 384), ("HASHING/65536", 65536)])
def test_size_from_the_name(model: str, size: int) -> None:
    assert dimensions_of(model) == size


@pytest.mark.parametrize("model", ["hashing/0", "hashing/65537", "hashing/", "hashing/-1", "hashing/1e3", "hashing/²"])
def test_bad_size(model: str) -> None:
    with pytest.raises(InferenceError, match="from 1 to 65536"):
        dimensions_of(model)


def test_other_models_have_no_size() -> None:
    assert dimensions_of("qdrant/bm25") is None


def reference(text: str, dimensions: int) -> Any:
    """The documented formula, one feature after another."""
    vector = np.zeros(dimensions)
    words = text.casefold().split() or [""]
    for word in dict.fromkeys(words):
        marked = f"<{word}>"
        parts = [(word, 5)] + [(marked[i : i + n], 2) for n in (3, 4) for i in range(len(marked) - n + 1)]
        for part, weight in parts:
            value = mmh3.hash(part, signed=False)
            sign = -1 if value >= 2**31 else 1
            vector[value % 2**31 % dimensions] += sign * weight * round(2**16 * (1 + np.log(words.count(word))))
    norm = np.linalg.norm(vector)
    return vector / norm if norm else np.eye(1, dimensions)[0]


@given(
    st.lists(st.lists(st.text("abcÄß", min_size=1, max_size=6), max_size=8).map(" ".join), max_size=8),
    st.integers(1, 40),
)
def test_equals_the_formula(texts: list[str], dimensions: int) -> None:
    vectors, words = HashingEmbedder(dimensions).embed(texts)
    assert len(vectors) == len(texts)
    assert words == sum(len(text.split()) for text in texts)
    for text, vector in zip(texts, vectors, strict=True):
        assert vector.dtype == np.float32
        np.testing.assert_allclose(vector, reference(text, dimensions), atol=1e-6)


def test_unit_length_and_independent_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"word{i} and number {i * i}" for i in range(50)] + [""]
    together = embed(*texts)
    monkeypatch.setattr(hashing, "_BLOCK_WORDS", 9)
    monkeypatch.setattr(hashing, "_BLOCK_CELLS", 64 * 3)
    in_blocks = embed(*texts)
    for text, vector, again in zip(texts, together, in_blocks, strict=True):
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
        np.testing.assert_array_equal(vector, again)
        np.testing.assert_array_equal(vector, embed(text)[0])


def test_shared_words_are_near() -> None:
    query, near, typo, far = embed(
        "baking cookies", "Baking chocolate cookies!", "baking cookeis", "stock market", dimensions=512
    )
    assert query @ near > query @ typo > query @ far


def test_one_dimension_never_gives_zero() -> None:
    assert {float(vector[0]) for vector in embed(*map(str, range(200)), dimensions=1)} == {-1.0, 1.0}
