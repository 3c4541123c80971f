"""The mean of a text's tokens is what fastembed makes it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from qdlite.inference.embedders.fastembed_pooling import PoolsTextByText, with_pooling

pytest.importorskip("fastembed")
MASKS = {
    "right": [[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]],
    "left": [[1, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]],
    "nothing": [[0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 1, 0]],
}


def pooled(tokens: Any, mask: Any) -> Any:
    return list(PoolsTextByText()._post_process_onnx_output(SimpleNamespace(model_output=tokens, attention_mask=mask)))


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_vectors_are_those_of_fastembed(mask: list[list[int]], dtype: Any) -> None:
    from fastembed.text.pooled_normalized_embedding import PooledNormalizedEmbedding

    tokens = np.random.default_rng(1).normal(size=(3, 4, 64)).astype(dtype)
    output: Any = SimpleNamespace(model_output=tokens, attention_mask=np.array(mask))
    plain: Any = PooledNormalizedEmbedding
    expected = plain._post_process_onnx_output(plain, output)
    found = np.stack(pooled(tokens, output.attention_mask))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, np.stack(list(expected)), rtol=0, atol=1e-7 if dtype is np.float32 else 1e-3)


def test_a_text_alone_has_the_vector_that_it_has_among_others() -> None:
    tokens = np.random.default_rng(2).normal(size=(5, 9, 384)).astype(np.float32)
    lengths = [9, 7, 4, 2, 1]
    mask = np.array([[1] * length + [0] * (9 - length) for length in lengths])
    for row, (length, together) in enumerate(zip(lengths, pooled(tokens, mask), strict=True)):
        (alone,) = pooled(tokens[row : row + 1, :length], mask[row : row + 1, :length])
        np.testing.assert_array_equal(alone, together)


def test_models_that_pool_in_another_way_keep_it() -> None:
    from fastembed.text.onnx_embedding import OnnxTextEmbedding
    from fastembed.text.pooled_embedding import PooledEmbedding
    from fastembed.text.pooled_normalized_embedding import PooledNormalizedEmbedding

    assert with_pooling(PooledNormalizedEmbedding) == (PoolsTextByText,)
    assert with_pooling(PooledEmbedding) == with_pooling(OnnxTextEmbedding) == ()
