"""Which tokens does a text have, as a document and as a query?"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import chain

from qdlite.text import ascii_folding, splitting
from qdlite.text.multilingual import segments
from qdlite.text.options import TextOptions
from qdlite.text.stemming import stemmer
from qdlite.text.tokens import TEXT_BOUNDARY

Tokens = tuple[str, ...]

_REMEMBERED = 50_000
_LONGEST_REMEMBERED = 64


class TextProcessor:
    """Turns text into tokens, in the order of the text. Safe for use by several threads.

    A token is split off, folded to ASCII, lower-cased, dropped if it is a stop word, stemmed, and dropped if it
    is too short or too long: in this order. Documents and queries differ only with the `prefix` tokenizer: a
    document word gives all its prefixes of allowed length, a query word the longest one, and stop words are
    kept in queries, where they may be beginnings of other words.
    Raises Unsupported for a stemmer that does not exist here (armenian).
    """

    def __init__(self, options: TextOptions) -> None:
        self.options = options
        self._split = _SPLITTERS[options.tokenizer]
        pipeline = _Pipeline(options)
        document, query = pipeline.token, pipeline.token
        if options.tokenizer == "prefix":
            document, query = pipeline.prefixes, pipeline.longest_prefix
        self._document = _Memory(document)
        self._query = self._document if query == document else _Memory(query)

    def document_tokens(self, text: str) -> list[str]:
        """The tokens under which a text is found."""
        return list(chain.from_iterable(map(self._document.__getitem__, self._split(text))))

    def query_tokens(self, text: str) -> list[str]:
        """The tokens that a query text looks for."""
        tokens = list(chain.from_iterable(map(self._query.__getitem__, self._split(text))))
        if TEXT_BOUNDARY in text:
            return [token for token in tokens if token != TEXT_BOUNDARY]
        return tokens


@lru_cache(maxsize=64)
def text_processor(options: TextOptions) -> TextProcessor:
    """The processor for these options; the same one for equal options, with what it remembers."""
    return TextProcessor(options)


_SPLITTERS: dict[str, Callable[[str], list[str]]] = {
    "word": splitting.words,
    "prefix": splitting.words,
    "whitespace": splitting.unbroken,
    "multilingual": segments,
}


class _Memory(dict[str, Tokens]):
    """The tokens of words met before. Forgets everything when full: cheap, and frequent words soon return."""

    def __init__(self, compute: Callable[[str], Tokens]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, word: str) -> Tokens:
        tokens = self._compute(word)
        if len(word) <= _LONGEST_REMEMBERED:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[word] = tokens
        return tokens


class _Pipeline:
    """What happens to one word after splitting."""

    def __init__(self, options: TextOptions) -> None:
        self._fold = options.ascii_folding
        self._lowercase = options.lowercase
        self._stopwords = options.stopwords.words(options.lowercase)
        self._stem = stemmer(options.stemmer) if options.stemmer else None
        self._min = options.min_token_len
        self._max = options.max_token_len

    def token(self, word: str) -> Tokens:
        """The word as one token, or nothing."""
        token = self._normalised(word)
        if token in self._stopwords:
            return ()
        token = self._stemmed(token)
        too_long = self._max is not None and len(token) > self._max
        return () if too_long or self._too_short(token) else (token,)

    def prefixes(self, word: str) -> Tokens:
        """The beginnings of a document's word, from the shortest to the longest allowed."""
        token = self._normalised(word)
        if token in self._stopwords:
            return ()
        token = self._stemmed(token)
        if self._too_short(token):
            return ()
        shortest = 1 if self._min is None else self._min
        longest = len(token) if self._max is None else self._max
        cut = [token[:length] for length in range(shortest, min(longest + 1, len(token)))]
        return (*cut, token) if shortest <= longest >= len(token) else tuple(cut)

    def longest_prefix(self, word: str) -> Tokens:
        """A query's word, cut to the longest prefix that a document can have."""
        token = self._stemmed(self._normalised(word))
        return () if self._too_short(token) else (token[: self._max],)

    def _normalised(self, word: str) -> str:
        folded = ascii_folding.fold(word) if self._fold else word
        return folded.lower() if self._lowercase else folded

    def _stemmed(self, token: str) -> str:
        return self._stem(token) if self._stem else token

    def _too_short(self, token: str) -> bool:
        return self._min is not None and len(token) < self._min
