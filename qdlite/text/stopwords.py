"""Which words are too common to be tokens?

The lists in `stopword_lists/` are those Qdrant uses, one word a line. All but the Japanese one are NLTK's, as
published in the crate `stop-words` (MIT or Apache-2.0): 0.10.1, but 0.8.1 for English, and Catalan with `d` added.
Japanese follows Stopwords ISO (MIT) with the 17 additions and 2 removals that Qdrant's behaviour shows. Entries
that can never be a token (trailing space, two words) are kept, so that the lists can be compared with others.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from msgspec import Struct

from qdlite.text.json_values import OptionError, untagged_mismatch
from qdlite.text.languages import STOPWORD_LANGUAGES, stopword_language
from qdlite.types import Json


@lru_cache(maxsize=len(STOPWORD_LANGUAGES))
def stopword_list(language: str) -> frozenset[str]:
    """The list of one language (full name), spelled as published. Read from its file on first use."""
    file = files("qdlite.text") / "stopword_lists" / f"{language}.txt"
    return frozenset(file.read_text(encoding="utf-8").split("\n")) - {""}


class Stopwords(Struct, frozen=True):
    """A choice of stop words: the lists of `languages` (full names) and `custom` words together."""

    languages: frozenset[str] = frozenset()
    custom: frozenset[str] = frozenset()

    @classmethod
    def of_language(cls, language: str) -> Stopwords:
        """The default list of a language, given by name or code; no words at all for an unknown one."""
        name = stopword_language(language)
        return cls(frozenset({name})) if name else cls()

    def words(self, lowercase: bool) -> frozenset[str]:
        """All words to drop. With `lowercase` they are lower-cased, as tokens are before the comparison."""
        words = self.custom.union(*map(stopword_list, self.languages))
        return frozenset(map(str.lower, words)) if lowercase else words


NO_STOPWORDS = Stopwords()


def parse_stopwords(value: Json) -> Stopwords:
    """Reads the option `stopwords`: a language name or code, or `{"languages": [..], "custom": [..]}`.

    Both members may be missing or null, other members are ignored; as in Qdrant the two may also stand in a
    list, in this order. Raises OptionError.
    """
    if isinstance(value, str) and stopword_language(value):
        return Stopwords.of_language(value)
    if isinstance(value, list) and len(value) <= 2:
        value = dict(zip(("languages", "custom"), value, strict=False))
    if not isinstance(value, dict):
        raise _mismatch()
    languages = [stopword_language(name) for name in _texts(value.get("languages"))]
    known = frozenset(name for name in languages if name is not None)
    if None in languages:
        raise _mismatch()
    return Stopwords(known, frozenset(_texts(value.get("custom"))))


def _texts(value: Json) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _mismatch()
    return value


def _mismatch() -> OptionError:
    return untagged_mismatch("StopwordsInterface")
