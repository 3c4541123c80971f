"""Which options does the model BM25 take, and which values are refused?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from qdlite.errors import WrongInput
from qdlite.text.json_values import OptionError, debug_text, plain_number, read_number, read_text
from qdlite.text.languages import stemmer_language, stopword_language
from qdlite.text.options import TextOptions, parse_tokenizer, read_options
from qdlite.text.stopwords import Stopwords
from qdlite.types import Json

DEFAULT_LANGUAGE = "english"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bm25Options:
    """Settings of one BM25 model. Hashable.

    `k` (>= 0) bounds what repetitions add, `b` (0 to 1) is the influence of a document's length, `avg_len` (> 0)
    the expected length in tokens after filtering.
    """

    k: float
    b: float
    avg_len: float
    text: TextOptions

    @classmethod
    def parse(cls, options: Mapping[str, Json] | None) -> Bm25Options:
        """Reads `Document.options`. Raises WrongInput; unknown keys are ignored.

        Stop words and stemmer not given are those of `language`; an unknown language has neither.
        """
        try:
            parsed = cls._read(options or {})
        except OptionError as error:
            message = f"Error({debug_text(str(error))}, line: 0, column: 0)"
            raise WrongInput(f"Invalid BM25 config: {message}") from None
        parsed._check()
        return parsed

    @classmethod
    def _read(cls, options: Mapping[str, Json]) -> Bm25Options:
        # Of several mistakes the first is reported: numbers and tokenizer before the rest, each by name.
        numbers = {key: read_number(options.get(key, default)) for key, default in _NUMBERS.items()}
        if "tokenizer" in options:
            parse_tokenizer(options["tokenizer"])  # the only text option that may not be null
        language = DEFAULT_LANGUAGE if options.get("language") is None else read_text(options["language"])
        return cls(**numbers, text=_text_options(options, language))

    def _check(self) -> None:
        if not 0 <= self.k < float("inf"):
            raise WrongInput(f"BM25 k1 must be finite and >= 0, got {plain_number(self.k)}")
        if not 0 <= self.b <= 1:
            raise WrongInput(f"BM25 b must be finite and in [0.0, 1.0], got {plain_number(self.b)}")
        if not 0 < self.avg_len < float("inf"):
            raise WrongInput(f"BM25 avg_doc_len must be finite and > 0, got {plain_number(self.avg_len)}")


_NUMBERS = {"avg_len": 256.0, "b": 0.75, "k": 1.2}


def _text_options(options: Mapping[str, Json], language: str) -> TextOptions:
    given = read_options(options)
    if not given.keys() & {"stopwords", "stemmer"}:
        _check_language(language)
    defaults = {"stopwords": Stopwords.of_language(language), "stemmer": stemmer_language(language)}
    return TextOptions(**(defaults | given))


@lru_cache(maxsize=16)
def _check_language(language: str) -> None:
    """Warns of an unknown language, once: it is no error, but hardly what was meant."""
    if not stopword_language(language) and not stemmer_language(language):
        _log.warning(
            "BM25 language %r is unknown: no stop words, no stemming. To ask for that, set `stemmer` to "
            '{"type": "none"} and `stopwords` to {}.',
            language,
        )
