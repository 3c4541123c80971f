"""How are texts in all scripts cut, and where is that the same as Qdrant's library does?"""

# ruff: noqa: RUF001  (look-alikes are wanted here)
from __future__ import annotations

from typing import Any

import pytest

from qdlite.text.multilingual import segments
from qdlite.text.options import TextOptions
from qdlite.text.processor import TextProcessor
from qdlite.text.tokens import token_id

SPACED = [
    "The QUICK brown fox's 3rd x2 foo_bar don't e-mail 3.14 a.b",
    "Straße Ünïcödé Élan naïve",
    "Příliš žluťoučký kůň",
    "हिन्दी कुत्ता किताब",
    "தமிழ் நாடு",
    "বাংলা ভাষা",
    "שָׁלוֹם עולם",
    "ქართული ენა",
    "Հայերեն լեզու",
    "ﬁne ①②③ ½ ｆｕｌｌ",
    "C++ C# .NET node.js user@example.com",
    "2024 12:30 50%",
]


@pytest.mark.parametrize("text", SPACED)
def test_scripts_with_spaces_are_cut_as_in_the_library(edge: Any, text: str) -> None:
    config = edge.Bm25Config(
        tokenizer=edge.TokenizerType.Multilingual, stopwords=edge.StopwordsSet(), stemmer=edge.DisabledStemmer()
    )
    assert sorted(set(map(token_id, segments(text)))) == list(edge.Bm25(config).embed_query(text).indices)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("東京都に", ["東京", "京都", "都に"]),
        ("検索 と Qdrant", ["検索", "と", "qdrant"]),
        ("データ", ["デー", "ータ"]),
        ("我来到北京", ["我来", "来到", "到北", "北京"]),
        ("版本v2发布", ["版本", "v2", "发布"]),
        ("한국어 텍스트", ["한국어", "텍스트"]),
        ("Ёлка Élan", ["ёлка", "elan"]),
        ("الكتابـــة العَرَبِيَّة", ["الكتابة", "العربية"]),
        ("ΟΔΥΣΣΕΎΣ", ["οδυσσευς"]),
        ("ไทย", ["ไท", "ทย"]),
        ("123 ①", []),
    ],
)
def test_segments(text: str, expected: list[str]) -> None:
    assert segments(text) == expected


@pytest.mark.parametrize("part", ["東京", "京都に", "データベース", "検索は", "速い"])
def test_parts_of_unspaced_text_are_found_as_phrases(part: str) -> None:
    processor = TextProcessor(TextOptions(tokenizer="multilingual"))
    tokens = processor.document_tokens("東京都に行き、データベースの検索は速い。")
    wanted = processor.query_tokens(part)
    starts = range(len(tokens) - len(wanted) + 1)
    assert any(tokens[start : start + len(wanted)] == wanted for start in starts)
