"""How are inputs embedded by models that run in this process?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from qdlite.errors import InferenceError
from qdlite.inference import download, folders
from qdlite.inference.backend import Route, checked_text, data_text
from qdlite.inference.catalogue import Catalogue
from qdlite.inference.crowd import Crowd
from qdlite.inference.embedders import fastembed
from qdlite.inference.embedders.base import Embedder, Item
from qdlite.inference.folders import ModelFolder
from qdlite.inference.images import is_url, load_image
from qdlite.inference.inputs import Call, Embedded, InferenceInput
from qdlite.inference.lane import Lane
from qdlite.inference.loaded import LoadedModels
from qdlite.inference.model import ModelCard, ModelDescription, State
from qdlite.inference.options import Tuning, local_options, tuning
from qdlite.inference.providers.backend import key_advice
from qdlite.inference.settings import InferenceSettings
from qdlite.types import VectorArray

_TWICE = 256 * 2**20
"""Bytes of a model's files up to which it may be in memory a second time, to serve a crowd. Larger ones gain less,
because they keep several threads busy with one batch."""


class _Variant(NamedTuple):
    """What is loaded as one: a model, and the options of its own with which it was made."""

    card: ModelCard
    tuning: Tuning


class LocalModels:
    """fastembed's models and those of the user: found or downloaded, loaded on first use, then kept."""

    def __init__(self, settings: InferenceSettings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._loaded = LoadedModels(settings.max_loaded_models, settings.max_model_bytes)

    def route(self, item: InferenceInput, call: Call) -> Route:
        """Raises InferenceError if there is no such model or it does not embed this kind of data."""
        card = self._catalogue.find(item.model, item.kind)
        mrl = local_options(item.model, item.options, card.tunable, key_advice(card.name))
        if mrl is not None and card.kind == "sparse":
            raise InferenceError(f"Option mrl does not apply to {card.name}, whose vectors are sparse")
        if mrl is not None and card.dimensions is not None and mrl > card.dimensions:
            raise InferenceError(f"Option mrl is {mrl}, but {card.name} has {card.dimensions} dimensions")
        if item.kind == "text":
            checked_text(item, self._settings.max_text_length)
        group = (item.model, item.kind, tuning(item.options, card.tunable))
        return Route(self, group, item.data_key, mrl, lasting=not is_url(item.data))

    def route_added(self, item: InferenceInput, call: Call) -> Route | None:
        """As `route`, for models of the user only."""
        return self.route(item, call) if self._catalogue.is_added(item.model) else None

    def embed(self, inputs: Sequence[InferenceInput], call: Call) -> Embedded:
        card = self._catalogue.find(inputs[0].model, inputs[0].kind)
        variant = _Variant(card, tuning(inputs[0].options, card.tunable))
        vectors: list[VectorArray] = []
        tokens = 0
        for items in self._portions(inputs, card, call):
            with self._loaded.use(variant, partial(self._load, variant), call) as lane:
                told, read = lane.run(items, inputs[0].kind, call)
            vectors += told
            tokens += read
        return Embedded(vectors, {inputs[0].model: tokens})

    def describe(self, card: ModelCard) -> ModelDescription:
        folder = folders.find(card, self._settings)
        return ModelDescription(
            name=card.name,
            kind=card.kind,
            inputs=card.inputs,
            dimensions=card.dimensions,
            context=_window(card, folder),
            on_disk=folder is not None,
            state=self._state(card, folder),
            size=folder.size if folder else card.size,
            license=card.license,
        )

    def pull(self, card: ModelCard, progress: download.Progress) -> Path:
        """Downloads a model unless it is on disk; returns its folder."""
        folder = folders.find(card, self._settings)
        return folder.path if folder else download.download(card, self._settings, progress)

    def close(self) -> None:
        self._loaded.clear()

    def _state(self, card: ModelCard, folder: ModelFolder | None) -> State:
        if any(isinstance(loaded, _Variant) and loaded.card == card for loaded in self._loaded.held()):
            return "loaded"
        return "on disk" if folder else "not downloaded"

    def _load(self, variant: _Variant) -> tuple[Lane, int]:
        card = variant.card
        folder = folders.find(card, self._settings) or self._fetched(card)
        embedder = fastembed.load(card, folder, self._settings, variant.tuning)
        crowd = self._crowd(variant, folder, embedder)
        size = folder.size * 2 if crowd else folder.size
        return Lane(card.name, embedder, self._settings.max_waiting, crowd), size

    def _crowd(self, variant: _Variant, folder: ModelFolder, embedder: Embedder) -> Crowd | None:
        """For models of which there may be two in memory."""
        threads = self._settings.threads or os.cpu_count() or 1
        budget = self._settings.max_model_bytes
        fits = folder.size <= _TWICE and (budget is None or 2 * folder.size <= budget)
        if threads < 2 or self._settings.cuda or not fits or not embedder.concurrent:
            return None
        single = replace(self._settings, threads=1)
        return Crowd(threads, embedder, partial(fastembed.load, variant.card, folder, single, variant.tuning))

    def _fetched(self, card: ModelCard) -> ModelFolder:
        if download.is_offline(self._settings):
            raise InferenceError(self._missing(card))
        download.download(card, self._settings, download.silent)
        folder = folders.find(card, self._settings)
        if folder is None:
            raise InferenceError(f"Model {card.name} was downloaded, but files are missing in its repository")
        return folder

    def _missing(self, card: ModelCard) -> str:
        if card.added and card.added.folder:
            return f"Model {card.name} is not in {card.added.folder}, or has no file {card.model_file} there"
        places = ", ".join(str(path) for path in folders.searched(self._settings))
        advice = (
            f"Run `qdlite models pull {card.name}` on a machine with network access{key_advice(card.name)}"
            if card.source
            else f"Put its files into <models directory>/{card.name}"
        )
        return f"Model {card.name} is not on disk, and downloading is turned off. Searched: {places}. {advice}"

    def _portions(self, inputs: Sequence[InferenceInput], card: ModelCard, call: Call) -> Iterator[list[Item]]:
        """What the model takes at a time: all texts, but of images, which are embedded one by one, only as many as
        have the pixels that a single one may have. A few kilobytes each, they could be gigabytes when decoded."""
        if inputs[0].kind == "text":
            yield [self._text(item, card, call) for item in inputs]
            return
        part: list[Item] = []
        pixels = 0
        for item in inputs:
            image = self._image(item, call)
            size = image.width * image.height
            if part and pixels + size > self._settings.images.max_pixels:
                yield part
                part, pixels = [], 0
            part.append(image)
            pixels += size
        yield part

    def _text(self, item: InferenceInput, card: ModelCard, call: Call) -> Item:
        text = data_text(item)
        queries, passages = self._catalogue.prefixes(card)
        prefix = queries if call.mode == "search" else passages
        return text if text.startswith(prefix) else prefix + text

    def _image(self, item: InferenceInput, call: Call) -> Any:
        try:
            return load_image(item.data, self._settings.images, call)
        except InferenceError as error:
            error.about = item
            raise


def _window(card: ModelCard, folder: ModelFolder | None) -> int | None:
    """The tokens that are read of a text: as the tokenizer's files say, or fewer if the user declares so."""
    told = folders.context_window(folder) if folder else None
    if told is None or card.context is None:
        return told or card.context
    return min(told, card.context) if card.added else told
