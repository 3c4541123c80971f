"""How is a text tokenised once, to be counted and to be embedded?

fastembed's text models tokenise every batch, in threads that get in the way of the model's own. What was counted
before is here given to them instead, by a class that goes before theirs, and in fewer steps than they would take: right
after a run of the model each step comes from memory, and costs several times what it costs in a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

_SHORT = 500
"""Characters up to which a text is tokenised sooner than a thread of the tokenizer could be woken."""


class TokenizedText(str):
    """A text that brings its tokens along, cut to the context window."""

    ids: list[int]

    @classmethod
    def of(cls, text: str, encoding: Any) -> TokenizedText:
        made = cls(text)
        made.ids = encoding.ids
        return made


class Padded(NamedTuple):
    """The tokens of a batch, a row for each text, and where they are tokens of the text: ones, elsewhere zeros."""

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]


class TakesTokens:
    """Goes before the class of a text model, whose own way it leaves to texts without tokens."""

    tokenizer: Any
    model: Any
    ONNX_OUTPUT_NAMES: Any
    _preprocess_onnx_input: Any
    _run_model: Any

    def onnx_embed(self, documents: list[str], **options: Any) -> Any:
        texts = [document for document in documents if isinstance(document, TokenizedText)]
        if len(texts) < len(documents):
            return super().onnx_embed(documents, **options)  # type: ignore[misc]
        ids, mask = padded(texts, self.tokenizer.padding)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        taken = {"input_ids", *(node.name for node in self.model.get_inputs())}
        inputs = self._preprocess_onnx_input({name: given[name] for name in given if name in taken}, **options)
        output = self._run_model(onnx_input=inputs, onnx_output_names=self.ONNX_OUTPUT_NAMES)
        context = import_module("fastembed.common.onnx_model").OnnxOutputContext
        return context(output, inputs.get("attention_mask", mask), inputs.get("input_ids", ids))


def with_tokens(model_class: Any) -> tuple[type, ...]:
    """The bases of a model class: those that make nothing special of their texts may take tokens."""
    plain = import_module("fastembed.text.onnx_text_model").OnnxTextModel
    same = all(getattr(model_class, name, None) is getattr(plain, name) for name in ("tokenize", "onnx_embed"))
    return (TakesTokens, model_class) if same else (model_class,)


def one_batch(model: Any) -> Callable[[list[str]], Iterable[Any]] | None:
    """How to embed a single batch without cutting it into fastembed's own; None where a model makes more of it."""
    plain = import_module("fastembed.text.onnx_embedding").OnnxTextEmbedding
    ways = ("embed", "query_embed", "passage_embed")
    if not isinstance(model, plain) or any(getattr(type(model), way) is not getattr(plain, way) for way in ways):
        return None
    return lambda texts: model._post_process_onnx_output(model.onnx_embed(texts))


def takes_tokens(model: Any) -> bool:
    """Whether the model may be given `TokenizedText`. Those that pad to a length of their own see to it themselves."""
    if not isinstance(model, TakesTokens):
        return False
    padding = model.tokenizer.padding
    return bool(padding) and padding["length"] is None and not padding["pad_to_multiple_of"]


def padded(texts: Sequence[TokenizedText], padding: dict[str, Any]) -> Padded:
    """The tokens of a batch, filled up to the longest on the side that the tokenizer's settings name."""
    longest = max(len(text.ids) for text in texts)
    shape = len(texts), longest
    batch = Padded(np.full(shape, padding["pad_id"], np.int64), np.zeros(shape, np.int64))
    left = padding["direction"] == "left"
    for ids, mask, text in zip(batch.ids, batch.mask, texts, strict=True):
        own = slice(longest - len(text.ids), None) if left else slice(len(text.ids))
        ids[own] = text.ids
        mask[own] = 1
    return batch


def tokenised(tokenizer: Any, texts: Sequence[str], special: bool) -> Sequence[Any]:
    """The encodings of all texts. A short text alone, as a query is, is left to the calling thread, for the
    tokenizer's own get in the way of the model; they are for what would hold the interpreter lock too long."""
    if len(texts) == 1 and len(texts[0]) <= _SHORT:
        return [tokenizer.encode(texts[0], add_special_tokens=special)]
    return cast(Sequence[Any], tokenizer.encode_batch_fast(list(texts), add_special_tokens=special))


def counting(model: Any) -> Any:
    """A copy of the model's tokenizer without padding, to learn lengths; None for image models."""
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is None:
        return None
    copy = type(tokenizer).from_str(tokenizer.to_str())
    copy.no_padding()
    return copy
