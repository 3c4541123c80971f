"""How is a payload index asked for? The schema of a field, and the parameters of each type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from qdlite.models import paths
from qdlite.models.base import Model, Problem, UInt
from qdlite.models.collections import Memory

SchemaType = Literal["keyword", "integer", "float", "geo", "text", "bool", "datetime", "uuid"]


class StopwordsSet(Model, frozen=True, kw_only=True):
    languages: list[str] | None = None
    custom: list[str] | None = None


class Stemmer(Model, frozen=True, kw_only=True):
    type: Literal["snowball", "none"]
    language: str | None = None


class TextScoring(Model, frozen=True, kw_only=True):
    """Ranking over a full-text index (Qdrant 1.20)."""

    type: Literal["bm25"]


class IndexParams(Model, frozen=True, kw_only=True):
    """Parameters of a payload index in object form; which fields are legal depends on `type`."""

    type: SchemaType
    is_tenant: bool | None = None
    prefix: bool | None = None
    lookup: bool | None = None
    range: bool | None = None
    is_principal: bool | None = None
    tokenizer: Literal["prefix", "whitespace", "word", "multilingual"] = "word"
    min_token_len: UInt | None = None
    max_token_len: UInt | None = None
    lowercase: bool | None = None
    ascii_folding: bool | None = None
    phrase_matching: bool | None = None
    stopwords: str | StopwordsSet | None = None
    stemmer: Stemmer | None = None
    scoring: bool | TextScoring | None = None
    nested: str | None = None
    on_disk: bool | None = None
    memory: Memory | None = None
    enable_hnsw: bool | None = None

    anywhere: ClassVar = frozenset({"type", "nested", "on_disk", "memory", "enable_hnsw"})
    options: ClassVar[dict[str, frozenset[str]]] = {
        "keyword": frozenset({"is_tenant", "prefix"}),
        "integer": frozenset({"lookup", "range", "is_principal"}),
        "float": frozenset({"is_principal"}),
        "datetime": frozenset({"is_principal"}),
        "uuid": frozenset({"is_tenant"}),
        "text": frozenset(
            {
                "tokenizer", "min_token_len", "max_token_len", "lowercase", "ascii_folding", "phrase_matching",
                "stopwords", "stemmer", "scoring",
            }
        ),
    }  # fmt: skip

    def takes(self, option: str) -> bool:
        """Whether indexes of this type have an option; others are ignored, like all unknown keys."""
        return option in self.anywhere or option in self.options.get(self.type, ())

    def problems(self) -> Iterator[Problem]:
        if self.type == "integer" and self.lookup is False and self.range is False:
            text = "the 'lookup' and 'range' capabilities can't be both disabled"
            yield "lookup", f"Validation error: {text} [{{}}]"


class CreateFieldIndex(Model, frozen=True, kw_only=True):
    field_name: str
    field_schema: SchemaType | IndexParams | None = None
    field_type: SchemaType | IndexParams | None = None

    rules: ClassVar = {"field_name": paths.readable}

    @property
    def schema(self) -> SchemaType | IndexParams | None:
        """The type of the index, or its parameters, under whichever name they came."""
        return self.field_type if self.field_schema is None else self.field_schema
