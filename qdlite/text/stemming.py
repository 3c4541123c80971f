"""How is a word reduced to its stem?

The stemmers are Snowball's in the version that Qdrant uses (rust-stemmers). Newer ones stem many Dutch, German,
Russian and other words differently, and stems decide the indices of BM25 vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from qdlite.errors import Unsupported
from qdlite.text.json_values import OptionError, untagged_mismatch
from qdlite.text.languages import STEMMER_LANGUAGES, stemmer_language
from qdlite.types import Json

STEMMERS = frozenset(STEMMER_LANGUAGES) - {"armenian"}
"""Languages (full names) for which `stemmer` has an implementation."""


@lru_cache(maxsize=len(STEMMER_LANGUAGES))
def stemmer(language: str) -> Callable[[str], str]:
    """The function from a lower-case word to its stem. Raises Unsupported for armenian."""
    if language not in STEMMERS:
        raise Unsupported(f"stemming of {language}; choose another `language`, or `stemmer` {{'type': 'none'}}")
    from py_rust_stemmers import SnowballStemmer

    stem: Callable[[str], str] = SnowballStemmer(language).stem_word
    return stem


def parse_stemmer(value: Json) -> str | None:
    """Reads the option `stemmer`; the full name of its language, or None for no stemming.

    `{"type": "snowball", "language": <name or code>}` or `{"type": "none"}`. Raises OptionError.
    """
    algorithm = value.get("type") if isinstance(value, dict) else None
    if algorithm == "none":
        return None
    language = value.get("language") if algorithm == "snowball" else None
    name = stemmer_language(language) if isinstance(language, str) else None
    if name is None:
        raise _mismatch()
    return name


def _mismatch() -> OptionError:
    return untagged_mismatch("StemmingAlgorithm")
