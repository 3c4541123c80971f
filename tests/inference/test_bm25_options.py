"""Which BM25 options are accepted, and what do refusals say? The texts are those Qdrant 1.19 answers."""

from __future__ import annotations

import logging

import pytest

from qdlite.errors import WrongInput
from qdlite.inference.embedders import bm25_options
from qdlite.inference.embedders.bm25_options import Bm25Options
from qdlite.text.options import TextOptions
from qdlite.text.stopwords import Stopwords
from qdlite.types import Json

ENGLISH = TextOptions(stopwords=Stopwords(frozenset({"english"})), stemmer="english")


@pytest.mark.parametrize("options", [None, {}, {"unknown": [1]}, {"language": None, "lowercase": None}])
def test_defaults(options: dict[str, Json] | None) -> None:
    assert Bm25Options.parse(options) == Bm25Options(k=1.2, b=0.75, avg_len=256.0, text=ENGLISH)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"language": "german"}, TextOptions(stopwords=Stopwords(frozenset({"german"})), stemmer="german")),
        ({"language": "de"}, TextOptions(stopwords=Stopwords(frozenset({"german"})), stemmer="german")),
        ({"language": "jp"}, TextOptions(stopwords=Stopwords(frozenset({"japanese"})))),
        ({"language": "tamil"}, TextOptions(stemmer="tamil")),
        ({"language": "hy"}, TextOptions(stemmer="armenian")),
        ({"language": "English"}, TextOptions()),
        ({"language": "none"}, TextOptions()),
        ({"stopwords": {}}, TextOptions(stemmer="english")),
        ({"stopwords": None, "stemmer": None}, ENGLISH),
        (
            {"stemmer": {"type": "none"}, "stopwords": {"custom": ["a"]}},
            TextOptions(stopwords=Stopwords(custom=frozenset("a"))),
        ),
        (
            {"language": "none", "stemmer": {"type": "snowball", "language": "fr"}},
            TextOptions(stemmer="french"),
        ),
        (
            {"language": "none", "min_token_len": 2, "max_token_len": 9, "lowercase": False, "ascii_folding": True},
            TextOptions(min_token_len=2, max_token_len=9, lowercase=False, ascii_folding=True),
        ),
        ({"language": "none", "tokenizer": "prefix"}, TextOptions(tokenizer="prefix")),
    ],
    ids=str,
)
def test_text_options(options: dict[str, Json], text: TextOptions) -> None:
    assert Bm25Options.parse(options).text == text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": -1}, "BM25 k1 must be finite and >= 0, got -1"),
        ({"k": -0.5}, "BM25 k1 must be finite and >= 0, got -0.5"),
        ({"k": 10**400}, "BM25 k1 must be finite and >= 0, got inf"),
        ({"b": 1.5}, "BM25 b must be finite and in [0.0, 1.0], got 1.5"),
        ({"b": -1e-7}, "BM25 b must be finite and in [0.0, 1.0], got -0.0000001"),
        ({"b": 1e21}, "BM25 b must be finite and in [0.0, 1.0], got 1000000000000000000000"),
        ({"avg_len": 0}, "BM25 avg_doc_len must be finite and > 0, got 0"),
        ({"avg_len": -3.0}, "BM25 avg_doc_len must be finite and > 0, got -3"),
        ({"k": -1, "b": 2, "avg_len": 0}, "BM25 k1 must be finite and >= 0, got -1"),
    ],
    ids=str,
)
def test_numbers_out_of_range(options: dict[str, Json], message: str) -> None:
    with pytest.raises(WrongInput) as caught:
        Bm25Options.parse(options)
    assert str(caught.value) == f"Wrong input: {message}"


STOPWORDS_MISMATCH = "data did not match any variant of untagged enum StopwordsInterface"
STEMMER_MISMATCH = "data did not match any variant of untagged enum StemmingAlgorithm"
TOKENIZERS = "`prefix`, `whitespace`, `word`, `multilingual`"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": "x"}, r"invalid type: string \"x\", expected f64"),
        ({"k": "a\"b\né\u0301\u200b'"}, r"invalid type: string \"a\\\"b\\né\\u{301}\\u{200b}'\", expected f64"),
        ({"k": None}, "invalid type: null, expected f64"),
        ({"k": True}, "invalid type: boolean `true`, expected f64"),
        ({"k": [1]}, "invalid type: sequence, expected f64"),
        ({"k": {"a": 1}}, "invalid type: map, expected f64"),
        ({"tokenizer": "Word"}, f"unknown variant `Word`, expected one of {TOKENIZERS}"),
        ({"tokenizer": "code"}, f"unknown variant `code`, expected one of {TOKENIZERS}"),
        ({"tokenizer": 5}, "invalid type: integer `5`, expected string or map"),
        ({"tokenizer": None}, "invalid type: null, expected string or map"),
        ({"language": 5}, "invalid type: integer `5`, expected a string"),
        ({"language": 1.0}, "invalid type: floating point `1.0`, expected a string"),
        ({"language": -2.5e-7}, "invalid type: floating point `-2.5e-7`, expected a string"),
        ({"lowercase": "yes"}, r"invalid type: string \"yes\", expected a boolean"),
        ({"lowercase": 1e300}, "invalid type: floating point `1e+300`, expected a boolean"),
        ({"ascii_folding": 1}, "invalid type: integer `1`, expected a boolean"),
        ({"min_token_len": -1}, "invalid value: integer `-1`, expected usize"),
        ({"min_token_len": 3.0}, "invalid type: floating point `3.0`, expected usize"),
        ({"max_token_len": "3"}, r"invalid type: string \"3\", expected usize"),
        ({"max_token_len": True}, "invalid type: boolean `true`, expected usize"),
        ({"max_token_len": 2**64}, "invalid type: floating point `1.8446744073709552e+19`, expected usize"),
        ({"stopwords": "English"}, STOPWORDS_MISMATCH),
        ({"stopwords": "tamil"}, STOPWORDS_MISMATCH),
        ({"stopwords": ["en"]}, STOPWORDS_MISMATCH),
        ({"stopwords": {"languages": "en"}}, STOPWORDS_MISMATCH),
        ({"stopwords": {"languages": ["xx"]}}, STOPWORDS_MISMATCH),
        ({"stopwords": {"custom": [1]}}, STOPWORDS_MISMATCH),
        ({"stemmer": "snowball"}, STEMMER_MISMATCH),
        ({"stemmer": {"type": "snowball"}}, STEMMER_MISMATCH),
        ({"stemmer": {"type": "snowball", "language": "basque"}}, STEMMER_MISMATCH),
        ({"stemmer": {"type": "None"}}, STEMMER_MISMATCH),
        ({"k": "x", "tokenizer": 5, "lowercase": 3}, r"invalid type: string \"x\", expected f64"),
        ({"k": -1, "lowercase": 3}, "invalid type: integer `3`, expected a boolean"),
    ],
    ids=str,
)
def test_wrong_types(options: dict[str, Json], message: str) -> None:
    """Except for the names of the enums, compared with what serde_json 1.0 says about such declarations."""
    with pytest.raises(WrongInput) as caught:
        Bm25Options.parse(options)
    assert str(caught.value) == f'Wrong input: Invalid BM25 config: Error("{message}", line: 0, column: 0)'


def test_an_unknown_language_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    bm25_options._check_language.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            Bm25Options.parse({"language": "klingon"})
            Bm25Options.parse({"language": "klingon", "stopwords": {}})
            Bm25Options.parse({"language": "tamil"})
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "klingon" in caplog.text
