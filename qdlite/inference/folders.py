"""Where on disk is a model?

A model `org/name` is looked for in each models directory, in this order, ignoring letter case:

1. `<dir>/<org>/<name>`
2. `<dir>/<name>`, and `<dir>` itself if that is its name; both also with `-onnx` or `-onnx-q` appended
3. the same with the name of the hub repository that fastembed downloads from
4. `<dir>/models--<org>--<name>/snapshots/<revision>`, the layout of a hub cache, by the repository's name

and last in the cache directory by rule 4. A folder holds a model if the model's files are in it; otherwise
its sub-folders are tried, those of `variants` first (fp32 before quantised builds), then by name.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from qdlite.inference.model import ModelCard
from qdlite.inference.settings import InferenceSettings

_SUFFIXES = ("", "-onnx", "-onnx-q")
_COMMON_FILES = ("model.onnx", "onnx/model.onnx", "model_optimized.onnx")


class ModelFolder(NamedTuple):
    """A complete model folder; `model_file` is relative to `path`."""

    path: Path
    model_file: str

    @property
    def size(self) -> int:
        """Bytes of the model file and the external data beside it."""
        file = self.path / self.model_file
        data = (other for other in file.parent.glob(file.name + "*") if other.is_file())
        return sum(part.stat().st_size for part in data)


def cache_folder(settings: InferenceSettings) -> Path:
    """fastembed's cache directory (not created here)."""
    default = os.environ.get("FASTEMBED_CACHE_PATH") or os.path.join(tempfile.gettempdir(), "fastembed_cache")
    return settings.cache_dir or Path(default)


def find(card: ModelCard, settings: InferenceSettings) -> ModelFolder | None:
    """The first complete folder of the model, or None."""
    for folder in _candidates(card, settings):
        for path in (folder, *_variants(folder, settings.variants)):
            model_file = _model_file(path, card)
            if model_file is not None:
                return ModelFolder(path, model_file)
    return None


def searched(settings: InferenceSettings) -> list[Path]:
    return [*settings.models_dirs, cache_folder(settings)]


def _candidates(card: ModelCard, settings: InferenceSettings) -> Iterator[Path]:
    if card.added and card.added.folder:
        yield card.added.folder
        return
    names = [name for name in (card.name, card.source) if name]
    for directory in settings.models_dirs:
        for name in names:
            yield from _by_name(directory, name)
        yield from _snapshots(directory, names)
    yield from _snapshots(cache_folder(settings), names)


def _by_name(directory: Path, model: str) -> Iterator[Path]:
    org, _, name = model.lower().rpartition("/")
    if org:
        for owner in _children(directory, {org}):
            yield from _children(owner, {name})
    accepted = {name + suffix for suffix in _SUFFIXES}
    yield from _children(directory, accepted)
    if directory.name.lower() in accepted:
        yield directory


def _snapshots(directory: Path, models: list[str]) -> Iterator[Path]:
    """Snapshot folders of the repositories, the one that `refs/main` names first."""
    for repository in _children(directory, {"models--" + name.lower().replace("/", "--") for name in models}):
        main = repository / "refs" / "main"
        current = main.read_text().strip() if main.is_file() else ""
        yield from sorted(_children(repository / "snapshots"), key=lambda path: path.name != current)


def _variants(folder: Path, order: tuple[str, ...]) -> list[Path]:
    ranks = {name: rank for rank, name in enumerate(order)}
    return sorted(_children(folder), key=lambda path: ranks.get(path.name.lower(), len(ranks)))


def _children(folder: Path, lower_names: set[str] | None = None) -> list[Path]:
    """Sub-folders by name, those with one of the given lower-case names only; none if unreadable."""
    try:
        entries = [entry for entry in sorted(folder.iterdir()) if entry.is_dir()]
    except OSError:
        return []
    return [entry for entry in entries if lower_names is None or entry.name.lower() in lower_names]


def _model_file(folder: Path, card: ModelCard) -> str | None:
    """The model's file in a folder that has all its files, also under a usual other name; else None."""
    if not all((folder / name).is_file() for name in card.additional_files if not _is_weights(name)):
        return None
    if (folder / card.model_file).is_file():
        return card.model_file
    chosen = card.added is not None and card.model_file not in _COMMON_FILES
    if chosen or not card.model_file.endswith(".onnx") or card.name.lower().endswith("-q"):
        return None
    names = (Path(card.model_file).name, *_COMMON_FILES)
    return next((name for name in names if (folder / name).is_file()), _only_onnx_file(folder))


def _is_weights(name: str) -> bool:
    """External data stands beside the model file, wherever that was found."""
    return "onnx_data" in name


def _only_onnx_file(folder: Path) -> str | None:
    files = [path.name for path in folder.glob("*.onnx")]
    return files[0] if len(files) == 1 else None


def context_window(folder: ModelFolder) -> int | None:
    """Tokens of a text that are read, as fastembed takes it from tokenizer_config.json; None if not told."""
    try:
        config = json.loads((folder.path / "tokenizer_config.json").read_bytes())
    except (OSError, ValueError):
        return None
    told = (config.get("model_max_length"), config.get("max_length"))
    windows = [value for value in told if type(value) is int and 0 < value <= sys.maxsize]
    return min(windows, default=None)
