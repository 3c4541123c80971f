"""How do the vectors of a text's tokens become one vector of length one?

By their mean, as fastembed makes it, but text by text. The few steps that a query takes so cost half as much right
after a run of the model, when code and data come from memory; and no vector depends on what it is batched with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHORTEST = 1e-12
"""Length from which on a mean is divided by its length."""


class PoolsTextByText:
    """Goes before a class of fastembed that takes the mean and divides it by its length."""

    def _post_process_onnx_output(self, output: Any, **options: Any) -> Iterator[NDArray[Any]]:
        return map(_direction, output.model_output, output.attention_mask)


def with_pooling(model_class: Any) -> tuple[type, ...]:
    """The bases to go before a model class: none for those that pool in another way."""
    plain = import_module("fastembed.text.pooled_normalized_embedding").PooledNormalizedEmbedding
    method = "_post_process_onnx_output"
    return (PoolsTextByText,) if getattr(model_class, method, None) is getattr(plain, method) else ()


def _direction(tokens: NDArray[Any], mask: NDArray[np.int64]) -> NDArray[Any]:
    """The mean of the tokens that the mask marks, scaled to length one; summed in double precision, as by fastembed."""
    count = int(np.count_nonzero(mask))
    own = tokens if count == len(tokens) else tokens[mask.astype(bool)]
    mean = own.sum(0, np.float64) / max(count, 1)
    direction: NDArray[np.float64] = mean / max(math.sqrt(mean.dot(mean)), _SHORTEST)
    return direction.astype(tokens.dtype)
