"""Which vectors stand in for a model's when nothing may be downloaded?

`hashing/<dimensions>` needs no files: it hashes words and character n-grams, so that texts which share words or
word parts are near each other. Made for tests and trials; it knows no synonyms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import mmh3
import numpy as np
from numpy.typing import NDArray

from qdlite.errors import InferenceError
from qdlite.types import FloatArray

PREFIX = "hashing/"
MAX_DIMENSIONS = 65536
_DIGITS = 20
_SHOWN = 40
"""Digits that are read, and characters of a wrong name that are repeated."""

_WORD = re.compile(r"\w+")
_GRAM_SIZES = (3, 4)
_WORD_WEIGHT = 5
_GRAM_WEIGHT = 2
_REPETITION_STEPS = 2**16  # all weights are whole numbers, so sums are exact in whatever order they are made
_REMEMBERED_WORDS = 50_000
_BLOCK_CELLS = 2_000_000
_BLOCK_WORDS = 100_000

Features = tuple[NDArray[np.uint32], FloatArray]

_features: dict[str, Features] = {}
"""Of words met before, the same for all dimensions."""


def dimensions_of(model: str) -> int | None:
    """The size in `hashing/<size>` (any letter case), None for another model. Raises InferenceError."""
    if not model.lower().startswith(PREFIX):
        return None
    size = model[len(PREFIX) :]
    if not (size.isascii() and size.isdigit() and len(size) <= _DIGITS) or not 1 <= int(size) <= MAX_DIMENSIONS:
        raise InferenceError(
            f"Model {model[:_SHOWN]!r} needs a number of dimensions from 1 to {MAX_DIMENSIONS}, e.g. hashing/384"
        )
    return int(size)


class HashingEmbedder:
    """Deterministic unit vectors (float32) of a fixed number of dimensions; equal texts have equal vectors.

    A word contributes itself (5) and its n-grams of 3 and 4 characters (2 each), added to one component with
    a sign; both come from a 32-bit hash (feature hashing, Weinberger et al. 2009). Repeated words count
    1 + ln(repetitions). Letter case is ignored.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def embed(self, texts: Sequence[str]) -> tuple[list[FloatArray], int]:
        """The vector of each text, and the number of words in all of them."""
        words = [_WORD.findall(text.casefold()) for text in texts]
        blocks = [self._block(block) for block in _blocks(words, max(1, _BLOCK_CELLS // self.dimensions))]
        return list(chain.from_iterable(blocks)), sum(map(len, words))

    def _block(self, texts: list[list[str]]) -> FloatArray:
        numbers: dict[str, int] = {"": 0}
        for word in chain.from_iterable(texts):
            numbers.setdefault(word, len(numbers))
        pairs, weights = _weighted_pairs(texts, numbers)
        sums = self._sum(pairs, weights, [_of_word(word) for word in numbers], len(texts))
        return _unit_rows(sums)

    def _sum(
        self, pairs: NDArray[np.int64], weights: NDArray[np.float64], features: list[Features], rows: int
    ) -> NDArray[np.float64]:
        """Adds the features of word `pairs % len(features)`, weighted, to row `pairs // len(features)`."""
        lengths = np.array([len(hashes) for hashes, _ in features])
        starts = np.cumsum(lengths) - lengths
        hashes = np.concatenate([hashes for hashes, _ in features])
        values = np.concatenate([values for _, values in features])
        row, word = np.divmod(pairs, len(features))
        counts = lengths[word]
        first = np.cumsum(counts) - counts
        source = np.arange(counts.sum()) + np.repeat(starts[word] - first, counts)
        cells = np.repeat(row * self.dimensions, counts) + hashes[source] % self.dimensions
        contributions = values[source] * np.repeat(weights, counts)
        sums = np.bincount(cells, contributions, minlength=rows * self.dimensions)
        return sums.reshape(rows, self.dimensions).astype(np.float64, copy=False)


def _of_word(word: str) -> Features:
    known = _features.get(word)
    if known is None:
        known = _word_features(word)
        if len(_features) < _REMEMBERED_WORDS:
            _features[word] = known
    return known


def _blocks(texts: list[list[str]], rows: int) -> Iterator[list[list[str]]]:
    """Cuts the texts into runs of at most `rows`, with a bounded number of words, to bound memory."""
    start = words = 0
    for stop, text in enumerate(texts):
        if stop > start and (stop - start == rows or words + len(text) > _BLOCK_WORDS):
            yield texts[start:stop]
            start, words = stop, 0
        words += len(text)
    if start < len(texts):
        yield texts[start:]


def _weighted_pairs(texts: list[list[str]], numbers: dict[str, int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Distinct (text, word) pairs as one number each, and the weight of each."""
    flat: Iterable[int] = (numbers[word] for words in texts for word in words or ("",))
    counts = [len(words) or 1 for words in texts]
    total = sum(counts)
    word = np.fromiter(flat, np.int64, count=total)
    text = np.repeat(np.arange(len(texts)), counts)
    pairs, repetitions = np.unique(text * len(numbers) + word, return_counts=True)
    return pairs, np.rint(_REPETITION_STEPS * (1.0 + np.log(repetitions)))


def _word_features(word: str) -> Features:
    marked = f"<{word}>"
    grams = [marked[at : at + size] for size in _GRAM_SIZES for at in range(len(marked) - size + 1)]
    hashes = np.array([mmh3.hash(part, signed=False) for part in (word, *grams)], dtype=np.uint32)
    weights = np.full(len(hashes), _GRAM_WEIGHT, dtype=np.float32)
    weights[0] = _WORD_WEIGHT
    signs = np.where(hashes >> 31, np.float32(-1), np.float32(1))
    return hashes & np.uint32(0x7FFFFFFF), weights * signs


def _unit_rows(sums: NDArray[np.float64]) -> FloatArray:
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    empty = norms[:, 0] == 0  # contributions may cancel, above all in one dimension
    sums[empty, 0] = norms[empty, 0] = 1.0
    rows: FloatArray = (sums / norms).astype(np.float32)
    return rows
