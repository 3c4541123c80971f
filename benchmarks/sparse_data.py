"""What do all engines search in sparse vectors? Documents and queries of terms with weights, and exact answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

TOP = 10
QUERY_TERMS = {"8 terms": (8, 8), "40 terms": (40, 20)}
"""Terms of a query, and how many of them are taken from one document; the others are drawn at random."""

_VOCABULARY = 30_000


@dataclass(frozen=True)
class SparseQueries:
    """`indices` and `values` are (queries, terms); `worst` is the score of the tenth best document."""

    indices: Integers
    values: Floats
    worst: Floats


@dataclass(frozen=True)
class SparseData:
    """Documents one after the other: document i has the terms from `starts[i]` to `starts[i + 1]`."""

    starts: Integers
    indices: Integers
    values: Floats
    queries: dict[str, SparseQueries]

    @classmethod
    def read(cls, folder: Path) -> SparseData:
        stored = np.load(folder / "sparse.npz")
        queries = {
            name: SparseQueries(*(stored[f"{name} {part}"] for part in ("indices", "values", "worst")))
            for name in QUERY_TERMS
        }
        return cls(stored["starts"], stored["indices"], stored["values"], queries)

    def document(self, row: int) -> tuple[Integers, Floats]:
        part = slice(int(self.starts[row]), int(self.starts[row + 1]))
        return self.indices[part], self.values[part]

    def score(self, row: int, indices: Integers, values: Floats) -> float:
        """The exact score of a document for a query."""
        terms, weights = self.document(row)
        _, left, right = np.intersect1d(terms, indices, assume_unique=True, return_indices=True)
        return float(weights[left] @ values[right])


def make_sparse(folder: Path, points: int, queries: int, rng: np.random.Generator) -> None:
    """Writes documents, queries and answers into a folder."""
    cumulated, names = _vocabulary(rng)
    starts, indices, values = _documents(points, cumulated, names, rng)
    stored: dict[str, NDArray[np.generic]] = {"starts": starts, "indices": indices, "values": values}
    postings = _Postings(starts, indices, values)
    for name, (terms, own) in QUERY_TERMS.items():
        found = np.empty((queries, terms), np.int64)
        for row in range(queries):
            document = int(rng.integers(points))
            terms_of = indices[starts[document] : starts[document + 1]]
            found[row] = _query(terms_of, terms, own, cumulated, names, rng)
        weights = np.ones(found.shape) if terms <= 10 else rng.exponential(1.0, found.shape) + 0.05
        stored[f"{name} indices"], stored[f"{name} values"] = found, weights.astype(np.float32)
        worst = [postings.tenth_best(*query) for query in zip(found, weights, strict=True)]
        stored[f"{name} worst"] = np.array(worst, np.float32)
    np.savez(folder / "sparse.npz", **stored)  # type: ignore[arg-type]


def _vocabulary(rng: np.random.Generator) -> tuple[NDArray[np.float64], Integers]:
    """Cumulated probability of the terms by rank, and their ids, which carry no information about frequency."""
    shares = 1.0 / (np.arange(_VOCABULARY) + 20.0)
    return np.cumsum(shares / shares.sum()), rng.permutation(_VOCABULARY)


def _documents(
    points: int, cumulated: NDArray[np.float64], names: Integers, rng: np.random.Generator
) -> tuple[Integers, Integers, Floats]:
    lengths = np.clip(rng.lognormal(np.log(66), 0.45, points), 12, 400).astype(np.int64)
    document = np.repeat(np.arange(points), lengths)
    drawn = np.minimum(np.searchsorted(cumulated, rng.random(int(lengths.sum()))), _VOCABULARY - 1)
    keys, counts = np.unique(document * _VOCABULARY + names[drawn], return_counts=True)
    document, term = keys // _VOCABULARY, keys % _VOCABULARY
    frequency = np.bincount(term, minlength=_VOCABULARY)
    idf = np.log1p((points - frequency + 0.5) / (frequency + 0.5))
    norm = 1.2 * (0.25 + 0.75 * lengths / lengths.mean())
    weights = (idf[term] * counts * 2.2 / (counts + norm[document])).astype(np.float32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(document, minlength=points))])
    return starts, term, weights


def _query(
    document: Integers,
    terms: int,
    own: int,
    cumulated: NDArray[np.float64],
    names: Integers,
    rng: np.random.Generator,
) -> Integers:
    chosen = set(rng.choice(document, min(own, len(document)), replace=False).tolist())
    while len(chosen) < terms:
        chosen.add(int(names[min(int(np.searchsorted(cumulated, rng.random())), _VOCABULARY - 1)]))
    return np.sort(np.fromiter(chosen, np.int64))


class _Postings:
    """Documents by term, for the exact answers."""

    def __init__(self, starts: Integers, indices: Integers, values: Floats) -> None:
        self._points = len(starts) - 1
        order = np.argsort(indices, kind="stable")
        document = np.repeat(np.arange(self._points), np.diff(starts))
        self._documents, self._values = document[order], values[order]
        self._bounds = np.searchsorted(indices[order], np.arange(_VOCABULARY + 1))

    def tenth_best(self, indices: Integers, values: NDArray[np.float64]) -> float:
        scores = np.zeros(self._points)
        for term, weight in zip(indices.tolist(), values.tolist(), strict=True):
            part = slice(int(self._bounds[term]), int(self._bounds[term + 1]))
            scores[self._documents[part]] += self._values[part] * weight
        return float(np.partition(scores, -TOP)[-TOP])
