"""How is text of any script cut into words where no dictionary is at hand?

An approximation of Qdrant's `multilingual` tokenizer, which carries dictionaries for Chinese and Thai and a trained
model for Japanese. Texts in scripts with spaces are cut as Qdrant does, up to rare signs. Chinese, Japanese and
Thai are cut into overlapping pairs of characters instead of words: a query of two characters or more finds every
text that contains it, also where it is only a part of longer words, and phrases keep their order. A query of a
single character finds it only where it stands alone. Also unlike Qdrant, stemming, folding and length limits
apply to Japanese text as well.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import chain

import regex

_ASCII_WORD = re.compile(r"[0-9]*[a-z][0-9a-z]*")
_MARKED_BASE = r"(?<=[\p{Latin}\p{Greek}\p{Hebrew}\p{Arabic}\p{Thai}]\p{Mn}*)"
_TATWEEL = "\u0640"  # lengthens Arabic words on paper, no part of them
_LOSSY = regex.compile(rf"{_MARKED_BASE}\p{{Mn}}+|{_TATWEEL}")
_RUN = regex.compile(
    r"(?V1)(?P<unspaced>[\p{Han}\p{Hiragana}\p{Katakana}ー]+|\p{Thai}+)"
    r"|[[\p{Alphabetic}\p{N}\p{M}]--[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}]]+"
)
_ALPHABETIC = regex.compile(r"\p{Alphabetic}")


def segments(text: str) -> list[str]:
    """The words of a text, lower-cased, in compatibility form, without accents; no numbers.

    Accents and vowel points go from Latin, Greek, Hebrew, Arabic and Thai letters and stay on all others.
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    plain = _LOSSY.sub("", unicodedata.normalize("NFKD", text))
    normal = unicodedata.normalize("NFC", plain).lower()
    runs = (_cut(match) for match in _RUN.finditer(normal))
    return [word for word in chain.from_iterable(runs) if _ALPHABETIC.search(word)]


def _cut(run: regex.Match[str]) -> list[str]:
    word = run[0]
    if run["unspaced"] is None or len(word) <= 2:
        return [word]
    return [word[at : at + 2] for at in range(len(word) - 1)]
