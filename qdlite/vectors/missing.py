"""Which rows does a graph lack?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qdlite.types import OffsetArray
from qdlite.vectors.spans import Rows, is_run, listed

_SUSPECT_SHARE = 16
_MOST_EVENTS = 64
"""All rows are looked at if more than one in so many is suspected, or after so many events."""

_Look = Callable[[], OffsetArray]
_LookAt = Callable[[OffsetArray], OffsetArray]


class MissingRows:
    """The offsets that are present but not in the graph. Only what was missing before and what was written since can
    be: so a write does not make the next search look at all rows. While many points are loaded and indexed, what is
    missing is a run of rows that grows at its end and shrinks at its beginning, which costs the same for any number."""

    def __init__(self) -> None:
        self._known: OffsetArray | None = None
        """Ascending; None if nobody has looked yet, or too much has happened since."""
        self._written: tuple[Rows, ...] = ()
        self._connected: tuple[OffsetArray, ...] = ()
        self._numbers: OffsetArray = np.empty(0, np.intp)
        """Row numbers from 0 on: a run of rows is a part of it."""

    @property
    def settled(self) -> OffsetArray | None:
        """Those known, if nothing has happened since; ascending."""
        return None if self._written or self._connected else self._known

    def write(self, at: Rows) -> None:
        """Rows were written or removed."""
        if self._known is None:
            return
        if len(self._written) == _MOST_EVENTS:
            self._forget()
        else:
            self._written += (at,)

    def connect(self, offsets: OffsetArray) -> None:
        """The graph has these now."""
        if self._known is None:
            return
        if len(self._connected) == _MOST_EVENTS:
            self._forget()
        else:
            self._connected += (offsets,)

    def find(self, of_all: _Look, of: _LookAt, rows: int) -> OffsetArray:
        """Looks which are missing: of all, which are so many, or only of some."""
        known = self._look(of_all, of, rows)
        self._forget()
        self._known = self._run(int(known[0]), int(known[-1]) + 1) if is_run(known) else known
        return self._known

    def _forget(self) -> None:
        self._known, self._written, self._connected = None, (), ()

    def _look(self, of_all: _Look, of: _LookAt, rows: int) -> OffsetArray:
        if self._known is None:
            return of_all()
        known = _without_first(self._known, self._connected)
        if known is not None and not self._written:
            return known
        written = _together(self._written)
        if known is not None and _follows(known, written):
            return self._with_last(known, of(written))
        if (len(self._known) + len(written)) * _SUSPECT_SHARE > rows:
            return of_all()
        return of(np.unique(np.concatenate((self._known, written))))

    def _with_last(self, known: OffsetArray, added: OffsetArray) -> OffsetArray:
        if is_run(known) and is_run(added) and known[-1] + 1 == added[0]:
            return self._run(int(known[0]), int(added[-1]) + 1)
        return np.concatenate((known, added))

    def _run(self, start: int, stop: int) -> OffsetArray:
        if stop > len(self._numbers):
            self._numbers = np.arange(2 * stop, dtype=np.intp)
        return self._numbers[start:stop]


def _together(written: tuple[Rows, ...]) -> OffsetArray:
    if not written:
        return np.empty(0, np.intp)
    return listed(written[0]) if len(written) == 1 else np.concatenate(list(map(listed, written)))


def _without_first(known: OffsetArray, connected: tuple[OffsetArray, ...]) -> OffsetArray | None:
    """What is left if the connected ones were the first; None if they were not."""
    for offsets in connected:
        if not np.array_equal(known[: len(offsets)], offsets):
            return None
        known = known[len(offsets) :]
    return known


def _follows(first: OffsetArray, second: OffsetArray) -> bool:
    """Whether both together are ascending."""
    if len(first) and len(second) and first[-1] >= second[0]:
        return False
    return bool((second[1:] > second[:-1]).all())
