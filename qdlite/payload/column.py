"""Which values do all rows have at one JSON path? Arrays by type of value, kept up to date row by row.

A row is a point, or an element of an array of objects (`tables`). The values found at the path are looked at as
Qdrant's conditions do: an array is entered one level, so its elements count as values too. Facts about whole
values (is there one, how many elements has it, is it null) are bits of one number per row.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdlite.models import datetimes
from qdlite.models.common import JsonObject
from qdlite.payload.entries import Array, Entries, Growing
from qdlite.payload.fulltext import TextIndex
from qdlite.payload.path import JsonPath
from qdlite.payload.uuids import canonical_uuid
from qdlite.text.options import TextOptions
from qdlite.types import MAX_INT64, MIN_INT64, BoolArray, Json

NO_DATETIME = np.iinfo(np.int64).min


class Fact(IntFlag):
    """What is known of a row's values. *Value*: at the path; *element*: a value, or what is in it if it is an array."""

    PRESENT = 1
    FILLED = 2
    """Some value is neither null nor an empty array."""
    NULL = 4
    """Some value is null."""
    NULL_INSIDE = 8
    """Some value is an array with a null in it."""
    ONE = 16
    """Some value counts as one: it is no array, or an array of one element."""
    NONE = 32
    """Some value counts as none: null, or an empty array."""
    NOT_NULL = 64
    """Some value is neither null nor an array with a null in it."""
    OTHER = 128
    """Some element is neither a string, an integer of 64 bits, nor null."""
    TRUE = 256
    FALSE = 512


# Plain numbers: combining IntFlag members costs more than everything else that is done with a value.
_FILLED, _NULL, _NULL_INSIDE = int(Fact.FILLED), int(Fact.NULL), int(Fact.NULL_INSIDE)
_ONE, _NONE, _NOT_NULL, _OTHER = int(Fact.ONE), int(Fact.NONE), int(Fact.NOT_NULL), int(Fact.OTHER)
_TRUE, _FALSE = int(Fact.TRUE | Fact.OTHER), int(Fact.FALSE | Fact.OTHER)
_EMPTY_ARRAY = _NONE | _NOT_NULL
_PLAIN = _FILLED | _ONE | _NOT_NULL
_NULL_VALUE = _NULL | _NONE
_PRESENT = int(Fact.PRESENT)


