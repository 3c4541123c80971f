"""Are the stop words those of Qdrant, and how are they chosen?"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from qdlite.text.json_values import OptionError
from qdlite.text.languages import STEMMER_LANGUAGES, STOPWORD_LANGUAGES, stemmer_language, stopword_language
from qdlite.text.stopwords import NO_STOPWORDS, Stopwords, parse_stopwords, stopword_list
from qdlite.types import Json

# Number of distinct lower-cased words, and SHA-256 (16 digits) of these in the order of code points, one a line.
# Taken from Qdrant 1.19.
DIGESTS = {
    "arabic": (701, "fa908142b6c49143"),
    "azerbaijani": (165, "ffc343e165bad898"),
    "basque": (258, "217ed7bbab0385d6"),
    "bengali": (398, "98b5906451961ef0"),
    "catalan": (279, "2d23d88a66e39661"),
    "chinese": (841, "56b1047f6f0fd8b1"),
    "danish": (94, "9d971e9ea9925f01"),
    "dutch": (101, "cb335cbd3b59442e"),
    "english": (179, "63c081f949766b37"),
    "finnish": (229, "fbd3da9ccd593404"),
    "french": (157, "d6c46dcf683b2dbd"),
    "german": (232, "55b68b53b88fb21a"),
    "greek": (265, "c90815060c12eb8d"),
    "hebrew": (193, "2b26e700f1546791"),
    "hinglish": (1036, "48fae98bbfd4da39"),
    "hungarian": (198, "972b61f8ce951aa9"),
    "indonesian": (757, "3f46ee40c03e57a4"),
    "italian": (279, "05233e321dd34af7"),
    "japanese": (149, "267a5ea1d777f01f"),
    "kazakh": (276, "8f7b9a5692504e67"),
    "nepali": (254, "67224a13be119c04"),
    "norwegian": (172, "05c2fe689d7e8314"),
    "portuguese": (207, "5ca9ecc8016b7577"),
    "romanian": (356, "0ab53d21cbde00c6"),
    "russian": (151, "290ed6923974449a"),
    "slovene": (1784, "04138c247372b915"),
    "spanish": (313, "ab3e8f632a5fe61f"),
    "swedish": (114, "1b6134d3305d3f91"),
    "tajik": (163, "ccf2264ccd45b39f"),
    "turkish": (53, "93d8430ef7f9832e"),
}


@pytest.mark.parametrize("language", sorted(STOPWORD_LANGUAGES))
def test_lists_are_those_of_qdrant(language: str) -> None:
    words = sorted({word.lower() for word in stopword_list(language)})
    digest = hashlib.sha256("\n".join(words).encode()).hexdigest()
    assert (len(words), digest[:16]) == DIGESTS[language]


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("language", sorted(STOPWORD_LANGUAGES))
def test_the_oracle_drops_every_word(edge: Any, language: str, lowercase: bool) -> None:
    choice = edge.StopwordsSet(languages={getattr(edge.Language, language.capitalize())})
    config = edge.Bm25Config(
        tokenizer=edge.TokenizerType.Whitespace,
        stopwords=choice,
        stemmer=edge.DisabledStemmer(),
        lowercase=lowercase,
    )
    words = Stopwords.of_language(language).words(lowercase)
    single = [word for word in words if len(word.split()) == 1 and word == word.strip()]
    assert edge.Bm25(config).embed_query(" ".join(single)).indices == []


def test_lists_keep_the_spelling_of_their_source() -> None:
    assert {"wouldn't", "the", "i"} <= stopword_list("english")
    assert not stopword_list("english") & {"", "The"}


def test_words_of_several_languages_and_custom_ones() -> None:
    stopwords = Stopwords(frozenset({"english", "german"}), frozenset({"Haus", "boat"}))
    assert {"the", "und", "haus", "boat"} <= stopwords.words(lowercase=True)
    assert "Haus" in stopwords.words(lowercase=False)
    assert "haus" not in stopwords.words(lowercase=False)
    assert NO_STOPWORDS.words(lowercase=True) == frozenset()


@pytest.mark.parametrize("name", sorted(STOPWORD_LANGUAGES))
def test_names_and_codes_of_languages(name: str) -> None:
    expected = Stopwords(frozenset({name}))
    assert parse_stopwords(name) == parse_stopwords(STOPWORD_LANGUAGES[name]) == expected
    assert Stopwords.of_language(name) == Stopwords.of_language(STOPWORD_LANGUAGES[name]) == expected


@pytest.mark.parametrize("text", ["English", "EN", "none", "ja", "", "en "])
def test_other_names_are_unknown(text: str) -> None:
    assert stopword_language(text) is None
    assert stemmer_language(text) is None
    assert Stopwords.of_language(text) == NO_STOPWORDS


def test_languages_with_a_stemmer_only() -> None:
    assert set(STEMMER_LANGUAGES) - set(STOPWORD_LANGUAGES) == {"armenian", "tamil"}
    assert stemmer_language("ta") == "tamil"
    assert stopword_language("ta") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, NO_STOPWORDS),
        ({"languages": None, "custom": None, "other": 1}, NO_STOPWORDS),
        ({"languages": ["en", "english"]}, Stopwords(frozenset({"english"}))),
        ({"languages": ["de"], "custom": ["a", "b"]}, Stopwords(frozenset({"german"}), frozenset("ab"))),
        ([], NO_STOPWORDS),
        ([None], NO_STOPWORDS),
        ([["de"], ["a", "b"]], Stopwords(frozenset({"german"}), frozenset("ab"))),
    ],
    ids=str,
)
def test_choices_given_as_json(value: Json, expected: Stopwords) -> None:
    assert parse_stopwords(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "klingon",
        "tamil",
        5,
        True,
        ["the"],
        [["en"], ["x"], 1],
        {"languages": "en"},
        {"languages": ["xx"]},
        {"custom": [1]},
    ],
    ids=str,
)
def test_other_values_are_refused(value: Json) -> None:
    with pytest.raises(OptionError, match="untagged enum StopwordsInterface"):
        parse_stopwords(value)
