"""How does a model come from the hub into the cache directory?"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from qdlite.errors import InferenceError
from qdlite.inference.embedders.fastembed import INSTALL
from qdlite.inference.folders import cache_folder
from qdlite.inference.model import ModelCard
from qdlite.inference.settings import InferenceSettings

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with what is done, the total known so far (0: unknown) and the unit, "B" or "files"."""

_SHARED_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "preprocessor_config.json",
)


def silent(done: int, total: int, unit: str) -> None:
    """A `Progress` that tells nobody."""


def download(card: ModelCard, settings: InferenceSettings, progress: Progress) -> Path:
    """Downloads the files of a model that are not yet there, into a hub-shaped cache, as fastembed does.

    Raises InferenceError if that is not possible, without repeated attempts.
    """
    if not card.source:
        raise InferenceError(f"Model {card.name} has no hub repository; put its files into {_place(card)}")
    if is_offline(settings):
        raise InferenceError(f"Model {card.name} cannot be downloaded: qdlite runs offline")
    try:
        hub = import_module("huggingface_hub")
    except ImportError as error:
        raise InferenceError(f"Downloading models needs huggingface_hub. {INSTALL}") from error
    cache = cache_folder(settings)
    cache.mkdir(parents=True, exist_ok=True)
    try:
        return Path(
            hub.snapshot_download(
                repo_id=card.source,
                allow_patterns=[*_SHARED_FILES, card.model_file, *card.additional_files],
                cache_dir=str(cache),
                tqdm_class=_reporting(progress),
            )
        )
    except Exception as error:
        raise InferenceError(f"Model {card.name} could not be downloaded from {card.source}: {error}") from error


def _place(card: ModelCard) -> str:
    return str(card.added.folder) if card.added and card.added.folder else f"<models directory>/{card.name}"


def is_offline(settings: InferenceSettings) -> bool:
    """Whether downloading is turned off, by the settings or as for other programs by HF_HUB_OFFLINE."""
    return settings.offline or os.environ.get("HF_HUB_OFFLINE", "").strip().upper() in {"1", "TRUE", "YES", "ON"}


def _reporting(progress: Progress) -> Any:
    """A progress bar class for the hub's download that reports instead of drawing."""
    tqdm: Any = import_module("tqdm").tqdm

    class Reporting(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            self._unit = "B" if options.get("unit") == "B" else "files"
            self._done = options.get("initial") or 0
            super().__init__(*args, **{**options, "disable": True})
            self.total = options.get("total") or 0

        def update(self, n: float | None = 1) -> bool | None:
            self._done += n or 0
            progress(int(self._done), int(self.total or 0), self._unit)
            return None

        def __iter__(self) -> Any:
            for item in self.iterable:
                yield item
                self.update(1)

    return Reporting
