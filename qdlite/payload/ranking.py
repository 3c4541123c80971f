"""How well does each point's text answer a query, by BM25?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qdlite.payload.column import Column
from qdlite.payload.entries import DEAD
from qdlite.payload.fulltext import TextIndex
from qdlite.types import FloatArray, OffsetArray

Weights = NDArray[np.float64]


def text_scores(column: Column, index: TextIndex, query: str, k: float, b: float) -> tuple[OffsetArray, FloatArray]:
    """Rows with at least one token of the query, ascending, and their BM25 scores.

    Per token: ln(1 + (N - df + 0.5) / (df + 0.5)) * tf * (k + 1) / (tf + k * (1 - b + b * length / average)),
    where N is the number of rows with text and df the number of those with the token. All strings of a row
    together are its text.
    """
    rows, codes = column.strings.rows, column.strings.values()
    kept = rows != DEAD
    rows, codes = rows[kept], codes[kept]
    extent = int(rows.max()) + 1 if len(rows) else 0
    lengths = np.bincount(rows, index.lengths[codes], extent)
    total = len(np.unique(rows))
    average = lengths.sum() / total if total else 0.0
    norm = k * (1 - b + b * lengths / average) if average else np.zeros(extent)
    scores = np.zeros(extent)
    hit = np.zeros(extent, np.bool_)
    for token in index.query_tokens(query):
        frequencies = np.bincount(rows, _by_code(index, token)[codes], extent)
        found = np.flatnonzero(frequencies)
        tf = frequencies[found]
        scores[found] += np.log1p((total - len(found) + 0.5) / (len(found) + 0.5)) * tf * (k + 1) / (tf + norm[found])
        hit[found] = True
    offsets = np.flatnonzero(hit)
    return offsets, scores[offsets].astype(np.float32)


def _by_code(index: TextIndex, token: str) -> Weights:
    documents, frequencies = index.postings(token)
    weights = np.zeros(len(index))
    weights[documents] = frequencies
    return weights
