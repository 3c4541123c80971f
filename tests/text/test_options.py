"""How are the parameters of a full-text index read?"""

from __future__ import annotations

import pytest

from qdlite.text.json_values import OptionError
from qdlite.text.options import TextOptions
from qdlite.text.stopwords import Stopwords
from qdlite.types import Json


@pytest.mark.parametrize(
    "params", [{}, {"type": "text", "phrase_matching": True}, {"stemmer": None, "stopwords": None}]
)
def test_defaults(params: dict[str, Json]) -> None:
    assert TextOptions.parse(params) == TextOptions()
    assert TextOptions() == TextOptions("word", True, False, Stopwords(), None, None, None)


def test_all_parameters() -> None:
    params = {
        "type": "text",
        "tokenizer": "prefix",
        "lowercase": False,
        "ascii_folding": True,
        "stopwords": "de",
        "stemmer": {"type": "snowball", "language": "de"},
        "min_token_len": 2,
        "max_token_len": 2**64 - 1,
    }
    german = Stopwords(frozenset({"german"}))
    assert TextOptions.parse(params) == TextOptions("prefix", False, True, german, "german", 2, 2**64 - 1)


def test_stemming_may_be_declined() -> None:
    assert TextOptions.parse({"stemmer": {"type": "none", "language": 3}}).stemmer is None


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"tokenizer": "Word"},
            "unknown variant `Word`, expected one of `prefix`, `whitespace`, `word`, `multilingual`",
        ),
        ({"tokenizer": 1}, "invalid type: integer `1`, expected string or map"),
        ({"lowercase": "no"}, 'invalid type: string "no", expected a boolean'),
        ({"min_token_len": -1}, "invalid value: integer `-1`, expected usize"),
        ({"stemmer": "english"}, "data did not match any variant of untagged enum StemmingAlgorithm"),
    ],
    ids=str,
)
def test_refusals(params: dict[str, Json], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        TextOptions.parse(params)
    assert str(caught.value) == message
