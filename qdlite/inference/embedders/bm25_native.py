"""How are the BM25 options served that only Qdrant's own library can serve?

The `multilingual` tokenizer relies on dictionaries and a trained model, the Armenian stemmer is in no other package.
Both are in qdrant-edge-py, an optional dependency.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from qdlite.errors import Unsupported
from qdlite.inference.embedders.bm25_options import Bm25Options
from qdlite.text.options import TextOptions
from qdlite.text.stemming import STEMMERS
from qdlite.types import SparseArray

PACKAGE = "qdrant-edge-py"


def needed(options: Bm25Options) -> bool:
    """Do these options need the library?"""
    text = options.text
    return text.tokenizer == "multilingual" or (text.stemmer is not None and text.stemmer not in STEMMERS)


class NativeBm25:
    """BM25 by the library. Raises Unsupported if it is missing."""

    def __init__(self, options: Bm25Options) -> None:
        library = _library(options.text)
        config = library.Bm25Config(
            k=options.k, b=options.b, avg_len=options.avg_len, **_text_settings(library, options.text)
        )
        self._model = library.Bm25(config)

    def embed(self, texts: Sequence[str]) -> list[SparseArray]:
        return _arrays(self._model.embed_document, texts)

    def query_embed(self, texts: Sequence[str]) -> list[SparseArray]:
        return _arrays(self._model.embed_query, texts)


def _library(text: TextOptions) -> Any:
    try:
        return import_module("qdrant_edge")
    except ImportError:
        feature = "tokenizer `multilingual`" if text.tokenizer == "multilingual" else f"{text.stemmer} stemmer"
        raise Unsupported(
            f"the {feature} of BM25 without the package {PACKAGE}; install it (pip install {PACKAGE})"
        ) from None


def _text_settings(library: Any, text: TextOptions) -> dict[str, Any]:
    """The library's arguments. Stop words and stemmer are always explicit: it refuses languages without both."""
    languages = {getattr(library.Language, name.capitalize()) for name in text.stopwords.languages}
    stemmer = library.DisabledStemmer()
    if text.stemmer:
        stemmer = library.SnowballParams(getattr(library.SnowballLanguage, text.stemmer.capitalize()))
    return {
        "tokenizer": getattr(library.TokenizerType, text.tokenizer.capitalize()),
        "lowercase": text.lowercase,
        "ascii_folding": text.ascii_folding,
        "stopwords": library.StopwordsSet(languages=languages, custom=set(text.stopwords.custom)),
        "stemmer": stemmer,
        "min_token_len": text.min_token_len,
        "max_token_len": text.max_token_len,
    }


def _arrays(embed: Callable[[str], Any], texts: Sequence[str]) -> list[SparseArray]:
    vectors = map(embed, texts)
    return [
        SparseArray(np.array(vector.indices, dtype=np.uint32), np.array(vector.values, dtype=np.float32))
        for vector in vectors
    ]
