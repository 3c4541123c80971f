"""Are BM25 vectors those that Qdrant computes? The oracle is Qdrant's own library, qdrant-edge-py."""

# ruff: noqa: RUF001  (look-alikes are wanted here)
from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import Unsupported
from qdlite.inference.embedders.bm25 import Bm25Embedder, is_bm25
from qdlite.text.languages import STEMMER_LANGUAGES, STOPWORD_LANGUAGES
from qdlite.types import Json, SparseArray

Options = dict[str, Json]

SENTENCES = [
    line.split("\t") for line in (Path(__file__).parent / "bm25_texts.txt").read_text(encoding="utf-8").splitlines()
]
ODD_TEXTS = [
    "",
    " ",
    "\x00",
    "a\x00b \x00 c",
    "\x00 \x00",
    "one\x1ctwo\x1dthree\x1efour\x1ffive",
    "tab\tline\nreturn\rfeed\x0cvertical\x0bnext\x85nbsp\xa0ogham\u1680en\u2000line\u2028par\u2029wide\u3000end",
    "zero\u200bwidth no\ufeffbreak word\u2060joiner soft\xadhyphen mongolian\u180evowel",
    "the the THE of and",
    "don't can't ain’t",
    "x" * 50,
    "long" * 300 + " " + "y" * 5000,
    " ".join(["word"] * 700 + ["other"] * 3),
    " ".join(f"token{number}" for number in range(600)),
    "snake_case kebab-case CamelCase dotted.name a_b __init__ _",
    "1 22 3.14 1,000,000 0x1F 1e-9 ½ ² ③ Ⅷ ⅻ ٣ ४ 五",
    "😀 🎉🎉 family👨‍👩‍👧‍👦 flag🇩🇪 thumbs👍🏽up ❤️",
    "ﬁne ﬂow ﬀ ﬃ ﬄ ﬅ Ĳ ĳ Ǆ ǅ ǆ",
    "𝐁𝐨𝐥𝐝 𝒮𝒸𝓇𝒾𝓅𝓉 𝔉𝔯𝔞𝔨 𝟙𝟚𝟛 𐐀𐐨 𝕏",
    "Ⓐⓑⓒ 🅰🅱 ⒈ ⑴ ⒜",
    "e\u0301cole cafe\u0301 n\u0303 A\u030a a\u0308\u0308",
    "İ I ı i ß ẞ SS ſ K Å Ω ΑΣ Σ ΣΑΣ ΑΣ. ΑΣ' ΑΣα",
    "Ə ə Ǥ ǥ Ǧ ǧ Đ đ Ø ø Ł ł Þ þ Æ æ Œ œ",
    "“quoted” ‘single’ «angle» „low“ – — … •",
    "ａｂｃ ＡＢＣ １２３ ！？",
    "کتاب\u200cها می\u200cروم",
    "क\u094d\u200dष त्र ज्ञ",
    "\ufffd\ufffe \ue000private \U000f0000",
    "<b>bold</b> &amp; {\"json\": [1, 2]} SELECT * FROM t;",
    "http://user:pw@host:8080/p/a/t/h?query=string&x=%20y#frag",
    "C++ C# F# .NET node.js R&D AT&T rock'n'roll",
    "running runs runner ran run RUNNING Running",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaing",
    "yes no y n 'tis s t",
]  # fmt: skip

VARIATIONS: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.title,
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: "_".join(text.split()) + " " + text,
]

TEXTS = [change(text) for _, text in SENTENCES for change in VARIATIONS] + ODD_TEXTS


def oracle(edge: Any, options: Options) -> Any:
    """Qdrant's model for the same options. Its own treatment of `language` is stricter, so none is passed on."""
    language = options.get("language", "english")
    stopwords = options.get("stopwords", {"languages": [language] if language in STOPWORD_LANGUAGES else []})
    default = {"type": "snowball", "language": language} if language in STEMMER_LANGUAGES else {"type": "none"}
    stemmer = options.get("stemmer", default)
    plain = {key: value for key, value in options.items() if key not in ("language", "stopwords", "stemmer")}
    if "tokenizer" in plain:
        plain["tokenizer"] = getattr(edge.TokenizerType, plain["tokenizer"].capitalize())
    return edge.Bm25(
        edge.Bm25Config(
            **plain,
            stopwords=edge.StopwordsSet(
                languages={getattr(edge.Language, name.capitalize()) for name in stopwords.get("languages", [])},
                custom=set(stopwords.get("custom", [])),
            ),
            stemmer=edge.DisabledStemmer()
            if stemmer["type"] == "none"
            else edge.SnowballParams(getattr(edge.SnowballLanguage, stemmer["language"].capitalize())),
        )
    )


