"""How often does each value of a field occur, and which points share one?"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from qdlite.models.common import JsonObject
from qdlite.payload.column import Column, Fact
from qdlite.payload.entries import DEAD, Array
from qdlite.payload.indexes import COUNTED, FieldIndex, RowValues
from qdlite.payload.uuids import canonical_uuid
from qdlite.types import MIN_INT64, BoolArray, Json, OffsetArray

FacetValue = bool | int | str


def facet(index: FieldIndex, column: Column, mask: BoolArray, limit: int | None) -> list[tuple[FacetValue, int]]:
    """The most frequent values among the rows of `mask`, with the number of rows that have each.

    Most frequent first, equal ones by value: strings by their bytes, numbers by size, false before true.
    """
    found = _within(COUNTED[index.schema](column), mask)
    distinct, where = np.unique(found.values, return_inverse=True)
    pairs = np.unique(found.rows.astype(np.int64) * max(len(distinct), 1) + where)
    counts = np.bincount(pairs % max(len(distinct), 1), minlength=len(distinct))
    if limit is not None and limit < len(counts):
        enough = counts >= np.partition(counts, -limit)[-limit]
        distinct, counts = distinct[enough], counts[enough]
    shown = _SHOWN.get(index.schema, _integers)(column, distinct)
    hits: list[tuple[FacetValue, int]] = list(zip(shown, counts.tolist(), strict=True))
    return sorted(hits, key=_order) if limit is None else heapq.nsmallest(limit, hits, key=_order)


def _within(found: RowValues, mask: BoolArray) -> RowValues:
    """Values of rows in the mask. Dead entries look at the added last element."""
    extended = np.append(mask, False)
    keep = extended[np.where(found.rows < len(mask), found.rows, -1)]
    return RowValues(found.rows[keep], found.values[keep])


def _order(hit: tuple[FacetValue, int]) -> tuple[int, bytes | int]:
    value, count = hit
    return -count, value.encode() if isinstance(value, str) else value


def _integers(column: Column, values: Array) -> list[int]:
    numbers: list[int] = values.tolist()
    return numbers


def _strings(column: Column, codes: Array) -> list[str]:
    return [column.texts[code] for code in codes.tolist()]


def _uuids(column: Column, codes: Array) -> list[str]:
    return [canonical_uuid(text) or text for text in _strings(column, codes)]


def _booleans(column: Column, values: Array) -> list[bool]:
    return [bool(value) for value in values.tolist()]


_SHOWN: dict[str, Callable[[Column, Array], Sequence[FacetValue]]] = {
    "keyword": _strings,
    "uuid": _uuids,
    "bool": _booleans,
}


class Groups(NamedTuple):
    """Points by group: the point at `offsets[i]` is in the group `ids[codes[i]]`; points may repeat."""

    offsets: OffsetArray
    codes: NDArray[np.int64]
    ids: list[str | int]


def groups(column: Column, payload: Callable[[int], JsonObject]) -> Groups:
    """Which group ids the rows of a column have: each distinct string and integer. `payload`: what a row stands for.

    A row with any other value besides (a float, a boolean, an object, null) is in no group, as in Qdrant.
    """
    unusable = np.append(column.facts(Fact.OTHER | Fact.NULL | Fact.NULL_INSIDE, column.extent), True)
    numbers, number_codes = np.unique(column.integers.values(), return_inverse=True)
    rows = np.concatenate([column.strings.rows, column.integers.rows]).astype(np.int64)
    codes = np.concatenate([column.strings.values().astype(np.int64), number_codes + len(column.texts)])
    usable = ~unusable[rows]
    rows, codes = rows[usable], codes[usable]
    ids = [*column.texts, *numbers.tolist()]
    unsigned = list(_with_unsigned(column, payload))
    if unsigned:
        known = {group_id: code for code, group_id in enumerate(ids)}
        rows = np.append(rows, [row for row, _ in unsigned])
        codes = np.append(codes, [known.setdefault(group_id, len(known)) for _, group_id in unsigned])
        ids = list(known)
    size = max(len(ids), 1)
    pairs = np.unique(rows * size + codes)
    return Groups((pairs // size).astype(np.intp), pairs % size, ids)


def _with_unsigned(column: Column, payload: Callable[[int], JsonObject]) -> Iterator[tuple[int, str | int]]:
    """Rows and group ids of those that have integers which take all of 64 bits: columns keep these as floats."""
    floats = column.floats.values()
    perhaps = column.floats.rows[(floats >= 2.0**63) & (floats <= 2.0**64)]
    for row in np.unique(perhaps[perhaps != DEAD]).tolist():
        elements: list[Json] = []
        for value in column.path.values(payload(row)):
            elements += value if isinstance(value, list) else [value]
        ids = [element for element in elements if _is_group_id(element)]
        if len(ids) == len(elements):
            yield from ((row, cast("str | int", group_id)) for group_id in ids)


def _is_group_id(value: Json) -> bool:
    return type(value) is str or (type(value) is int and MIN_INT64 <= value < 2**64)
