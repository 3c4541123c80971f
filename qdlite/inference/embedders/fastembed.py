"""How are fastembed's models listed, loaded and called?"""

from __future__ import annotations

import logging
import mmap
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from qdlite.errors import InferenceError
from qdlite.inference.embedders.base import ALONE, ONE_BY_ONE, TOGETHER, BatchLimits, Item, Prepared
from qdlite.inference.embedders.fastembed_pooling import with_pooling
from qdlite.inference.embedders.fastembed_session import at_rest
from qdlite.inference.embedders.fastembed_tokens import (
    TokenizedText,
    counting,
    one_batch,
    takes_tokens,
    tokenised,
    with_tokens,
)
from qdlite.inference.folders import ModelFolder
from qdlite.inference.inputs import DataKind, Mode
from qdlite.inference.model import ModelCard, ModelKind
from qdlite.inference.options import Tuning
from qdlite.inference.settings import InferenceSettings
from qdlite.types import FloatArray, SparseArray, VectorArray

INSTALL = 'Install the package for local models: pip install "qdlite[inference]"'

_log = logging.getLogger(__name__)
_E5_PREFIXES = ("query: ", "passage: ")
_TUNABLE = {"Qdrant/minicoil-v1": ("k", "b", "avg_len"), "Qdrant/bm42-all-minilm-l6-v2-attentions": ("alpha",)}
"""Arguments of fastembed's classes that change the vectors; the client's local mode takes them as options too."""
_WINDOW = re.compile(r"(\d+) (?:input )?tokens")


class _Family(NamedTuple):
    """A facade class of fastembed: what its models accept, and how their results become arrays."""

    facade: str
    inputs: tuple[DataKind, ...]
    convert: Callable[[Any], VectorArray]


def _dense(result: Any) -> FloatArray:
    return np.ascontiguousarray(result, dtype=np.float32)


def _sparse(result: Any) -> SparseArray:
    """Words whose hashes are equal share an index, of which there may be one only: the first of them counts."""
    indices, first = np.unique(result.indices, return_index=True)
    return SparseArray(indices.astype(np.uint32), result.values[first].astype(np.float32))


FAMILIES: dict[ModelKind, _Family] = {
    "dense": _Family("TextEmbedding", ("text",), _dense),
    "sparse": _Family("SparseTextEmbedding", ("text",), _sparse),
    "late-interaction": _Family("LateInteractionTextEmbedding", ("text",), _dense),
    "image": _Family("ImageEmbedding", ("image",), _dense),
    "late-interaction-multimodal": _Family("LateInteractionMultimodalEmbedding", ("text", "image"), _dense),
}


def _fastembed() -> Any:
    try:
        return import_module("fastembed")
    except ImportError as error:
        raise InferenceError(f"Local models need fastembed, which is missing ({error}). {INSTALL}") from error


def cards() -> Iterator[ModelCard]:
    """All models fastembed can load, but its BM25. Raises InferenceError without fastembed."""
    fastembed = _fastembed()
    for kind, family in FAMILIES.items():
        facade = getattr(fastembed, family.facade, None)  # older releases lack some families
        for description in facade.list_supported_models() if facade else ():
            if description["model"].lower() != "qdrant/bm25":
                yield _card(kind, family, description)


def _card(kind: ModelKind, family: _Family, description: dict[str, Any]) -> ModelCard:
    name: str = description["model"]
    window = _WINDOW.search(description["description"])
    return ModelCard(
        name=name,
        kind=kind,
        inputs=family.inputs,
        dimensions=description.get("dim"),
        context=int(window[1]) if window and "text" in family.inputs else None,
        source=description["sources"]["hf"],
        model_file=description["model_file"],
        additional_files=tuple(description["additional_files"]),
        size=int(description["size_in_GB"] * 1e9),
        license=description["license"],
        prefixes=_E5_PREFIXES if "multilingual-e5" in name else ("", ""),
        tunable=_TUNABLE.get(name, ()),
    )


def load(card: ModelCard, folder: ModelFolder, settings: InferenceSettings, tuning: Tuning = ()) -> FastembedEmbedder:
    """Loads a model from its folder; nothing is downloaded. Raises InferenceError if the files do not do."""
    model_class = _added_class(card) if card.added else _listed_class(card)
    try:
        model = _subclass(model_class, card, folder.model_file)(
            model_name=card.name,
            specific_model_path=str(folder.path),
            **_runtime_options(model_class, settings),
            **dict(tuning),
        )
    except InferenceError:
        raise
    except Exception as error:
        raise InferenceError(f"Model {card.name} could not be loaded from {folder.path}: {error}") from error
    if card.added and card.added.context:
        _shorten(model.tokenizer, card.added.context)
    return FastembedEmbedder(card, model, text_limits(card, model, folder, settings.threads))


def _shorten(tokenizer: Any, context: int) -> None:
    """Texts are cut to so many tokens, if not to fewer."""
    window = (tokenizer.truncation or {}).get("max_length", context)
    tokenizer.enable_truncation(max_length=min(window, context))


def _listed_class(card: ModelCard) -> Any:
    """The class of fastembed that implements the model."""
    facade = getattr(_fastembed(), FAMILIES[card.kind].facade)
    name = card.name.lower()
    for candidate in facade.EMBEDDINGS_REGISTRY:
        if any(known.model.lower() == name for known in candidate._list_supported_models()):
            return candidate
    raise InferenceError(f"The installed fastembed does not know the model {card.name}")


