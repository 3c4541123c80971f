"""Which rows have the largest sums over some weighted posting lists? By numpy; see `kernels` for the other way."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from qdlite.types import BoolArray, FloatArray, OffsetArray
from qdlite.vectors.select import best, best_among

_FEW_SHARE = 64


class PostingList(Struct, frozen=True, eq=False, gc=False):
    """The rows (ascending) and values of one index of the query, and its weight there."""

    rows: NDArray[np.uint32]
    values: FloatArray
    weight: np.float32


@np.errstate(over="ignore", invalid="ignore")
def largest_sums(
    lists: list[PostingList], buffer: FloatArray, limit: int, allowed: BoolArray | None
) -> tuple[OffsetArray, FloatArray]:
    """The `limit` rows with the largest sums among those in any list and `allowed`, best first, and the sums.

    `buffer` has an entry for each row, 0 before and after.
    """
    try:
        if sum([len(one.rows) for one in lists]) * _FEW_SHARE < len(buffer):
            return _touching_few(lists, buffer, limit, allowed)
        return _touching_all(lists, buffer, limit, allowed)
    except BaseException:
        buffer.fill(0)
        raise


def _touching_few(
    lists: list[PostingList], buffer: FloatArray, limit: int, allowed: BoolArray | None
) -> tuple[OffsetArray, FloatArray]:
    """Reads and writes only the rows in the lists."""
    if not lists:
        return np.empty(0, np.intp), np.empty(0, np.float32)
    rows = np.unique(np.concatenate([one.rows for one in lists])).astype(np.intp)
    _add(lists, buffer)
    sums = buffer[rows]
    buffer[rows] = 0
    if allowed is not None:
        kept = allowed[rows]
        rows, sums = rows[kept], sums[kept]
    chosen = best_among(sums, limit)
    return rows[chosen], sums[chosen]


def _touching_all(
    lists: list[PostingList], buffer: FloatArray, limit: int, allowed: BoolArray | None
) -> tuple[OffsetArray, FloatArray]:
    """Selects from all rows. Those in no list stay 0, which matters only if the best sums do not fill the limit
    with positive ones."""
    _add(lists, buffer)
    chosen = best(buffer, limit, allowed)
    if len(chosen) < limit or not buffer[chosen[-1]] > 0:
        touched = np.zeros(len(buffer), np.bool_)
        for one in lists:
            touched[one.rows] = True
        chosen = best(buffer, limit, touched if allowed is None else touched & allowed)
    sums = buffer[chosen]
    buffer.fill(0)
    return chosen, sums


def _add(lists: list[PostingList], buffer: FloatArray) -> None:
    add = np.add.at
    for one in lists:
        add(buffer, one.rows.astype(np.intp), one.values * one.weight)  # add.at itself converts more slowly
