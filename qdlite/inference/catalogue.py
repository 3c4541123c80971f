"""Which local models exist, by name?"""

from __future__ import annotations

import difflib
import logging
import threading
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain

from qdlite.errors import InferenceError, UnknownModel
from qdlite.inference.added import discover
from qdlite.inference.embedders import fastembed
from qdlite.inference.inputs import DataKind
from qdlite.inference.model import AddedModel, ModelCard
from qdlite.inference.settings import InferenceSettings

E5_SMALL = AddedModel(
    name="intfloat/multilingual-e5-small",
    dimensions=384,
    model_file="onnx/model.onnx",
    source="intfloat/multilingual-e5-small",
    context=512,
    prefixes=("query: ", "passage: "),
)
"""Offered by Qdrant Cloud, but not listed by fastembed. Pooling and prefixes as in its model card."""

_log = logging.getLogger(__name__)

REMEMBERED = 1000
"""Names in any letter case whose models are not searched again."""


_LONGEST_NAME = 200
"""Characters of an unknown name that are compared with those of models, and repeated."""


class Catalogue:
    """fastembed's models and those added by the user, found in any letter case.

    A model that the user declares hides one of fastembed's of the same name; one that only has the files of
    sentence-transformers does not. fastembed is imported at the first look-up that needs it.
    """

    def __init__(self, settings: InferenceSettings) -> None:
        self._settings = settings
        for directory in settings.models_dirs:
            if not directory.is_dir():
                _log.warning("The models directory %s does not exist", directory)
        found = list(discover(settings.models_dirs))
        declared = [model for model, is_declared in found if is_declared]
        self._added = {model.name.lower(): [card_of(model)] for model in (*declared, *settings.models)}
        self._self_describing = [model for model, is_declared in found if not is_declared]
        self._listed: dict[str, list[ModelCard]] | None = None
        self._lock = threading.Lock()
        self.find = lru_cache(REMEMBERED)(self._find)

    def named(self, name: str) -> list[ModelCard]:
        """The models of that name; two, if one embeds text and the other images. Raises InferenceError
        if fastembed would have to be asked and is not installed."""
        lower = name.lower()
        return self._added.get(lower) or self._all_listed().get(lower) or self._by_short_name(lower)

    def _by_short_name(self, lower: str) -> list[ModelCard]:
        """The model meant by the last part of its name, hyphens for underscores allowed: `all-minilm-l6-v2`, as
        Qdrant Cloud shows its models. None if several are of that name."""
        if "/" in lower:
            return []
        wanted = lower.replace("_", "-")
        found = [
            cards for full, cards in self._all_listed().items() if full.rpartition("/")[2].replace("_", "-") == wanted
        ]
        return found[0] if len({cards[0].source for cards in found}) == 1 else []

    def proper_name(self, name: str) -> str:
        """The name as the catalogue writes it; unchanged if it is not there."""
        try:
            return next((card.name for card in self.named(name)), name)
        except InferenceError:
            return name

    def is_local(self, name: str) -> bool:
        try:
            return bool(self.named(name))
        except InferenceError:
            return False

    def is_added(self, name: str) -> bool:
        return name.lower() in self._added

    def _find(self, name: str, kind: DataKind) -> ModelCard:
        """The model that embeds this kind of data. Raises InferenceError with what to do instead."""
        cards = self.named(name)
        if not cards:
            raise self._unknown(name)
        for card in cards:
            if kind in card.inputs:
                return card
        accepted = sorted(set(chain.from_iterable(card.inputs for card in cards)))
        raise InferenceError(f"Model {name} embeds {' and '.join(accepted)}, not {kind}")

    def prefixes(self, card: ModelCard) -> tuple[str, str]:
        return self._settings.prefixes.get(card.name.lower(), card.prefixes)

    def cards(self) -> list[ModelCard]:
        """All models, those of the user first; only those without fastembed."""
        try:
            listed = self._all_listed()
        except InferenceError:
            listed = {}
        return [*chain.from_iterable(self._added.values()), *chain.from_iterable(listed.values())]

    def _all_listed(self) -> dict[str, list[ModelCard]]:
        with self._lock:
            if self._listed is None:
                listed = _by_name(fastembed.cards())
                for model in (*self._self_describing, E5_SMALL):
                    listed.setdefault(model.name.lower(), [card_of(model)])
                self._listed = listed
            return self._listed

    def _unknown(self, name: str) -> UnknownModel:
        names = {card.name.lower(): card.name for card in self.cards()}
        short = {lower.rpartition("/")[2]: full for lower, full in names.items()}
        known = {"qdrant/bm25": "qdrant/bm25", **short, **names}
        wanted = name.lower()[:_LONGEST_NAME]
        close = difflib.get_close_matches(wanted, known, 3, 0.6)
        close += difflib.get_close_matches(wanted.rpartition("/")[2], short, 2, 0.6)
        suggestions = list(dict.fromkeys(known[match] for match in close))[:3]
        hint = f" Did you mean {' or '.join(suggestions)}?" if suggestions else ""
        shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
        return UnknownModel(f"Unknown model: {shown}.{hint} `qdlite models` lists all models.")


def card_of(model: AddedModel) -> ModelCard:
    return ModelCard(
        name=model.name,
        kind="dense",
        inputs=("text",),
        dimensions=model.dimensions,
        context=model.context,
        source=model.source,
        model_file=model.model_file,
        prefixes=model.prefixes,
        added=model,
    )


def _by_name(cards: Iterable[ModelCard]) -> dict[str, list[ModelCard]]:
    result: dict[str, list[ModelCard]] = {}
    for card in cards:
        result.setdefault(card.name.lower(), []).append(card)
    return result