def _subclass(model_class: Any, card: ModelCard, model_file: str) -> Any:
    """The class with one model description, whose file name is that of the folder.

    fastembed finds the description by model name in a list of the class and takes pooling, output size and
    file name from it. A subclass with its own list leaves the process-wide lists as they are.
    """
    name = card.name.lower()
    known = next(one for one in model_class._list_supported_models() if one.model.lower() == name)
    description = replace(known, model_file=model_file)
    return type(
        model_class.__name__,
        (*at_rest(model_class), *with_pooling(model_class), *with_tokens(model_class)),
        {"_list_supported_models": classmethod(lambda cls: [description])},
    )


def _added_class(card: ModelCard) -> Any:
    """A class for a model of the user, with pooling and normalisation as declared."""
    _fastembed()
    custom = import_module("fastembed.text.custom_text_embedding")
    model = import_module("fastembed.common.model_description")
    added = card.added
    assert added is not None
    description = model.DenseModelDescription(
        model=card.name,
        sources=model.ModelSource(hf=card.source or card.name),
        model_file=card.model_file,
        description="",
        license="",
        size_in_GB=0.0,
        dim=added.dimensions,
    )
    processing = custom.PostprocessingConfig(model.PoolingType(added.pooling.upper()), added.normalize)
    lists = {"SUPPORTED_MODELS": [description], "POSTPROCESSING_MAPPING": {card.name: processing}}
    return type("AddedTextEmbedding", (custom.CustomTextEmbedding,), lists)


def _runtime_options(model_class: Any, settings: InferenceSettings) -> dict[str, Any]:
    """Thread and device options; models without an ONNX session warn about them."""
    if not hasattr(model_class, "load_onnx_model"):
        return {}
    return {"threads": settings.threads, "cuda": settings.cuda}


class FastembedEmbedder:
    """One loaded model of fastembed."""

    def __init__(self, card: ModelCard, model: Any, limits: BatchLimits) -> None:
        self._name = card.name
        self._declared = card.dimensions if card.added else None
        self._model = model
        self._convert = FAMILIES[card.kind].convert
        self._limits = limits
        self._tokenizer = counting(model)
        self._takes_tokens = takes_tokens(model)
        self.concurrent = card.kind == "dense" and self._takes_tokens  # others keep a state beside the session
        self._calls = _calls(model)

    def limits(self, kind: DataKind) -> BatchLimits:
        return self._limits if kind == "text" else ONE_BY_ONE

    def prepare(self, items: Sequence[Item], kind: DataKind, mode: Mode) -> Prepared:
        if kind != "text" or self._tokenizer is None:
            return Prepared(items, [0] * len(items))
        special = not hasattr(self._model, "token_mapping")  # static tables embed the words alone
        encodings = tokenised(self._tokenizer, items, special)
        if _log.isEnabledFor(logging.DEBUG):
            self._log_cut(encodings)
        if self._takes_tokens:
            items = [TokenizedText.of(item, encoding) for item, encoding in zip(items, encodings, strict=True)]
        return Prepared(items, [len(encoding) for encoding in encodings])

    def _log_cut(self, encodings: Sequence[Any]) -> None:
        """Tokens beyond the context window are left out by the tokenizer, which calls them overflowing."""
        cut = sum(1 for encoding in encodings if encoding.overflowing)
        if cut:
            window = (self._tokenizer.truncation or {}).get("max_length")
            _log.debug("%s: %d of %d texts were cut to %s tokens", self._name, cut, len(encodings), window)

    def embed(self, items: Sequence[Item], kind: DataKind, mode: Mode) -> list[VectorArray]:
        vectors = [self._convert(result) for result in self._calls[kind, mode](list(items))]
        if self._declared:
            self._check_size(vectors)
        return vectors

    def _check_size(self, vectors: Sequence[VectorArray]) -> None:
        """What the user declares may be wrong, and would be found out only by strange errors elsewhere."""
        made = next((len(vector) for vector in vectors if len(vector) != self._declared), None)
        if made is not None:
            raise InferenceError(
                f"Model {self._name} makes vectors of {made} dimensions, but {self._declared} are declared for it: "
                f"its declaration needs `dimensions` {made}"
            )


def _calls(model: Any) -> dict[tuple[DataKind, Mode], Callable[[list[Item]], Any]]:
    """Which method embeds what; lists shorter than fastembed's batch size run as one batch."""
    if hasattr(model, "embed_image"):
        texts, images = model.embed_text, model.embed_image
        return {
            ("text", "update"): texts, ("text", "search"): texts,
            ("image", "update"): images, ("image", "search"): images,
        }  # fmt: skip
    whole = one_batch(model)
    queries = whole or getattr(model, "query_embed", model.embed)
    passages = whole or getattr(model, "passage_embed", model.embed)
    return {
        ("text", "update"): passages, ("text", "search"): queries,
        ("image", "update"): model.embed, ("image", "search"): model.embed,
    }  # fmt: skip


def text_limits(card: ModelCard, model: Any, folder: ModelFolder, threads: int | None) -> BatchLimits:
    """Keeps batches in which one text would change the vector of another from being formed."""
    overhead = ALONE if threads == 1 else TOGETHER
    if card.kind == "late-interaction-multimodal" or quantises_activations(folder.path / folder.model_file):
        return ONE_BY_ONE
    if "LastToken" in type(model).__name__ or (card.added and card.added.pooling == "last_token"):
        return BatchLimits(even=True, overhead=overhead)
    return BatchLimits(overhead=overhead)


def quantises_activations(file: Path) -> bool:
    """Whether an ONNX model scales activations by the range of the whole batch (dynamic quantisation).

    The operator's name stands in the file as plain text.
    """
    if file.suffix != ".onnx" or file.stat().st_size == 0:
        return False
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(name) >= 0 for name in (b"DynamicQuantizeLinear", b"DynamicQuantizeMatMul"))
