"""How well does each point's text answer a query, by BM25?"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdlite.payload.column import Column
from qdlite.payload.entries import DEAD, fitted
from qdlite.payload.fulltext import TextIndex
from qdlite.payload.indexes import FieldIndex
from qdlite.payload.tables import Table
from qdlite.types import BoolArray, FloatArray, OffsetArray

Weights = NDArray[np.float64]


class Bm25(NamedTuple):
    """`k`: how slowly more occurrences of a token add less; `b`: how much longer texts lose, from 0 to 1."""

    k: float
    b: float


def ranked(
    table: Table, index: FieldIndex, query: str, params: Bm25, corpus: BoolArray | None
) -> tuple[OffsetArray, FloatArray]:
    """Rows of the table with at least one token of the query, ascending, and their scores.

    Elements of an index with `nested` are texts of their own; the best one counts for its row.
    """
    inner = None if index.nested is None else index.path.strip_prefix(index.nested)
    if index.nested is None or inner is None:
        return text_scores(table.column(index.path), index, query, params, corpus)
    elements = table.child(index.nested)
    among = None if corpus is None else elements.element_mask(corpus)
    rows, scores = text_scores(elements.column(inner), index, query, params, among)
    owners, which = np.unique(elements.parents(rows), return_inverse=True)
    best = np.zeros(len(owners), np.float32)
    np.maximum.at(best, which, scores)
    return owners.astype(np.intp), best


def text_scores(
    column: Column, index: FieldIndex, query: str, params: Bm25, corpus: BoolArray | None
) -> tuple[OffsetArray, FloatArray]:
    """Rows with at least one token of the query, ascending, and their BM25 scores.

    Per token: ln(1 + (N - df + 0.5) / (df + 0.5)) * tf * (k + 1) / (tf + k * (1 - b + b * length / average)),
    where N is the number of rows with tokens and df the number of those with the token. All strings of a row
    together are its text. N, df and average are those of the rows in `corpus`, or of all rows.
    """
    assert index.text_options is not None
    tokens = column.text_index(index.text_options)
    texts = _Texts(column, tokens)
    counted = texts.present if corpus is None else texts.present & fitted(corpus, texts.extent)
    total = int(counted.sum())
    average = texts.lengths[counted].mean() if total else 0.0
    relative = texts.lengths / average if average else np.ones(texts.extent)
    norm = params.k * (1 - params.b + params.b * relative)
    scores = np.zeros(texts.extent)
    for token in tokens.query_tokens(query):
        frequencies = texts.frequencies(token)
        found = np.flatnonzero(frequencies)
        df = int(np.count_nonzero(frequencies[counted]))
        tf = frequencies[found]
        weight = np.log1p((total - df + 0.5) / (df + 0.5))
        scores[found] += weight * tf * (params.k + 1) / (tf + norm[found])
    offsets = np.flatnonzero(scores)
    return offsets, scores[offsets].astype(np.float32)


class _Texts:
    """The texts of the rows of a column."""

    def __init__(self, column: Column, index: TextIndex) -> None:
        kept = column.strings.rows != DEAD
        self._index = index
        self._rows = column.strings.rows[kept]
        self._codes = column.strings.values()[kept]
        self.extent = column.extent
        self.lengths = self._summed(index.lengths)
        self.present = self.lengths > 0

    def frequencies(self, token: str) -> Weights:
        """How often each row has a token."""
        documents, counts = self._index.postings(token)
        by_code = np.zeros(len(self._index))
        by_code[documents] = counts
        return self._summed(by_code)

    def _summed(self, by_code: NDArray[Any]) -> Weights:
        return np.bincount(self._rows, by_code[self._codes], self.extent).astype(np.float64)
