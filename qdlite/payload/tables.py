"""Which columns exist, and how are they built when first needed? For points, and for elements of nested arrays.

A table has rows and, per JSON path, a column. The rows of the top table are the points (offsets); a child table
has one row per object in an array, so that a condition on single elements is a condition on its rows.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from qdlite import payload as on_demand
from qdlite.models.common import JsonObject
from qdlite.payload.path import JsonPath
from qdlite.payload.store import PayloadStore
from qdlite.types import BoolArray

if TYPE_CHECKING:
    from qdlite.payload import Array, Column

Keys: TypeAlias = "frozenset[str] | None"
"""Top-level keys of payloads; None stands for all."""

HIDDEN_LIMIT = 64
"""How many columns and child tables a table keeps for fields without an index; the oldest go first."""


class Table(ABC):
    """Columns and child tables over rows. Written under the collection's write lock; readers may build columns."""

    def __init__(self) -> None:
        self.columns: dict[JsonPath, Column] = {}
        self.children: dict[JsonPath, ChildTable] = {}
        self.kept: set[JsonPath] = set()
        """Columns that a user's index needs, which are never given up."""
        self._building = threading.RLock()

    @abstractmethod
    def items(self, key: str) -> Iterator[tuple[int, JsonObject]]:
        """Rows in use and their objects, of which only the value of `key` is certain to be there."""

    @property
    @abstractmethod
    def extent(self) -> int:
        """One more than the highest row in use."""

    @property
    def active(self) -> bool:
        """Whether there is anything to keep up to date."""
        return bool(self.columns or self.children)

    @property
    def keys(self) -> frozenset[str]:
        """The top-level keys that any of it depends on."""
        return frozenset(path.key for path in (*self.columns, *self.children))

    def column(self, path: JsonPath) -> Column:
        """The column of a path, built from the stored objects if there is none yet."""
        known = self.columns.get(path)
        if known is not None:
            return known
        with self._building:
            return self.columns.get(path) or self._build_column(path)

    def child(self, path: JsonPath) -> ChildTable:
        """The table of the objects among the values at `path`."""
        known = self.children.get(path)
        if known is not None:
            return known
        with self._building:
            return self.children.get(path) or self._build_child(path)

    def rewrite(self, rows: Sequence[int], objects: Sequence[JsonObject], keys: Keys = None) -> None:
        """Takes other objects of rows in place of those it knows, as far as the values of `keys` go."""
        self.remove(np.array(rows, np.intp), keys)
        self.add(rows, objects, keys)

    def add(self, rows: Sequence[int], objects: Sequence[JsonObject], keys: Keys = None) -> None:
        """Takes the objects of rows that have none yet, as far as the values of `keys` go."""
        for path, column in self.columns.items():
            if keys is None or path.key in keys:
                column.add(rows, objects)
        for path, child in self.children.items():
            if keys is None or path.key in keys:
                child.add_elements(rows, objects)

    def remove(self, rows: Array, keys: Keys = None) -> None:
        """Forgets the objects of rows, as far as the values of `keys` go."""
        for path, column in self.columns.items():
            if keys is None or path.key in keys:
                column.remove(rows)
        for path, child in self.children.items():
            if keys is None or path.key in keys:
                child.remove_elements(rows)
        self.children = {path: child for path, child in self.children.items() if not child.wasteful}

    def drop_column(self, path: JsonPath) -> None:
        """Gives up a column; it is built again if anybody asks for it."""
        self.kept.discard(path)
        self.columns = {known: column for known, column in self.columns.items() if known != path}

    def _build_column(self, path: JsonPath) -> Column:
        column = on_demand.Column(path)
        column.add(*_unzipped(self.items(path.key)))
        hidden = [known for known in self.columns if known not in self.kept]
        dropped = set(hidden[: max(0, len(hidden) + 1 - HIDDEN_LIMIT)])
        # A new dict, because readers may be looking at the old one.
        self.columns = {known: kept for known, kept in self.columns.items() if known not in dropped} | {path: column}
        return column

    def _build_child(self, path: JsonPath) -> ChildTable:
        child = ChildTable(self, path)
        child.add_elements(*_unzipped(self.items(path.key)))
        newest = list(self.children.items())[1 - HIDDEN_LIMIT :]
        self.children = dict(newest) | {path: child}
        return child


def _unzipped(items: Iterator[tuple[int, JsonObject]]) -> tuple[list[int], list[JsonObject]]:
    rows: list[int] = []
    objects: list[JsonObject] = []
    for row, value in items:
        rows.append(row)
        objects.append(value)
    return rows, objects


class PointTable(Table):
    """The points of a collection; a row is an offset."""

    def __init__(self, store: PayloadStore) -> None:
        super().__init__()
        self._store = store

    @property
    def extent(self) -> int:
        return len(self._store)

    def items(self, key: str) -> Iterator[tuple[int, JsonObject]]:
        return self._store.items(key)


class ChildTable(Table):
    """The objects among the values at one path of a parent table. Rows are never reused."""

    def __init__(self, parent: Table, path: JsonPath) -> None:
        super().__init__()
        self._parent = parent
        self._path = path
        self._elements = on_demand.Entries()  # entry e of parent row r: row e of this table

    @property
    def extent(self) -> int:
        return len(self._elements)

    @property
    def wasteful(self) -> bool:
        return self._elements.wasteful

    @property
    def alive(self) -> BoolArray:
        """Which rows still belong to a parent."""
        alive: BoolArray = self._elements.rows != on_demand.DEAD
        return alive

    def parent_mask(self, mask: BoolArray, size: int) -> BoolArray:
        """The parent's rows 0..size of which at least one element is in `mask`."""
        return on_demand.rows_mask(self._elements.rows[mask], size)

    def element_mask(self, mask: BoolArray) -> BoolArray:
        """The rows whose parents are in a mask of the parent's rows."""
        known = np.append(mask, False)  # where the rows without a parent look
        parents = self._elements.rows
        return known[np.where(parents < len(mask), parents, on_demand.DEAD)]

    def parents(self, rows: Array) -> Array:
        """The parent's row of each of the given rows, which must be alive."""
        return self._elements.rows[rows]

    def items(self, key: str) -> Iterator[tuple[int, JsonObject]]:
        for parent_row, parent in self._parent.items(self._path.key):
            objects = self._objects(parent)
            if objects:
                yield from enumerate(objects, self._elements.first(parent_row))

    def add_elements(self, parent_rows: Sequence[int], parents: Sequence[JsonObject]) -> None:
        """Takes the elements of parents whose rows have none yet."""
        owners: list[int] = []
        elements: list[JsonObject] = []
        for row, parent in zip(parent_rows, parents, strict=True):
            found = self._objects(parent)
            owners.extend([row] * len(found))
            elements.extend(found)
        first = self.extent
        self._elements.add(owners)
        self.add(range(first, self.extent), elements)

    def remove_elements(self, parent_rows: Array) -> None:
        """Forgets the elements of parents."""
        rows = self._elements.at(parent_rows)
        self._elements.remove(parent_rows)
        self.remove(rows)

    def _objects(self, parent: JsonObject) -> list[JsonObject]:
        return [value for value in self._path.values(parent) if type(value) is dict]
