"""How does text become a sparse vector of BM25 weights?

The model `qdrant/bm25` without any download: the same indices and values as Qdrant computes. A collection's sparse
vector needs `modifier: idf` for the other half of the BM25 formula.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from qdlite.inference.embedders import bm25_native
from qdlite.inference.embedders.bm25_options import Bm25Options
from qdlite.text.processor import text_processor
from qdlite.text.tokens import token_id
from qdlite.types import Json, SparseArray

_REMEMBERED_IDS = 100_000


def is_bm25(model: str) -> bool:
    """Is this a name of the built-in model? Letter case does not matter."""
    return model.lower() in {"bm25", "qdrant/bm25"}


class Bm25Embedder:
    """The model for `Document.options`. Cheap to make: equal options share one model. Safe for several threads.

    Raises WrongInput for invalid options, and Unsupported for the `multilingual` tokenizer and the Armenian
    stemmer while the package qdrant-edge-py is not installed.
    """

    def __init__(self, options: Mapping[str, Json] | None = None) -> None:
        self._model = _model(Bm25Options.parse(options))

    def embed(self, texts: Sequence[str]) -> list[SparseArray]:
        """The vectors of documents: term frequencies, saturated by `k` and scaled by length.

        Empty vectors where no token is left.
        """
        return self._model.embed(texts)

    def query_embed(self, texts: Sequence[str]) -> list[SparseArray]:
        """The vectors of queries: 1.0 for each distinct token; empty vectors where no token is left."""
        return self._model.query_embed(texts)


@lru_cache(maxsize=64)
def _model(options: Bm25Options) -> _TokenBm25 | bm25_native.NativeBm25:
    if bm25_native.needed(options):
        return bm25_native.NativeBm25(options)
    return _TokenBm25(options)


class _TokenBm25:
    """BM25 over the tokens of `qdlite.text`."""

    def __init__(self, options: Bm25Options) -> None:
        self.options = options
        self._processor = text_processor(options.text)
        self._ids = _TokenIds()

    def embed(self, texts: Sequence[str]) -> list[SparseArray]:
        return [self._document(self._processor.document_tokens(text)) for text in texts]

    def query_embed(self, texts: Sequence[str]) -> list[SparseArray]:
        return [self._query(self._processor.query_tokens(text)) for text in texts]

    def _document(self, tokens: list[str]) -> SparseArray:
        """Weights n(k+1) / (n + k(1 - b + b L / avg_len)): n is a token's count, L the number of all tokens."""
        options = self.options
        scale = options.k * (1.0 - options.b + options.b * len(tokens) / options.avg_len)
        counts = {self._ids[token]: count for token, count in Counter(tokens).items()}
        indices = sorted(counts)
        frequencies = np.array([counts[index] for index in indices], dtype=np.float64)
        values = frequencies * (options.k + 1.0) / (frequencies + scale)
        return SparseArray(np.array(indices, dtype=np.uint32), values.astype(np.float32))

    def _query(self, tokens: list[str]) -> SparseArray:
        indices = sorted({self._ids[token] for token in tokens})
        return SparseArray(np.array(indices, dtype=np.uint32), np.ones(len(indices), dtype=np.float32))


class _TokenIds(dict[str, int]):
    """The ids of tokens met before. Forgets everything when full."""

    def __missing__(self, token: str) -> int:
        if len(self) >= _REMEMBERED_IDS:
            self.clear()
        self[token] = number = token_id(token)
        return number
