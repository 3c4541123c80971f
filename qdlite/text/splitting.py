"""Where does a word begin and end?"""

from __future__ import annotations

import re

import regex

_ASCII_WORD = re.compile(r"[0-9A-Za-z]+")
_WORD = regex.compile(r"[\p{Alphabetic}\p{N}]+")

# str.split and \s would also split at the information separators U+001C to U+001F, which are no white space
# in Unicode.
_UNBROKEN = re.compile(r"[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def words(text: str) -> list[str]:
    """The maximal runs of letters, numbers and alphabetic vowel signs (Unicode Alphabetic or category N)."""
    return _ASCII_WORD.findall(text) if text.isascii() else _WORD.findall(text)


def unbroken(text: str) -> list[str]:
    """What stands between white space (Unicode White_Space), punctuation included."""
    return _UNBROKEN.findall(text)
