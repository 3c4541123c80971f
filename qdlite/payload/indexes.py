"""What does a payload index of a given type hold, and what can be asked of it?

An index is a view of a column: which of the column's values it knows is a matter of its schema type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET, Struct
from numpy.typing import NDArray

from qdlite.errors import MalformedBody, invalid
from qdlite.models.common import JsonObject
from qdlite.models.indexes import IndexParams, SchemaType
from qdlite.models.info import PayloadIndexInfo
from qdlite.payload.column import NO_DATETIME, Column, Fact
from qdlite.payload.entries import DEAD, Array, Entries, hits_mask, rows_mask
from qdlite.payload.path import JsonPath, parse
from qdlite.text.options import TextOptions
from qdlite.text.processor import text_processor
from qdlite.types import BoolArray, Json

_LIMIT = 2.0**63


class RowValues(NamedTuple):
    """Values of rows: `rows` (int32) may repeat, for rows with several values; `values` has the same length.
    `aligned`: the value at each position is that of the row of this number."""

    rows: NDArray[np.int32]
    values: Array
    aligned: bool = False

    def mask(self, hits: BoolArray, size: int) -> BoolArray:
        """Rows 0..size of which at least one value is hit (`hits` has one entry per value)."""
        return hits_mask(self.rows, self.aligned, hits, size)


class FieldIndex(Struct, frozen=True):
    """A payload index as the user created it. `params` is None if it was given as a plain type name."""

    path: JsonPath
    schema: SchemaType
    params: IndexParams | None = None
    text_options: TextOptions | None = None
    nested: JsonPath | None = None
    """The array, with `[]`, whose objects are entries of their own (Qdrant 1.20)."""

    @classmethod
    def create(cls, path: JsonPath, schema: SchemaType, params: IndexParams | None) -> FieldIndex:
        """Raises MalformedBody for text options that cannot be read, Unsupported for a stemmer that does not exist
        here, and WrongInput for an array that the field is not in."""
        options = None
        if schema == "text":
            options = text_options(params)
            text_processor(options)
        nested = None if params is None or params.nested is None else _nested_array(path, params.nested)
        return cls(path, schema, params, options, nested)

    def enabled(self, capability: str, default: bool) -> bool:
        """Whether an option such as `lookup`, `range`, `prefix` or `phrase_matching` is on."""
        value = getattr(self.params, capability, None)
        return default if value is None else bool(value)

    @property
    def scoring(self) -> bool:
        """Whether the index can rank texts by BM25."""
        return self.params is not None and self.params.scoring not in (None, False)

    def info(self, column: Column) -> PayloadIndexInfo:
        """The index as collection info shows it."""
        params: Any = UNSET if self.params is None else _echoed(self.params, self.text_options)
        return PayloadIndexInfo(data_type=self.schema, params=params, points=int(indexed_mask(self, column).sum()))


def text_options(params: IndexParams | None) -> TextOptions:
    """How a full-text index makes tokens. Raises MalformedBody for options that cannot be read."""
    given = msgspec.to_builtins(params) if params is not None else {}
    try:
        return TextOptions.parse(given)
    except ValueError as error:
        raise MalformedBody(str(error)) from None


def _nested_array(path: JsonPath, text: str) -> JsonPath:
    array = parse(text).array_key()
    if not all(isinstance(step, str) for step in array.steps[:-1]):
        shape = "must point to a single array level, like `offers` or `offers[]`"
        raise invalid(f"nested `{array}` {shape}")
    if path.strip_prefix(array) is None:
        place = f"must be inside the elements of nested `{array}`, like `{array}.price`"
        raise invalid(f"field `{path}` {place}")
    return array


_ALWAYS_ECHOED: Mapping[SchemaType, tuple[str, ...]] = {
    "integer": ("lookup", "range", "is_principal"),
    "float": ("is_principal",),
    "datetime": ("is_principal",),
    "text": ("tokenizer",),
}
"""Options that Qdrant shows whether or not they were given: null, or the default of the tokenizer."""

_DEFAULTS: Mapping[str, str] = {"tokenizer": "word"}


def _echoed(params: IndexParams, options: TextOptions | None) -> JsonObject:
    """The options as given, without those that the type of index does not have."""
    given: JsonObject = msgspec.to_builtins(params)
    if options is not None:
        given.update(_text_options(params, options))
    shown = {name: _DEFAULTS.get(name) for name in _ALWAYS_ECHOED.get(params.type, ())}
    return {"type": params.type, **shown, **{name: value for name, value in given.items() if params.takes(name)}}


def _text_options(params: IndexParams, options: TextOptions) -> Iterator[tuple[str, Json]]:
    """Those that Qdrant shows in a form of its own: languages by their names, words in order and only once."""
    if options.stemmer is not None:
        yield "stemmer", {"type": "snowball", "language": options.stemmer}
    if isinstance(params.stopwords, str):
        yield "stopwords", next(iter(options.stopwords.languages))
    elif params.stopwords is not None:
        given = msgspec.to_builtins(params.stopwords)
        yield "stopwords", {name: sorted(getattr(options.stopwords, name)) for name in given}


def _all_of(entries: Entries) -> RowValues:
    return RowValues(entries.rows, entries.values(), entries.aligned)


def integer_values(column: Column) -> RowValues:
    """Integers, and floats without a fraction as integers."""
    floats = column.floats.values()
    if not len(floats):
        return _all_of(column.integers)
    whole = (np.floor(floats) == floats) & (np.abs(floats) <= _LIMIT)
    if not whole.any():
        return _all_of(column.integers)
    converted = np.clip(floats[whole], -_LIMIT, np.nextafter(_LIMIT, 0)).astype(np.int64)
    converted[floats[whole] == _LIMIT] = np.iinfo(np.int64).max
    return RowValues(
        np.concatenate([column.integers.rows, column.floats.rows[whole]]),
        np.concatenate([column.integers.values(), converted]),
    )


def number_values(column: Column) -> RowValues:
    """All numbers as float64."""
    if not len(column.integers):
        return _all_of(column.floats)
    integers = column.integers.values().astype(np.float64)
    if not len(column.floats):
        return RowValues(column.integers.rows, integers, column.integers.aligned)
    return RowValues(
        np.concatenate([column.integers.rows, column.floats.rows]),
        np.concatenate([integers, column.floats.values()]),
    )


def datetime_values(column: Column) -> RowValues:
    """Microseconds since 1970 of the strings that are dates."""
    micros = column.datetimes()[column.strings.values()]
    valid = micros != NO_DATETIME
    return RowValues(column.strings.rows[valid], micros[valid])


def string_values(column: Column) -> RowValues:
    """Codes of strings."""
    return RowValues(column.strings.rows, column.strings.values())


def uuid_values(column: Column) -> RowValues:
    """Codes of strings that spell a UUID; for each UUID the code of its first spelling."""
    first = np.full(len(column.texts), -1, np.int32)
    for codes in column.uuids().values():
        first[codes] = codes[0]
    values = first[column.strings.values()]
    return RowValues(column.strings.rows[values >= 0], values[values >= 0])


def bool_values(column: Column) -> RowValues:
    """0 and 1 for false and true."""
    size = column.extent
    false, true = (np.flatnonzero(column.facts(fact, size)) for fact in (Fact.FALSE, Fact.TRUE))
    rows = np.concatenate([false, true]).astype(np.int32)
    return RowValues(rows, np.repeat(np.array([0, 1]), [len(false), len(true)]))


def on_globe(column: Column) -> NDArray[np.bool_]:
    """Which places are on the globe; others are not indexed."""
    longitudes, latitudes = column.places.values(0), column.places.values(1)
    return (np.abs(longitudes) <= 180) & (np.abs(latitudes) <= 90)


def _place_values(column: Column) -> RowValues:
    rows = column.places.rows[on_globe(column)]
    return RowValues(rows, rows)


_VALUES: dict[SchemaType, Callable[[Column], RowValues]] = {
    "keyword": string_values,
    "integer": integer_values,
    "float": number_values,
    "geo": _place_values,
    "bool": bool_values,
    "datetime": datetime_values,
    "uuid": uuid_values,
}


def indexed_mask(index: FieldIndex, column: Column) -> NDArray[np.bool_]:
    """Rows with at least one value that the index knows. It does not know a text without tokens."""
    if index.text_options is not None:
        return column.string_mask(column.text_index(index.text_options).lengths > 0, column.extent)
    rows = _VALUES[index.schema](column).rows
    return rows_mask(rows, column.extent)


ORDERED: dict[SchemaType, Callable[[Column], RowValues]] = {
    "integer": integer_values,
    "float": number_values,
    "datetime": datetime_values,
}
"""Types that points can be ordered by, with the values that decide."""

COUNTED: dict[SchemaType, Callable[[Column], RowValues]] = {
    "keyword": string_values,
    "integer": integer_values,
    "uuid": uuid_values,
    "bool": bool_values,
}
"""Types with values that a facet can count."""


def can_order(index: FieldIndex | None) -> bool:
    """Whether the index can order points."""
    return index is not None and index.schema in ORDERED and index.enabled("range", True)


def can_count(index: FieldIndex | None) -> bool:
    """Whether the index can count its distinct values."""
    return index is not None and index.schema in COUNTED and index.enabled("lookup", True)


def distinct(found: RowValues) -> RowValues:
    """The same without values of rows that were rewritten, and with each value of a row once."""
    rows, values = found.rows, found.values
    keep = rows != DEAD
    if not keep.all():
        rows, values = rows[keep], values[keep]
    if not len(rows) or int(np.bincount(rows).max()) == 1:
        return RowValues(rows, values)
    order = np.lexsort((values, rows))
    rows, values = rows[order], values[order]
    first = np.append(True, (rows[1:] != rows[:-1]) | (values[1:] != values[:-1]))
    return RowValues(rows[first], values[first])
