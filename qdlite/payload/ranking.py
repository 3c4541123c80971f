"""How well does each point's text answer a query, by BM25?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qdlite.payload.column import Column
from qdlite.payload.entries import DEAD
from qdlite.payload.fulltext import TextIndex
from qdlite.types import BoolArray, FloatArray, OffsetArray

Weights = NDArray[np.float64]


def text_scores(
    column: Column, index: TextIndex, query: str, k: float, b: float, corpus: BoolArray | None = None
) -> tuple[OffsetArray, FloatArray]:
    """Rows with at least one token of the query, ascending, and their BM25 scores.

    Per token: ln(1 + (N - df + 0.5) / (df + 0.5)) * tf * (k + 1) / (tf + k * (1 - b + b * length / average)),
    where N is the number of rows with text and df the number of those with the token. All strings of a row
    together are its text. `corpus` restricts the rows over which N, df and the average are taken.
    """
    rows, codes = column.strings.rows, column.strings.values()
    kept = rows != DEAD
    rows, codes = rows[kept], codes[kept]
    extent = int(rows.max()) + 1 if len(rows) else 0
    lengths = np.bincount(rows, index.lengths[codes], extent)
    counted = _counted(rows, extent, corpus)
    total = int(np.count_nonzero(counted))
    average = lengths[counted].sum() / total if total else 0.0
    norm = k * (1 - b + b * lengths / average) if average else np.zeros(extent)
    scores = np.zeros(extent)
    hit = np.zeros(extent, np.bool_)
    for token in index.query_tokens(query):
        frequencies = np.bincount(rows, _by_code(index, token)[codes], extent)
        found = np.flatnonzero(frequencies)
        tf, df = frequencies[found], np.count_nonzero(counted[found])
        scores[found] += np.log1p((total - df + 0.5) / (df + 0.5)) * tf * (k + 1) / (tf + norm[found])
        hit[found] = True
    offsets = np.flatnonzero(hit)
    return offsets, scores[offsets].astype(np.float32)


def _counted(rows: OffsetArray, extent: int, corpus: BoolArray | None) -> BoolArray:
    """Which rows the statistics are taken over: those with text, in the corpus."""
    counted = np.zeros(extent, np.bool_)
    counted[rows] = True
    if corpus is not None:
        length = min(extent, len(corpus))
        counted[:length] &= corpus[:length]
        counted[length:] = False
    return counted


def _by_code(index: TextIndex, token: str) -> Weights:
    documents, frequencies = index.postings(token)
    weights = np.zeros(len(index))
    weights[documents] = frequencies
    return weights
