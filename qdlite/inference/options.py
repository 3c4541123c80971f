"""Which options do local models understand, and what does `mrl` do to a vector?"""

from __future__ import annotations

from collections.abc import Mapping

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

_UNIT_TOLERANCE = 1e-3


def local_options(model: str, options: Mapping[str, Json] | None) -> int | None:
    """The value of `mrl` among the options of a local model. Raises InferenceError for unknown options."""
    given = dict(options or {})
    size = given.pop("mrl", None)
    unknown = [name for name in given if name not in _CLIENT_SIDE and not name.endswith(KEY_SUFFIX)]
    if unknown:
        raise InferenceError(
            f"Model {model} does not know the option {', '.join(sorted(unknown))}. "
            "Local models know: mrl (number of leading dimensions to keep)"
        )
    return checked_size(size)


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
