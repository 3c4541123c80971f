"""Which tokens does a text have? Orders and lengths matter to phrases, so lists are compared."""

# ruff: noqa: RUF001  (look-alikes are wanted here)
from __future__ import annotations

from typing import Any

import pytest

from qdlite.errors import Unsupported
from qdlite.text.options import TextOptions
from qdlite.text.processor import TextProcessor, text_processor
from qdlite.text.stopwords import Stopwords
from qdlite.text.tokens import TEXT_BOUNDARY, token_id


def processor(**options: Any) -> TextProcessor:
    return TextProcessor(TextOptions(**options))


def document(text: str, **options: Any) -> list[str]:
    return processor(**options).document_tokens(text)


def query(text: str, **options: Any) -> list[str]:
    return processor(**options).query_tokens(text)


CUSTOM = Stopwords(custom=frozenset({"the", "And", "café"}))


def test_word_splits_at_all_but_letters_and_numbers() -> None:
    assert document("Hello, wörld! snake_case it's 3.14 Ⅷ") == [
        "hello", "wörld", "snake", "case", "it", "s", "3", "14", "ⅷ",
    ]  # fmt: skip


def test_word_keeps_alphabetic_marks_and_splits_at_others() -> None:
    assert document("किताब") == ["किताब"]
    assert document("cafe\u0301s") == ["cafe", "s"]


def test_whitespace_keeps_punctuation() -> None:
    assert document("Hello,  wörld! it's\u3000x\xa0y", tokenizer="whitespace") == ["hello,", "wörld!", "it's", "x", "y"]


def test_whitespace_is_unicode_white_space_only() -> None:
    assert document("a\x1cb\x1fc\u200bd e", tokenizer="whitespace") == ["a\x1cb\x1fc\u200bd", "e"]


def test_order_and_repetitions_stay() -> None:
    assert document("b a b c a") == ["b", "a", "b", "c", "a"]


@pytest.mark.parametrize("tokenizer", ["word", "whitespace", "multilingual"])
def test_queries_have_the_tokens_of_documents(tokenizer: Any) -> None:
    made = processor(tokenizer=tokenizer, stopwords=CUSTOM, stemmer="english", max_token_len=5)
    assert made.query_tokens("The runners ran") == made.document_tokens("The runners ran") == ["ran"]


def test_lowercase_may_be_off() -> None:
    assert document("Hello World", lowercase=False) == ["Hello", "World"]


def test_lowercase_knows_the_final_sigma() -> None:
    assert document("ΟΔΥΣΣΕΥΣ Σ") == ["οδυσσευς", "σ"]


def test_stop_words_are_compared_after_lowercasing() -> None:
    assert document("THE end and", stopwords=CUSTOM) == ["end"]
    assert document("THE the And and", stopwords=CUSTOM, lowercase=False) == ["THE", "and"]


def test_stop_words_are_compared_after_folding_but_not_folded_themselves() -> None:
    assert document("café cafe", stopwords=CUSTOM) == ["cafe"]
    assert document("café cafe", stopwords=CUSTOM, ascii_folding=True) == ["cafe", "cafe"]
    assert document("thé", stopwords=CUSTOM, ascii_folding=True) == []


def test_stop_words_are_dropped_before_stemming() -> None:
    stopwords = Stopwords(custom=frozenset({"run"}))
    assert document("run running", stopwords=stopwords, stemmer="english") == ["run"]


def test_lengths_are_those_of_stems_in_characters() -> None:
    assert document("running run", stemmer="english", max_token_len=3) == ["run", "run"]
    assert document("ééé éé é", min_token_len=2, max_token_len=2) == ["éé"]


def test_a_length_of_zero_drops_everything() -> None:
    assert document("a bc", max_token_len=0) == []


def test_prefixes_of_documents() -> None:
    assert document("Hello, мир", tokenizer="prefix", max_token_len=4) == ["h", "he", "hel", "hell", "м", "ми", "мир"]
    assert document("theory an", tokenizer="prefix", min_token_len=4) == ["theo", "theor", "theory"]
    assert document("a", tokenizer="prefix", min_token_len=0) == ["", "a"]
    assert document("abcd", tokenizer="prefix", min_token_len=3, max_token_len=2) == []


def test_prefix_queries_have_one_token_a_word() -> None:
    assert query("Hello мир", tokenizer="prefix", max_token_len=4) == ["hell", "мир"]
    assert query("he hel", tokenizer="prefix", min_token_len=3) == ["hel"]
    assert query("abc", tokenizer="prefix", min_token_len=0, max_token_len=0) == [""]


def test_prefix_queries_keep_stop_words() -> None:
    made = processor(tokenizer="prefix", stopwords=CUSTOM, min_token_len=2)
    assert made.document_tokens("the theory") == ["th", "the", "theo", "theor", "theory"]
    assert made.query_tokens("the") == ["the"]


def test_prefix_queries_are_folded_and_stemmed() -> None:
    assert query("ÉCOLES", tokenizer="prefix", ascii_folding=True, stemmer="english") == ["ecol"]


def test_the_boundary_between_texts_is_never_in_a_query() -> None:
    made = processor(tokenizer="whitespace")
    assert made.document_tokens(f"a {TEXT_BOUNDARY} b") == ["a", TEXT_BOUNDARY, "b"]
    assert made.query_tokens(f"a {TEXT_BOUNDARY} b") == ["a", "b"]


def test_empty_texts_have_no_tokens() -> None:
    for tokenizer in ("word", "whitespace", "prefix", "multilingual"):
        assert document("", tokenizer=tokenizer) == query(" \n", tokenizer=tokenizer) == []


def test_armenian_has_no_stemmer() -> None:
    with pytest.raises(Unsupported, match="stemming of armenian"):
        processor(stemmer="armenian")


def test_equal_options_share_a_processor() -> None:
    assert text_processor(TextOptions(max_token_len=77)) is text_processor(TextOptions(max_token_len=77))


def test_more_words_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qdlite.text.processor._REMEMBERED", 10)
    words = [f"word{number}" for number in range(35)] * 2
    made = processor()
    assert made.document_tokens(" ".join(words)) == words
    assert len(made._document) <= 10


def test_long_words_are_not_remembered() -> None:
    made = processor()
    assert made.document_tokens("x" * 1000) == ["x" * 1000]
    assert len(made._document) == 0


@pytest.mark.parametrize(("token", "number"), [("", 0), ("chocol", 177304315)])
def test_token_ids(token: str, number: int) -> None:
    """An empty text hashes to 0; the other value was recorded from Qdrant 1.19."""
    assert token_id(token) == number
