"""How is a text tokenised once, to be counted and to be embedded?

fastembed's text models tokenise every batch, in threads that get in the way of the model's own. What was counted
before is here given to them instead, by a class that goes before theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple, cast

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
    """What fastembed reads of the encodings of a batch."""

    ids: list[int]
    attention_mask: list[int]


class TakesTokens:
    """Goes before the class of a text model, whose tokenizer it uses only for texts without tokens."""

    tokenizer: Any

    def tokenize(self, documents: list[str], **options: Any) -> Sequence[Any]:
        texts = [document for document in documents if isinstance(document, TokenizedText)]
        if len(texts) == len(documents):
            return padded(texts, self.tokenizer.padding)
        return super().tokenize(documents, **options)  # type: ignore[misc, no-any-return]


def with_tokens(model_class: Any) -> tuple[type, ...]:
    """The bases of a model class: those that make nothing special of their texts may take tokens."""
    plain = import_module("fastembed.text.onnx_text_model").OnnxTextModel
    same = all(getattr(model_class, name, None) is getattr(plain, name) for name in ("tokenize", "onnx_embed"))
    return (TakesTokens, model_class) if same else (model_class,)


def takes_tokens(model: Any) -> bool:
    """Whether the model may be given `TokenizedText`. Those that pad to a length of their own see to it themselves."""
    if not isinstance(model, TakesTokens):
        return False
    padding = model.tokenizer.padding
    return bool(padding) and padding["length"] is None and not padding["pad_to_multiple_of"]


def padded(texts: Sequence[TokenizedText], padding: dict[str, Any]) -> list[Padded]:
    """The tokens of a batch, filled up to the longest on the side that the tokenizer's settings name."""
    longest = max(len(text.ids) for text in texts)
    left = padding["direction"] == "left"
    result = []
    for text in texts:
        ones, missing = [1] * len(text.ids), longest - len(text.ids)
        fill, zeros = [padding["pad_id"]] * missing, [0] * missing
        result.append(Padded(fill + text.ids, zeros + ones) if left else Padded(text.ids + fill, ones + zeros))
    return result


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
