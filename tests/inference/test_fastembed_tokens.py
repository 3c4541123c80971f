"""Tokens that are counted before a text is embedded serve for both."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from qdlite.inference import InferenceInput, InferenceService
from qdlite.inference.embedders.fastembed_tokens import (
    TakesTokens,
    TokenizedText,
    padded,
    takes_tokens,
    tokenised,
    with_tokens,
)

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
PADDING = {"direction": "right", "pad_id": 9, "length": None, "pad_to_multiple_of": None}


def text(*ids: int) -> TokenizedText:
    return TokenizedText.of("text", SimpleNamespace(ids=list(ids)))


@pytest.mark.parametrize(
    ("direction", "ids", "mask"), [("right", [4, 9, 9], [1, 0, 0]), ("left", [9, 9, 4], [0, 0, 1])]
)
def test_padding(direction: str, ids: list[int], mask: list[int]) -> None:
    batch = padded([text(4), text(1, 2, 3)], {**PADDING, "direction": direction})
    assert batch.ids.tolist() == [ids, [1, 2, 3]]
    assert batch.mask.tolist() == [mask, [1, 1, 1]]


@pytest.mark.parametrize(
    ("padding", "takes"), [({}, True), ({"length": 64}, False), ({"pad_to_multiple_of": 8}, False)]
)
def test_models_with_a_length_of_their_own_pad_themselves(padding: dict[str, Any], takes: bool) -> None:
    model = TakesTokens()
    model.tokenizer = SimpleNamespace(padding={**PADDING, **padding})
    assert takes_tokens(model) is takes
    assert not takes_tokens(SimpleNamespace(tokenizer=model.tokenizer))


def test_models_that_tokenise_in_their_own_way_keep_it() -> None:
    pytest.importorskip("fastembed")
    from fastembed.late_interaction.colbert import Colbert
    from fastembed.text.onnx_embedding import OnnxTextEmbedding

    assert with_tokens(OnnxTextEmbedding) == (TakesTokens, OnnxTextEmbedding)
    assert with_tokens(Colbert) == (Colbert,)


def test_a_batch_is_not_tokenised_again(service: InferenceService, monkeypatch: pytest.MonkeyPatch) -> None:
    fastembed: Any = pytest.importorskip("fastembed.text.onnx_text_model")
    inputs = [InferenceInput(words, "text", MINILM) for words in ("dog", "how to bake cookies", "the dog sleeps")]
    before = service.infer(inputs, "update").embeddings
    monkeypatch.setattr(fastembed.OnnxTextModel, "tokenize", None)
    np.testing.assert_array_equal(np.stack(service.infer(inputs, "update").embeddings), np.stack(before))


@pytest.mark.parametrize(("texts", "alone"), [(["dog"], True), (["dog " * 500], False), (["dog", "cat"], False)])
def test_only_a_short_text_alone_is_tokenised_in_the_calling_thread(texts: list[str], alone: bool) -> None:
    tokenizer = SimpleNamespace(
        encode=lambda text, add_special_tokens: (text, add_special_tokens),
        encode_batch_fast=lambda texts, add_special_tokens: [(text, add_special_tokens, "batch") for text in texts],
    )
    expected = [(text, False) if alone else (text, False, "batch") for text in texts]
    assert tokenised(tokenizer, texts, False) == expected


def test_a_text_alone_has_the_tokens_that_it_has_among_others() -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 1, "dog": 2, "[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(3)
    texts = ["", "a dog", "dog é a dog"]
    alone = [tokenised(tokenizer, [text], True)[0] for text in texts]
    together = tokenised(tokenizer, texts, True)
    assert [(one.ids, bool(one.overflowing)) for one in alone] == [
        ([], False), ([1, 2], False), ([2, 0, 1], True),
    ]  # fmt: skip
    assert [(one.ids, bool(one.overflowing)) for one in together] == [(one.ids, bool(one.overflowing)) for one in alone]