class Column:
    """All values at `path`. Changed by one writer; any number of readers may look at it in between."""

    def __init__(self, path: JsonPath) -> None:
        self.path = path
        self.strings = Entries(np.int32)
        """Codes; `texts[code]` is the string."""
        self.integers = Entries(np.int64)
        self.floats = Entries(np.float64)
        """Floats, and integers beyond 64 bits."""
        self.places = Entries(np.float64, np.float64)
        """Longitudes and latitudes of objects that have both as numbers, in range or not."""
        self.lengths = Entries(np.int64)
        """Lengths of arrays of two elements or more."""
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}
        self._facts = Growing(np.uint16)
        self._lazy = threading.Lock()
        self._datetimes: NDArray[np.int64] = np.empty(0, np.int64)
        self._uuids: dict[str, list[int]] = {}
        self._uuids_read = 0
        self._text_indexes: dict[TextOptions, TextIndex] = {}

    @property
    def extent(self) -> int:
        """One more than the highest row with a value, at some time."""
        return len(self._facts)

    @property
    def all_entries(self) -> tuple[Entries, ...]:
        return self.strings, self.integers, self.floats, self.places, self.lengths

    def add(self, rows: Sequence[int], payloads: Sequence[JsonObject]) -> None:
        """Reads the values of rows that have none yet."""
        if len(self.path.steps) == 1 and self._add_alike(rows, payloads):
            return
        reader, values = _Reader(self._encode), self.path.values
        for row, payload in zip(rows, payloads, strict=True):
            found = values(payload)
            if found:
                reader.read(row, found)
        self._append(reader)

    def remove(self, rows: Array) -> None:
        """Forgets the values of rows."""
        known = rows[rows < len(self._facts)]
        if not len(known):
            return
        self._facts.array[known] = 0
        for entries in self.all_entries:
            entries.remove(known)
            if entries.wasteful:
                self._compact(entries)

    def sync_text(self, options: TextOptions) -> None:
        """Brings a full-text index up to date, so that no reader has to wait for it."""
        self.text_index(options)

    def facts(self, wanted: int, size: int) -> BoolArray:
        """Rows 0..size of which any of the wanted facts is true."""
        mask = np.zeros(size, np.bool_)
        known = self._facts.array[:size]
        np.not_equal(known & np.uint16(wanted), 0, out=mask[: len(known)])
        return mask

    def code(self, text: str) -> int | None:
        """The code of a string, None if no row has it."""
        return self._codes.get(text)

    def string_mask(self, wanted: BoolArray, size: int) -> BoolArray:
        """Rows 0..size with a string whose code is set in `wanted` (one value per code)."""
        return self.strings.mask(wanted[self.strings.values()], size)

    def texts_where(self, test: Callable[[str], bool]) -> BoolArray:
        """Which strings pass a test, one value per code."""
        return np.fromiter(map(test, self.texts), np.bool_, len(self.texts))

    def datetimes(self) -> NDArray[np.int64]:
        """Microseconds since 1970 of each string by its code, NO_DATETIME where it is none."""
        with self._lazy:
            start = len(self._datetimes)
            if start < len(self.texts):
                parsed = map(datetimes.parse, self.texts[start:])
                added = [NO_DATETIME if micros is None else micros for micros in parsed]
                self._datetimes = np.concatenate([self._datetimes, np.array(added, np.int64)])
            return self._datetimes

    def uuids(self) -> dict[str, list[int]]:
        """Codes of the strings that spell a UUID, by its canonical form."""
        with self._lazy:
            if self._uuids_read < len(self.texts):
                known = {uuid: list(codes) for uuid, codes in self._uuids.items()} if self._uuids_read else {}
                for code in range(self._uuids_read, len(self.texts)):
                    uuid = canonical_uuid(self.texts[code])
                    if uuid is not None:
                        known.setdefault(uuid, []).append(code)
                self._uuids, self._uuids_read = known, len(self.texts)
            return self._uuids

    def text_index(self, options: TextOptions) -> TextIndex:
        """The full-text index over the strings, with the codes as documents."""
        with self._lazy:
            index = self._text_indexes.get(options)
            if index is None:
                index = self._text_indexes[options] = TextIndex(options)
            index.add(self.texts[len(index) :])
            return index

    def _add_alike(self, rows: Sequence[int], payloads: Sequence[JsonObject]) -> bool:
        """Takes the values of a top-level key from all rows at once, in a fraction of the time, if all are strings or
        all are numbers of the same kind. Says whether it did."""
        key = self.path.key
        values = [payload[key] for payload in payloads if key in payload]
        kinds = set(map(type, values))
        if len(kinds) != 1:
            return False
        owners = np.array(
            rows
            if len(values) == len(rows)
            else [row for row, payload in zip(rows, payloads, strict=True) if key in payload],
            np.intp,
        )
        kind, facts = kinds.pop(), _PRESENT | _PLAIN
        if kind is str:
            self.strings.add(owners, self._encode_all(values))
        elif kind is float:
            self.floats.add(owners, values)
            facts |= _OTHER
        elif kind is int and min(values) >= MIN_INT64 and max(values) <= MAX_INT64:
            self.integers.add(owners, values)
        else:
            return False
        self._note(owners, facts)
        return True

    def _encode(self, text: str) -> int:
        """The code of a string, a new one if it has none."""
        code = self._codes.setdefault(text, len(self.texts))
        if code == len(self.texts):
            self.texts.append(text)
        return code

    def _encode_all(self, texts: Sequence[str]) -> Sequence[int | None]:
        """The code of each string."""
        codes = list(map(self._codes.get, texts))
        return list(map(self._encode, texts)) if None in codes else codes

    def _note(self, rows: Any, facts: Any) -> None:
        """Sets what is known of rows."""
        at = np.asarray(rows, np.intp)
        self._facts.resize(int(at.max()) + 1)
        self._facts.array[at] = facts

    def _append(self, reader: _Reader) -> None:
        if not reader.rows:
            return
        self._note(reader.rows, reader.facts)
        self.strings.add(reader.string_rows, reader.codes)
        self.integers.add(reader.integer_rows, reader.integers)
        self.floats.add(reader.float_rows, reader.floats)
        self.places.add(reader.place_rows, reader.longitudes, reader.latitudes)
        self.lengths.add(reader.length_rows, reader.lengths)

    def _compact(self, entries: Entries) -> None:
        entries.compact()
        if entries is self.strings:
            used, codes = np.unique(entries.values(), return_inverse=True)
            self.texts[:] = [self.texts[code] for code in used.tolist()]
            self._codes.clear()
            self._codes.update(zip(self.texts, range(len(self.texts)), strict=True))
            entries.values()[:] = codes
            self._datetimes, self._uuids, self._uuids_read = np.empty(0, np.int64), {}, 0
            self._text_indexes = {options: TextIndex(options) for options in self._text_indexes}


