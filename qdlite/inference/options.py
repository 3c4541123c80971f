"""Which options do local models understand, and what does `mrl` do to a vector?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

import numpy as np

from qdlite.errors import InferenceError
from qdlite.types import FloatArray, Json, SparseArray, VectorArray

KEY_SUFFIX = "-api-key"

_CLIENT_SIDE = frozenset(
    {
        "batch_size",
        "cache_dir",
        "cuda",
        "device_id",
        "device_ids",
        "enable_cpu_mem_arena",
        "lazy_load",
        "local_files_only",
        "mmap",
        "parallel",
        "providers",
        "specific_model_path",
        "threads",
    }
)
"""What fastembed's classes accept where the client itself embeds. A server decides these; no effect here."""

Tuning: TypeAlias = tuple[tuple[str, float], ...]
"""Options that are a model's own, by name in order; a model works differently with each set of them."""

_LARGEST = {"b": 1.0}
_POSITIVE = frozenset({"avg_len"})
_KNOWN_TO_ALL = "Local models know: mrl (number of leading dimensions to keep)"
_UNIT_TOLERANCE = 1e-3


def local_options(
    model: str, options: Mapping[str, Json] | None, tunable: Collection[str] = (), advice: str = ""
) -> int | None:
    """The value of `mrl` among the options of a local model. Raises InferenceError, with the advice, for others."""
    if not options:
        return None
    given = dict(options)
    size = given.pop("mrl", None)
    known = _CLIENT_SIDE.union(tunable)
    unknown = [name for name in given if name not in known and not name.endswith(KEY_SUFFIX)]
    if unknown:
        own = f"It knows: {', '.join(tunable)}" if tunable else _KNOWN_TO_ALL
        raise InferenceError(f"Model {model} does not know the option {', '.join(sorted(unknown))}. {own}{advice}")
    return checked_size(size)


def tuning(options: Mapping[str, Json] | None, tunable: Collection[str]) -> Tuning:
    """The options that are the model's own. Raises InferenceError for values that make no sense."""
    if not options:
        return ()
    return tuple((name, _number(name, options[name])) for name in sorted(tunable) if options.get(name) is not None)


def _number(name: str, value: Json) -> float:
    largest = _LARGEST.get(name, float(np.finfo(np.float32).max))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= largest:
        raise InferenceError(f"Option {name} must be a number from 0 to {largest:g}, got {value!r}")
    if value == 0 and name in _POSITIVE:
        raise InferenceError(f"Option {name} must be more than 0")
    return float(value)


def checked_key(name: str, value: Json) -> str:
    """An API key without the blanks or the line break that may stand around it; empty if nothing else is there. Raises
    InferenceError for what cannot be sent in a header, without repeating it."""
    if not isinstance(value, str) or not value.strip().isascii() or not value.strip().isprintable():
        raise InferenceError(f"The value of `{name}` is no API key")
    return value.strip()


def checked_size(size: Json) -> int | None:
    if size is None or (type(size) is int and size >= 1):
        return size
    raise InferenceError(f"Option mrl must be a positive integer, got {size!r}")


def shortened(vector: VectorArray, size: int | None, model: str) -> VectorArray:
    """The first `size` dimensions (of each row), scaled to unit length again if the whole had it."""
    if size is None:
        return vector
    if isinstance(vector, SparseArray):
        raise InferenceError(f"Option mrl does not apply to {model}, whose vectors are sparse")
    if size > vector.shape[-1]:
        raise InferenceError(f"Option mrl is {size}, but {model} has {vector.shape[-1]} dimensions")
    return _rescaled(vector, np.ascontiguousarray(vector[..., :size]))


def _rescaled(whole: FloatArray, part: FloatArray) -> FloatArray:
    norms = np.linalg.norm(whole, axis=-1, keepdims=True)
    kept = np.linalg.norm(part, axis=-1, keepdims=True)
    unit = (np.abs(norms - 1) < _UNIT_TOLERANCE) & (kept > 0)
    return np.where(unit, part / np.where(kept > 0, kept, 1), part).astype(np.float32)
