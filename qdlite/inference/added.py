"""Which models does the user add, beyond fastembed's list?

Declared in a TOML, YAML or JSON file, here as TOML:

    [[models]]
    name = "me/my-model"
    folder = "my-model"         # relative to the file; left out: found by name, as other models
    model_file = "model.onnx"
    dimensions = 384
    pooling = "mean"            # or cls, last_token, disabled (the model gives sentence vectors)
    normalize = true
    query_prefix = "query: "
    passage_prefix = "passage: "
    context = 512               # tokens read of a text, where the tokenizer's files name more or none

or found in a models directory: a sub-folder, `<name>` or `<org>/<name>`, with such a file named `qdlite.toml`,
`qdlite.yaml`, `qdlite.yml` or `qdlite.json` (the keys at its top; name and folder may be left out), or with the files
of sentence-transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from qdlite.errors import InferenceError
from qdlite.inference.model import AddedModel, Pooling

_DECLARATIONS = ("qdlite.toml", "qdlite.yaml", "qdlite.yml", "qdlite.json")
_POOLINGS: dict[str, Pooling] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_lasttoken": "last_token",
}
_POOLING_NAMES: dict[str, Pooling] = {"cls": "cls", "mean": "mean", "lasttoken": "last_token"}


class _Entry(Struct, forbid_unknown_fields=True):
    """One declared model, as written."""

    dimensions: Annotated[int, Meta(ge=1, le=65536)]
    name: Annotated[str, Meta(min_length=1)] | None = None
    folder: str | None = None
    source: str | None = None
    model_file: str = "model.onnx"
    pooling: Pooling = "mean"
    normalize: bool = True
    context: int | None = None
    query_prefix: str = ""
    passage_prefix: str = ""


class _Listing(Struct, forbid_unknown_fields=True):
    models: list[_Entry]


def read_models(file: Path) -> tuple[AddedModel, ...]:
    """The models declared in a TOML, YAML or JSON file. Raises InferenceError that says what is wrong in it."""
    entries = _converted(file, _Listing).models
    nameless = [entry for entry in entries if entry.name is None]
    if nameless:
        raise InferenceError(f"{file}: every model needs a `name`")
    return tuple(_model(entry, entry.name or "", file.parent, None) for entry in entries)


def discover(directories: tuple[Path, ...]) -> Iterator[tuple[AddedModel, bool]]:
    """Models that describe themselves in the models directories, and whether they do so in qdlite's own file.

    Folders whose name starts with `models--` belong to a hub cache and are not looked into.
    """
    for directory in directories:
        for name, folder in _folders(directory):
            declared = next((folder / file for file in _DECLARATIONS if (folder / file).is_file()), None)
            if declared is not None:
                entry = _converted(declared, _Entry)
                yield _model(entry, entry.name or name, folder, folder), True
            elif (folder / "modules.json").is_file():
                model = _of_sentence_transformers(name, folder)
                if model is not None:
                    yield model, False


def _folders(directory: Path) -> Iterator[tuple[str, Path]]:
    """Sub-folders of two levels, with the name a model in them would have."""
    for folder in _children(directory):
        yield folder.name, folder
        for inner in _children(folder):
            yield f"{folder.name}/{inner.name}", inner


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("models--"))
    except OSError:
        return []


def _model(entry: _Entry, name: str, base: Path, default: Path | None) -> AddedModel:
    return AddedModel(
        name=name,
        dimensions=entry.dimensions,
        pooling=entry.pooling,
        normalize=entry.normalize,
        model_file=entry.model_file,
        folder=base / entry.folder if entry.folder else default,
        source=entry.source,
        context=entry.context,
        prefixes=(entry.query_prefix, entry.passage_prefix),
    )


def _converted(file: Path, shape: type[Any]) -> Any:
    try:
        return msgspec.convert(_PARSERS.get(file.suffix.lower(), _toml)(file.read_bytes()), shape)
    except OSError as error:
        raise InferenceError(f"{file} cannot be read: {error}") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise InferenceError(f"{file}: {error}") from error


def _toml(content: bytes) -> Any:
    available = next((name for name in ("tomllib", "tomli") if find_spec(name)), None)
    if available is None:
        raise InferenceError("TOML files need Python 3.11 or the package tomli; JSON with the same keys works too")
    return import_module(available).loads(content.decode())


def _yaml(content: bytes) -> Any:
    """Plain values only: a file cannot name Python objects to make."""
    try:
        return msgspec.yaml.decode(content)
    except ImportError:
        raise InferenceError(
            "YAML files need the package PyYAML (pip install pyyaml); JSON with the same keys works too"
        ) from None


_PARSERS: dict[str, Callable[[bytes], Any]] = {".json": msgspec.json.decode, ".yaml": _yaml, ".yml": _yaml}


def _of_sentence_transformers(name: str, folder: Path) -> AddedModel | None:
    """What the files of sentence-transformers say; None for a pipeline beyond pooling and normalisation."""
    modules = [str(module.get("type", "")).rpartition(".")[2] for module in _json(folder / "modules.json", [])]
    config = _json(folder / "1_Pooling" / "config.json", {})
    pooling = _pooling(config)
    dimensions = config.get("word_embedding_dimension") or config.get("embedding_dimension")
    if not {"Pooling"} <= set(modules) <= {"Transformer", "Pooling", "Normalize"}:
        return None
    if pooling is None or not isinstance(dimensions, int):
        return None
    prompts = _json(folder / "config_sentence_transformers.json", {}).get("prompts") or {}
    passage = prompts.get("document") or prompts.get("passage") or ""
    return AddedModel(
        name=name,
        dimensions=dimensions,
        pooling=pooling,
        normalize="Normalize" in modules,
        model_file="onnx/model.onnx",
        folder=folder,
        prefixes=(str(prompts.get("query") or ""), str(passage)),
    )


def _pooling(config: Any) -> Pooling | None:
    """The one way of pooling that is switched on, in the older and the newer form of the file."""
    if isinstance(config.get("pooling_mode"), str):
        return _POOLING_NAMES.get(config["pooling_mode"])
    switched_on = [key for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
    return _POOLINGS.get(switched_on[0]) if len(switched_on) == 1 else None


def _json(file: Path, default: Any) -> Any:
    """The content of a JSON file if it has the type of `default`, else `default`."""
    try:
        content = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError):
        return default
    return content if isinstance(content, type(default)) else default
