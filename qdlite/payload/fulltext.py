"""Which texts contain which tokens, how often, and in which order?

A document is one string, known by its code in a column; strings that several points share are split only once.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qdlite.payload.entries import Growing, ranges
from qdlite.text.options import TextOptions
from qdlite.text.processor import text_processor
from qdlite.types import BoolArray

Codes = NDArray[np.int32]


class TextIndex:
    """An inverted index with token positions. Grows only; documents are numbered in the order of adding."""

    def __init__(self, options: TextOptions) -> None:
        self._processor = text_processor(options)
        self._ids: dict[str, int] = {}
        self._documents: list[array[int]] = []
        self._frequencies: list[array[int]] = []
        self._stream = Growing(np.int32)
        self._lengths = Growing(np.int64)

    def __len__(self) -> int:
        """Number of documents."""
        return len(self._lengths)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of tokens of each document."""
        return self._lengths.array

    def add(self, texts: Sequence[str]) -> None:
        """Splits further documents into tokens."""
        if not texts:
            return
        first = len(self)
        stream: list[int] = []
        lengths: list[int] = []
        for document, text in enumerate(texts, first):
            tokens = self._processor.document_tokens(text)
            ids = [self._token(token) for token in tokens]
            for token, count in Counter(ids).items():
                self._documents[token].append(document)
                self._frequencies[token].append(count)
            stream.extend(ids)
            lengths.append(len(ids))
        self._stream.extend(stream)
        self._lengths.extend(lengths)

    def _token(self, token: str) -> int:
        known = self._ids.get(token)
        if known is None:
            known = self._ids[token] = len(self._documents)
            self._documents.append(array("i"))
            self._frequencies.append(array("i"))
        return known

    def query_tokens(self, text: str) -> list[str]:
        """The distinct tokens that a query text looks for."""
        return list(dict.fromkeys(self._processor.query_tokens(text)))

    def postings(self, token: str) -> tuple[Codes, NDArray[np.int32]]:
        """Documents that contain a token, ascending, and how often each does."""
        known = self._ids.get(token)
        if known is None:
            return np.empty(0, np.int32), np.empty(0, np.int32)
        return np.array(self._documents[known], np.int32), np.array(self._frequencies[known], np.int32)

    def containing(self, token: str) -> BoolArray:
        """Which documents contain a token."""
        mask = np.zeros(len(self), np.bool_)
        mask[self.postings(token)[0]] = True
        return mask

    def phrase(self, text: str) -> BoolArray:
        """Which documents contain the tokens of a text one directly after the other; none if it has no tokens."""
        ids = [self._ids.get(token) for token in self._processor.document_tokens(text)]
        mask = np.zeros(len(self), np.bool_)
        known = [token for token in ids if token is not None]
        if not ids or len(known) < len(ids):
            return mask
        candidates = np.array(min((self._documents[token] for token in known), key=len), np.intp)
        lengths = self.lengths[candidates]
        starts = np.cumsum(self.lengths)[candidates] - lengths
        usable = np.maximum(lengths - (len(known) - 1), 0)  # positions at which the phrase could begin
        positions = ranges(starts, usable)
        hits = np.ones(len(positions), np.bool_)
        for shift, token in enumerate(known):
            hits &= self._stream.array[positions + shift] == token
        mask[np.repeat(candidates, usable)[hits]] = True
        return mask