def assert_equal(ours: SparseArray, theirs: Any, text: str) -> None:
    assert ours.indices.dtype == np.uint32
    assert ours.values.dtype == np.float32
    assert ours.indices.tolist() == list(theirs.indices), text
    assert ours.values.tolist() == list(theirs.values), text


def assert_same(edge: Any, options: Options, texts: list[str]) -> None:
    """Every index and every value (bit by bit) of documents and queries."""
    ours, theirs = Bm25Embedder(options), oracle(edge, options)
    for text, document, query in zip(texts, ours.embed(texts), ours.query_embed(texts), strict=True):
        assert_equal(document, theirs.embed_document(text), text)
        assert_equal(query, theirs.embed_query(text), text)


def test_there_are_texts_enough() -> None:
    assert len(set(TEXTS)) >= 300
    assert len({language for language, _ in SENTENCES}) >= 40


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ascii_folding": True},
        {"lowercase": False},
        {"tokenizer": "whitespace"},
        {"tokenizer": "whitespace", "ascii_folding": True, "lowercase": False},
        {"tokenizer": "prefix"},
        {"tokenizer": "prefix", "min_token_len": 3, "max_token_len": 5},
        {"tokenizer": "prefix", "min_token_len": 0, "max_token_len": 2},
        {"tokenizer": "prefix", "min_token_len": 5, "max_token_len": 3},
        {"tokenizer": "prefix", "max_token_len": 0},
        {"tokenizer": "prefix", "lowercase": False, "ascii_folding": True, "max_token_len": 4},
        {"min_token_len": 3, "max_token_len": 6},
        {"min_token_len": 0},
        {"max_token_len": 0},
        {"k": 0.9, "b": 0.4, "avg_len": 17},
        {"k": 0, "b": 1},
        {"k": 1e6, "b": 0, "avg_len": 1e-3},
        {"stopwords": {"custom": ["Quick", "QUICK", "über", "the", "München"]}},
        {"stopwords": {"custom": ["Quick", "The", "den"]}, "lowercase": False},
        {"stopwords": {"languages": ["german", "french"], "custom": ["fox"]}, "stemmer": {"type": "none"}},
        {"stemmer": {"type": "snowball", "language": "tamil"}},
        {"language": "none"},
    ],
    ids=str,
)
def test_options_equal_the_oracle(edge: Any, options: Options) -> None:
    assert_same(edge, options, TEXTS)


@pytest.mark.parametrize("tokenizer", ["word", "whitespace", "prefix"])
@pytest.mark.parametrize("language", sorted({*STOPWORD_LANGUAGES, *STEMMER_LANGUAGES} - {"armenian"}))
def test_languages_equal_the_oracle(edge: Any, language: str, tokenizer: str) -> None:
    own = [text for name, text in SENTENCES if name == language]
    variants = [change(text) for text in own for change in VARIATIONS]
    samples = [text for _, text in SENTENCES[::5]] + ODD_TEXTS
    assert_same(edge, {"language": language, "tokenizer": tokenizer}, variants + samples)


@pytest.mark.parametrize("options", [{"tokenizer": "multilingual"}, {"language": "armenian"}], ids=str)
def test_what_only_the_library_can_do_equals_it(edge: Any, options: Options) -> None:
    assert_same(edge, options, TEXTS)


@pytest.mark.parametrize(
    ("options", "feature"),
    [({"tokenizer": "multilingual"}, "multilingual"), ({"language": "hy"}, "armenian stemmer")],
)
def test_without_the_library_the_error_names_it(
    monkeypatch: pytest.MonkeyPatch, options: Options, feature: str
) -> None:
    monkeypatch.setitem(sys.modules, "qdrant_edge", None)
    with pytest.raises(Unsupported, match=rf"{feature}.*qdrant-edge-py"):
        Bm25Embedder({**options, "k": 7.25})  # settings no other test has used, so that no model is remembered


def known_letters() -> list[str]:
    """Characters as old as Unicode 3.2, about which libraries of all ages agree."""
    return [
        letter
        for letter in map(chr, range(sys.maxunicode + 1))
        if unicodedata.ucd_3_2_0.category(letter) not in ("Cn", "Cs")
    ]


