"""Which options decide how text becomes tokens?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast, get_args

from msgspec import Struct

from qdlite.text.json_values import read_bool, read_choice, read_size
from qdlite.text.stemming import parse_stemmer
from qdlite.text.stopwords import NO_STOPWORDS, Stopwords, parse_stopwords
from qdlite.types import Json

TokenizerType = Literal["prefix", "whitespace", "word", "multilingual"]
TOKENIZER_TYPES: tuple[str, ...] = get_args(TokenizerType)


class TextOptions(Struct, frozen=True):
    """How text becomes tokens; the defaults are those of the full-text index. Hashable.

    `stemmer` is the full name of a language. Lengths are in code points, after stemming.
    """

    tokenizer: TokenizerType = "word"
    lowercase: bool = True
    ascii_folding: bool = False
    stopwords: Stopwords = NO_STOPWORDS
    stemmer: str | None = None
    min_token_len: int | None = None
    max_token_len: int | None = None

    @classmethod
    def parse(cls, params: Mapping[str, Json]) -> TextOptions:
        """Reads the parameters of a full-text index. Other keys are ignored, null is as good as missing.

        Raises OptionError, a ValueError with the deserializer's text.
        """
        return cls(**read_options(params))


def parse_tokenizer(value: Json) -> TokenizerType:
    """Reads the option `tokenizer`. Raises OptionError."""
    return cast(TokenizerType, read_choice(value, TOKENIZER_TYPES))


_READERS = {
    "tokenizer": parse_tokenizer,
    "ascii_folding": read_bool,
    "lowercase": read_bool,
    "max_token_len": read_size,
    "min_token_len": read_size,
    "stemmer": parse_stemmer,
    "stopwords": parse_stopwords,
}


def read_options(params: Mapping[str, Json]) -> dict[str, Any]:
    """The fields of `TextOptions` that `params` gives a value other than null, parsed. Raises OptionError."""
    given = {key: params[key] for key in _READERS if params.get(key) is not None}
    return {key: _READERS[key](value) for key, value in given.items()}
