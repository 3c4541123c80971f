"""How do the points of an operation become plain values for MessagePack, and come back checked?

Vectors of one name are flat arrays: all numbers in a row, and where vectors differ in length, the lengths. Nothing
read here is trusted: what does not fit the collection raises ValueError before it reaches a state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from qdlite.collection.capture import Part
from qdlite.collection.config import named, sparse_params
from qdlite.collection.operations import Upsert, VectorColumn
from qdlite.models.common import point_id
from qdlite.models.info import CollectionConfig
from qdlite.models.payloads import payload_object
from qdlite.types import FloatArray, OffsetArray, PointId, SparseArray, VectorArray

Plain: TypeAlias = dict[str, Any]
"""What MessagePack can hold: text keys; numbers, text, bytes, lists and maps of these."""

_INDEX = np.dtype("<u4")
_VERSION = np.dtype("<i8")
_FLOAT = np.dtype("<f4")
_DTYPES: dict[str, np.dtype[Any]] = {
    "float32": _FLOAT,
    "turbo4": _FLOAT,
    "float16": np.dtype("<f2"),
    "uint8": np.dtype("u1"),
}


class Layout(NamedTuple):
    """How the vectors of one name are laid out: `size` numbers of `dtype` a row."""

    encode: Callable[[Layout, Any], Plain]
    decode: Callable[[Layout, Plain, int], Sequence[VectorArray] | FloatArray]
    size: int
    dtype: np.dtype[Any]


def layouts(config: CollectionConfig) -> dict[str, Layout]:
    """The layout of each named vector of a collection."""
    found = {}
    for name, params in named(config.params.vectors).items():
        dtype = _DTYPES[params.datatype or "float32"]
        many = params.multivector_config is not None
        encode, decode = (_encode_multi, _decode_multi) if many else (_encode_dense, _decode_dense)
        found[name] = Layout(encode, decode, params.size, dtype)
    for name in sparse_params(config):
        found[name] = Layout(_encode_sparse, _decode_sparse, 1, _FLOAT)
    return found


def encode_part(part: Part, known: Mapping[str, Layout]) -> Plain:
    """The plain form of some points."""
    points = part.points
    return {
        "ids": points.ids,
        "versions": _buffer(part.versions, _VERSION),
        "payloads": points.payloads,
        "vectors": {name: _encode_column(known[name], column) for name, column in points.vectors.items()},
    }


def decode_part(plain: Plain, known: Mapping[str, Layout]) -> Part:
    """The points of a plain form. Raises KeyError, TypeError, ValueError or MalformedBody if they cannot be."""
    ids = [_checked_id(value) for value in plain["ids"]]
    if len(set(ids)) != len(ids):
        raise ValueError("an id occurs twice")
    versions = _array(plain["versions"], _VERSION, len(ids)).astype(np.int64)
    payloads = plain["payloads"]
    if len(payloads) != len(ids):
        raise ValueError("ids and payloads differ in number")
    for payload in payloads:
        payload_object(payload)
    columns = {name: _decode_column(known[name], column, len(ids)) for name, column in plain["vectors"].items()}
    return Part(Upsert(ids, columns, payloads), versions)


def _checked_id(value: object) -> PointId:
    if type(value) not in (int, str):
        raise ValueError("an id is neither a number nor a text")
    return point_id(cast(PointId, value))


def _encode_column(layout: Layout, column: VectorColumn) -> Plain:
    return {"rows": _buffer(column.rows, _INDEX), **layout.encode(layout, column.vectors)}


def _decode_column(layout: Layout, plain: Plain, points: int) -> VectorColumn:
    rows = _array(plain["rows"], _INDEX).astype(np.intp)
    if not len(rows) or rows[-1] >= points or not _ascending(rows):
        raise ValueError("vectors belong to points that are not there")
    return VectorColumn(rows, layout.decode(layout, plain, len(rows)))


def _encode_dense(layout: Layout, vectors: FloatArray) -> Plain:
    return {"values": _buffer(vectors, layout.dtype)}


def _decode_dense(layout: Layout, plain: Plain, count: int) -> FloatArray:
    return _matrix(layout, plain, count)


def _encode_multi(layout: Layout, vectors: Sequence[FloatArray]) -> Plain:
    return {
        "lengths": _buffer(np.array([len(vector) for vector in vectors]), _INDEX),
        "values": _buffer(np.concatenate(vectors), layout.dtype),
    }


def _decode_multi(layout: Layout, plain: Plain, count: int) -> list[VectorArray]:
    ends = _ends(plain, count, smallest=1)
    return list(np.split(_matrix(layout, plain, int(ends[-1])), ends[:-1]))


def _encode_sparse(layout: Layout, vectors: Sequence[SparseArray]) -> Plain:
    return {
        "lengths": _buffer(np.array([len(vector.indices) for vector in vectors]), _INDEX),
        "indices": _buffer(np.concatenate([vector.indices for vector in vectors]), _INDEX),
        "values": _buffer(np.concatenate([vector.values for vector in vectors]), layout.dtype),
    }


def _decode_sparse(layout: Layout, plain: Plain, count: int) -> list[VectorArray]:
    ends = _ends(plain, count, smallest=0)
    indices = _array(plain["indices"], _INDEX, int(ends[-1]))
    values = _matrix(layout, plain, int(ends[-1]))[:, 0]
    # Between two vectors the indices may fall; everywhere else they must rise.
    falls = np.flatnonzero(indices[1:] <= indices[:-1]) + 1
    if not np.isin(falls, ends).all():
        raise ValueError("the indices of a sparse vector are not ascending")
    parts = zip(np.split(indices, ends[:-1]), np.split(values, ends[:-1]), strict=True)
    return [SparseArray(part.astype(np.uint32, copy=False), numbers) for part, numbers in parts]


def _matrix(layout: Layout, plain: Plain, rows: int) -> FloatArray:
    values = _array(plain["values"], layout.dtype, rows * layout.size)
    return values.reshape(rows, layout.size).astype(np.float32, copy=False)


def _ends(plain: Plain, count: int, smallest: int) -> OffsetArray:
    """Where each of `count` vectors of differing lengths ends."""
    lengths = _array(plain["lengths"], _INDEX, count)
    if lengths.min() < smallest:
        raise ValueError("a vector is empty")
    return np.cumsum(lengths, dtype=np.intp)


def _buffer(array: NDArray[Any], dtype: np.dtype[Any]) -> bytes:
    return array.astype(dtype, copy=False).tobytes()


def _array(content: object, dtype: np.dtype[Any], count: int | None = None) -> NDArray[Any]:
    """The array of some bytes; `count`: how many numbers it must have."""
    if not isinstance(content, bytes):
        raise TypeError("an array is not binary")
    array = np.frombuffer(content, dtype)
    if count is not None and len(array) != count:
        raise ValueError("an array has the wrong length")
    return array


def _ascending(rows: OffsetArray) -> bool:
    return bool(np.all(rows[1:] > rows[:-1]))
