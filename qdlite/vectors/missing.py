"""Which rows does a graph lack?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qdlite.types import OffsetArray
from qdlite.vectors.spans import Rows, listed

_SUSPECT_SHARE = 16
_MOST_WRITES = 64
"""All rows are looked at if more than one in so many is suspected, or after so many writes."""


class MissingRows:
    """The offsets that are present but not in the graph. Only what was missing before and what was written since can
    be: so a write does not make the next search look at all rows."""

    def __init__(self) -> None:
        self._known: OffsetArray | None = None
        """None if nobody has looked yet, or too much was written since."""
        self._written: tuple[OffsetArray, ...] = ()
        self._connected = False

    @property
    def settled(self) -> OffsetArray | None:
        """Those known, if nothing has happened since; ascending."""
        return None if self._written or self._connected else self._known

    def write(self, at: Rows) -> None:
        """Rows were written or removed."""
        if self._known is None:
            return
        if len(self._written) == _MOST_WRITES:
            self._known, self._written = None, ()
        else:
            self._written += (listed(at),)

    def connect(self) -> None:
        """The graph has some of them now."""
        self._connected = True

    def find(
        self, of_all: Callable[[], OffsetArray], of: Callable[[OffsetArray], OffsetArray], rows: int
    ) -> OffsetArray:
        """Looks which are missing: of all, which are so many, or only of some."""
        self._known = known = self._look(of_all, of, rows)
        self._written, self._connected = (), False
        return known

    def _look(
        self, of_all: Callable[[], OffsetArray], of: Callable[[OffsetArray], OffsetArray], rows: int
    ) -> OffsetArray:
        if self._known is None:
            return of_all()
        written = np.concatenate(self._written) if self._written else self._known[:0]
        if not self._connected and _follows(self._known, written):  # as while many points are loaded
            return np.concatenate((self._known, of(written)))
        if (len(self._known) + len(written)) * _SUSPECT_SHARE > rows:
            return of_all()
        return of(np.unique(np.concatenate((self._known, written))) if len(written) else self._known)


def _follows(first: OffsetArray, second: OffsetArray) -> bool:
    """Whether both together are ascending."""
    if len(first) and len(second) and first[-1] >= second[0]:
        return False
    return bool((second[1:] > second[:-1]).all())