@pytest.mark.parametrize("tokenizer", ["word", "whitespace"])
def test_every_character_splits_and_changes_as_in_the_oracle(edge: Any, tokenizer: str) -> None:
    options = {"tokenizer": tokenizer, "stemmer": {"type": "none"}, "ascii_folding": True}
    letters = [letter for letter in known_letters() if not "\u4e01" <= letter <= "\ud7a2"]  # ideographs, Hangul
    texts = [f"x{letter}y" for letter in letters]
    theirs = oracle(edge, options)
    wrong = [
        letter
        for letter, ours in zip(letters, Bm25Embedder(options).query_embed(texts), strict=True)
        if ours.indices.tolist() != list(theirs.embed_query(f"x{letter}y").indices)
    ]
    assert wrong == []


ANY_TEXT = st.text(st.one_of(st.sampled_from(" \n_-'’.sσΣİ\u0301\x00\x1f"), st.sampled_from(known_letters())))


@given(text=ANY_TEXT, tokenizer=st.sampled_from(["word", "whitespace", "prefix"]), fold=st.booleans())
def test_any_text_equals_the_oracle(edge: Any, text: str, tokenizer: str, fold: bool) -> None:
    assert_same(edge, {"tokenizer": tokenizer, "ascii_folding": fold}, [text])


@given(
    text=st.text(st.sampled_from("aabcdeing ")),
    options=st.fixed_dictionaries(
        {
            "k": st.floats(0, 100),
            "b": st.floats(0, 1),
            "avg_len": st.floats(1e-3, 1e6),
            "stemmer": st.just({"type": "none"}),
            "stopwords": st.just({}),
        }
    ),
)
def test_any_parameters_equal_the_oracle(edge: Any, text: str, options: Options) -> None:
    ours, theirs = Bm25Embedder(options).embed([text])[0], oracle(edge, options).embed_document(text)
    assert ours.indices.tolist() == list(theirs.indices)
    # One rounding step apart at most: the library multiplies and adds in one step, float32 hides nearly all of it.
    np.testing.assert_allclose(ours.values, np.array(theirs.values, np.float32), rtol=1.2e-7)


def test_a_known_vector() -> None:
    """Recorded from Qdrant 1.19: five tokens, "for" is a stop word."""
    (vector,) = Bm25Embedder().embed(["Recipe for baking chocolate chip cookies"])
    assert vector.indices.tolist() == [112174620, 177304315, 662344706, 771857363, 1617337648]
    assert vector.values.tolist() == [np.float32(1.6697302)] * 5


@pytest.mark.parametrize(
    ("length", "weight"),
    [(1, 1.6877434), (2, 1.6832038), (3, 1.6786885), (4, 1.6741974), (5, 1.6697302), (6, 1.6652868), (7, 1.660867)],
)
def test_weights_by_length(length: int, weight: float) -> None:
    """Recorded from Qdrant 1.19."""
    (vector,) = Bm25Embedder().embed([" ".join(f"w{number}" for number in range(length))])
    assert vector.values.tolist() == [np.float32(weight)] * length


def test_queries_weigh_each_distinct_token_once() -> None:
    (vector,) = Bm25Embedder().query_embed(["cookies and more cookies, Cookie!"])
    assert vector.values.tolist() == [1.0]


def test_no_token_gives_an_empty_vector() -> None:
    for vector in Bm25Embedder().embed(["", "the"]) + Bm25Embedder().query_embed(["", "the"]):
        assert vector.indices.shape == vector.values.shape == (0,)
        assert vector.indices.dtype == np.uint32
        assert vector.values.dtype == np.float32


def test_no_text_gives_no_vector() -> None:
    assert Bm25Embedder().embed([]) == Bm25Embedder().query_embed([]) == []


def test_threads_may_share_a_model() -> None:
    embedder = Bm25Embedder({"avg_len": 31})
    expected = Bm25Embedder({"avg_len": 31, "unknown": 1}).embed(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(lambda _: embedder.embed(TEXTS), range(4)):
            for ours, reference in zip(vectors, expected, strict=True):
                assert np.array_equal(ours.indices, reference.indices)
                assert np.array_equal(ours.values, reference.values)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bm25", True),
        ("BM25", True),
        ("qdrant/bm25", True),
        ("Qdrant/Bm25", True),
        ("qdrant/bm42", False),
        ("bm25 ", False),
        ("", False),
    ],
)
def test_names_of_the_model(name: str, expected: bool) -> None:
    assert is_bm25(name) is expected
