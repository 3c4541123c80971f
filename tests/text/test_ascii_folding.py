"""Which characters become ASCII?"""

# ruff: noqa: RUF001  (look-alikes are wanted here)
from __future__ import annotations

import sys

import pytest

from qdlite.text.ascii_folding import fold


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("ação café Über", "acao cafe Uber"),
        ("ß ẞ Æ œ ﬁ Þ ĳ", "ss SS AE oe fi TH ij"),
        ("Ə ə ǥ ǧ Ǧ", "Ə a g g G"),
        ("① ⑴ １２ ½", "1 (1) 12 ½"),
        ("“quoted” – ‘it’", '"quoted" - \'it\''),
        ("Привет 東京 e\u0301", "Привет 東京 e\u0301"),
    ],
)  # fmt: skip
def test_folding(text: str, expected: str) -> None:
    assert fold(text) == expected


def test_folded_characters_are_ascii() -> None:
    folded = {fold(letter) for letter in map(chr, range(sys.maxunicode + 1)) if fold(letter) != letter}
    assert all(text.isascii() and text for text in folded)


def test_as_many_characters_change_as_in_qdrant() -> None:
    """1,241 were counted with Qdrant's library; that they change alike is tested with BM25."""
    assert sum(fold(letter) != letter for letter in map(chr, range(sys.maxunicode + 1))) == 1241
