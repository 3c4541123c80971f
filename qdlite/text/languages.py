"""Which languages does text processing know, and by which names and codes?

Names and codes are Qdrant's; both are case-sensitive there and here. Note `jp` for Japanese and `hi-en` for
Hinglish.
"""

from __future__ import annotations

from types import MappingProxyType

STOPWORD_LANGUAGES = MappingProxyType(
    {
        "arabic": "ar",
        "azerbaijani": "az",
        "basque": "eu",
        "bengali": "bn",
        "catalan": "ca",
        "chinese": "zh",
        "danish": "da",
        "dutch": "nl",
        "english": "en",
        "finnish": "fi",
        "french": "fr",
        "german": "de",
        "greek": "el",
        "hebrew": "he",
        "hinglish": "hi-en",
        "hungarian": "hu",
        "indonesian": "id",
        "italian": "it",
        "japanese": "jp",
        "kazakh": "kk",
        "nepali": "ne",
        "norwegian": "no",
        "portuguese": "pt",
        "romanian": "ro",
        "russian": "ru",
        "slovene": "sl",
        "spanish": "es",
        "swedish": "sv",
        "tajik": "tg",
        "turkish": "tr",
    }
)
"""Languages with a list of stop words: name to code."""

STEMMER_LANGUAGES = MappingProxyType(
    {
        "arabic": "ar",
        "armenian": "hy",
        "danish": "da",
        "dutch": "nl",
        "english": "en",
        "finnish": "fi",
        "french": "fr",
        "german": "de",
        "greek": "el",
        "hungarian": "hu",
        "italian": "it",
        "norwegian": "no",
        "portuguese": "pt",
        "romanian": "ro",
        "russian": "ru",
        "spanish": "es",
        "swedish": "sv",
        "tamil": "ta",
        "turkish": "tr",
    }
)
"""Languages with a Snowball stemmer: name to code."""

_STOPWORD_NAMES = {code: name for name, code in STOPWORD_LANGUAGES.items()}
_STEMMER_NAMES = {code: name for name, code in STEMMER_LANGUAGES.items()}


def stopword_language(text: str) -> str | None:
    """The full name of a language with stop words, given its name or code; None for any other text."""
    return text if text in STOPWORD_LANGUAGES else _STOPWORD_NAMES.get(text)


def stemmer_language(text: str) -> str | None:
    """The full name of a language with a stemmer, given its name or code; None for any other text."""
    return text if text in STEMMER_LANGUAGES else _STEMMER_NAMES.get(text)
