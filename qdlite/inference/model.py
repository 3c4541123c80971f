"""What is known about a model before it is loaded?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from qdlite.inference.inputs import DataKind

ModelKind = Literal[
    "bm25", "hashing", "dense", "sparse", "late-interaction", "image", "late-interaction-multimodal", "external"
]
Pooling = Literal["cls", "mean", "last_token", "disabled"]
State = Literal["built in", "loaded", "on disk", "not downloaded", "remote"]


@dataclass(frozen=True)
class ModelCard:
    """One local model: what it accepts and gives, and which files it consists of.

    `model_file` and `additional_files` are relative to the model folder; `source` is the hub repository.
    `prefixes` are put before (queries, passages). `size` in bytes. `added` is set for models of the user.
    `tunable` names the options of requests that are the model's own.
    """

    name: str
    kind: ModelKind
    inputs: tuple[DataKind, ...]
    dimensions: int | None
    context: int | None = None
    source: str | None = None
    model_file: str = "model.onnx"
    additional_files: tuple[str, ...] = ()
    size: int | None = None
    license: str = ""
    prefixes: tuple[str, str] = ("", "")
    added: AddedModel | None = None
    tunable: tuple[str, ...] = ()

    def __hash__(self) -> int:
        """Of the name alone, because each request looks its model up."""
        return hash(self.name)


@dataclass(frozen=True)
class AddedModel:
    """A dense text model outside fastembed's list: an ONNX file and how its output becomes a vector.

    `folder` holds the tokenizer files and `model_file`; without it the folder is found by name, as for other
    models, or downloaded from `source`. Of a text `context` tokens are read, or fewer if the tokenizer's files say so.
    """

    name: str
    dimensions: int
    pooling: Pooling = "mean"
    normalize: bool = True
    model_file: str = "model.onnx"
    folder: Path | None = None
    source: str | None = None
    context: int | None = None
    prefixes: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class ModelDescription:
    """One line of `qdlite models`. `dimensions` is None where vectors are sparse, or any size is possible.

    `context` is the number of tokens read of a text (the rest is cut off), where known.
    """

    name: str
    kind: ModelKind
    inputs: tuple[DataKind, ...]
    dimensions: int | None
    context: int | None
    on_disk: bool
    state: State
    size: int | None = None
    license: str = ""


class ModelReport(NamedTuple):
    """A model and what it has done so far: tokens read, requests, and the seconds they took."""

    model: ModelDescription
    tokens: int
    requests: int
    seconds: float