class _Reader:
    """Takes values of rows apart into lists, one per kind of value."""

    def __init__(self, encode: Callable[[str], int]) -> None:
        """`encode` gives the code of a string."""
        self._encode = encode
        self.rows: list[int] = []
        self.facts: list[int] = []
        self.string_rows: list[int] = []
        self.codes: list[int] = []
        self.integer_rows: list[int] = []
        self.integers: list[int] = []
        self.float_rows: list[int] = []
        self.floats: list[float] = []
        self.place_rows: list[int] = []
        self.longitudes: list[float] = []
        self.latitudes: list[float] = []
        self.length_rows: list[int] = []
        self.lengths: list[int] = []

    def read(self, row: int, values: list[Json]) -> None:
        """Takes the values of one row, at least one."""
        facts = _PRESENT
        for value in values:
            if type(value) is list:
                facts |= self._array(row, value)
            elif value is None:
                facts |= _NULL_VALUE
            else:
                facts |= _PLAIN | _ELEMENTS[type(value)](self, row, value)
        self.rows.append(row)
        self.facts.append(facts)

    def _array(self, row: int, array: list[Json]) -> int:
        if not array:
            return _EMPTY_ARRAY
        facts = _FILLED
        if len(array) == 1:
            facts |= _ONE
        else:
            self.length_rows.append(row)
            self.lengths.append(len(array))
        has_null = False
        for element in array:
            if element is None:
                has_null = True
            else:
                facts |= _ELEMENTS[type(element)](self, row, element)
        return facts | (_NULL_INSIDE if has_null else _NOT_NULL)

    def _string(self, row: int, text: str) -> int:
        self.string_rows.append(row)
        self.codes.append(self._encode(text))
        return 0

    def _boolean(self, row: int, value: bool) -> int:
        return _TRUE if value else _FALSE

    def _integer(self, row: int, value: int) -> int:
        if not MIN_INT64 <= value <= MAX_INT64:
            return self._float(row, _as_float(value))
        self.integer_rows.append(row)
        self.integers.append(value)
        return 0

    def _float(self, row: int, value: float) -> int:
        self.float_rows.append(row)
        self.floats.append(value)
        return _OTHER

    def _object(self, row: int, value: JsonObject) -> int:
        longitude, latitude = value.get("lon"), value.get("lat")
        if type(longitude) in _NUMBERS and type(latitude) in _NUMBERS:
            self.place_rows.append(row)
            self.longitudes.append(_as_float(longitude))
            self.latitudes.append(_as_float(latitude))
        return _OTHER

    def _inner_array(self, row: int, value: list[Json]) -> int:
        return _OTHER


def _as_float(number: Any) -> float:
    """A number of any size; hundreds of digits are infinite."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


_NUMBERS = (int, float)

_ELEMENTS: dict[type, Callable[[_Reader, int, Any], int]] = {
    str: _Reader._string,
    bool: _Reader._boolean,
    int: _Reader._integer,
    float: _Reader._float,
    dict: _Reader._object,
    list: _Reader._inner_array,
}
