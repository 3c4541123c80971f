"""Where is a condition evaluated? On all points, or on the elements of nested arrays."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from msgspec import Struct

from qdlite.filters.view import FilterView
from qdlite.payload.column import Column
from qdlite.payload.entries import fitted
from qdlite.payload.fields import FieldIndexes
from qdlite.payload.indexes import FieldIndex
from qdlite.payload.path import JsonPath
from qdlite.payload.tables import Table
from qdlite.types import BoolArray


class Scope(Struct, frozen=True, dict=True):
    """A table whose rows are tested; masks have `size` elements."""

    table: Table
    fields: FieldIndexes
    size: int
    view: FilterView | None = None
    """None inside nested conditions, where nothing is known of the points themselves."""
    prefix: JsonPath | None = None
    """The path of the elements that are the rows, seen from the point."""

    @classmethod
    def points(cls, view: FilterView) -> Scope:
        """All offsets of a collection."""
        table = view.fields.table
        return cls(table, view.fields, max(view.capacity, table.extent), view)

    def column(self, path: JsonPath) -> Column:
        return self.table.column(path)

    def index(self, path: JsonPath) -> FieldIndex | None:
        """The user's index on a field of the rows. Of elements only those created with `nested` are."""
        index = self.fields.index(self._full(path))
        return index if index is None or self.prefix in (None, index.nested) else None

    def text_index(self, path: JsonPath) -> FieldIndex | None:
        """The user's full-text index on a field of the elements."""
        index = self.fields.index(self._full(path))
        return index if index is not None and index.text_options is not None else None

    def nested(self, path: JsonPath) -> Scope:
        """The objects in the arrays at `path`, which must end with `[]`."""
        child = self.table.child(path)
        return Scope(child, self.fields, child.extent, prefix=self._full(path))

    def project(self, path: JsonPath, mask: BoolArray) -> BoolArray:
        """The rows that have an element in the mask of the scope `nested(path)`."""
        child = self.table.child(path)
        return child.parent_mask(mask & child.alive, self.size)

    @cached_property
    def none(self) -> BoolArray:
        """No row. Not to be written to."""
        return np.zeros(self.size, np.bool_)

    def fitted(self, mask: BoolArray) -> BoolArray:
        """A mask of another length, cut or filled up with False."""
        return fitted(mask, self.size)

    def _full(self, path: JsonPath) -> JsonPath:
        return path if self.prefix is None else self.prefix.extend(path)
