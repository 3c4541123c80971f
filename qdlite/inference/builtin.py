"""Which models need no files at all? BM25 and the hashing stand-in."""

from __future__ import annotations

from collections.abc import Sequence

from qdlite.errors import InferenceError, WrongInput
from qdlite.inference.backend import Route, checked_text, data_text
from qdlite.inference.embedders import bm25, hashing
from qdlite.inference.inputs import Call, Embedded, InferenceInput, canonical
from qdlite.inference.model import ModelDescription
from qdlite.inference.options import local_options

BM25 = ModelDescription("qdrant/bm25", "bm25", ("text",), None, None, on_disk=True, state="built in")
HASHING = ModelDescription("hashing/<dimensions>", "hashing", ("text",), None, None, True, "built in")


def describe(model: str) -> ModelDescription | None:
    """The built-in model of that name, or None."""
    if bm25.is_bm25(model):
        return BM25
    dimensions = hashing.dimensions_of(model)
    if dimensions is None:
        return None
    return ModelDescription(model, "hashing", ("text",), dimensions, None, True, "built in")


def proper_name(model: str) -> str | None:
    """The name of a built-in model as it is listed; None for other models."""
    if bm25.is_bm25(model):
        return BM25.name
    lower = model.lower()
    return lower if lower.startswith(hashing.PREFIX) else None


class Bm25Backend:
    """Qdrant's BM25: sparse vectors, tokens never counted; unknown options are ignored, as in Qdrant."""

    def route(self, item: InferenceInput, call: Call) -> Route | None:
        if not bm25.is_bm25(item.model):
            return None
        if item.kind != "text":
            raise WrongInput(f"Only text input is supported for {item.model}.")
        data_text(item)
        options = None if item.options is None else canonical(dict(item.options))
        return Route(self, options, item.data_key, lasting=False)

    def embed(self, inputs: Sequence[InferenceInput], call: Call) -> Embedded:
        embedder = bm25.Bm25Embedder(inputs[0].options)
        texts = [data_text(item) for item in inputs]
        vectors = embedder.query_embed(texts) if call.mode == "search" else embedder.embed(texts)
        return Embedded(list(vectors), {})


class HashingBackend:
    """`hashing/<dimensions>`; queries and passages are embedded alike, usage counts words. It stands in for a model
    that needs words, and as such takes no text without them, nor one longer than `max_text_length` characters."""

    def __init__(self, max_text_length: int) -> None:
        self._max_text_length = max_text_length

    def route(self, item: InferenceInput, call: Call) -> Route | None:
        if hashing.dimensions_of(item.model) is None:
            return None
        if item.kind != "text":
            raise InferenceError(f"Model {item.model} embeds text, not {item.kind}")
        checked_text(item, self._max_text_length)
        mrl = local_options(item.model, item.options)
        return Route(self, item.model, item.data_key, mrl, lasting=False)

    def embed(self, inputs: Sequence[InferenceInput], call: Call) -> Embedded:
        dimensions = hashing.dimensions_of(inputs[0].model) or 1
        vectors, words = hashing.HashingEmbedder(dimensions).embed([data_text(item) for item in inputs])
        return Embedded(list(vectors), {inputs[0].model: words})
