"""Which payload indexes has a collection, and what do its fields hold? The one door to columns and indexes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from qdlite import payload as on_demand
from qdlite.errors import invalid, no_facet_index, no_range_index
from qdlite.models.indexes import IndexParams, SchemaType
from qdlite.models.info import PayloadIndexInfo
from qdlite.payload.masks import MaskCache
from qdlite.payload.path import JsonPath, parse
from qdlite.payload.store import EMPTY, PayloadStore, changed_keys
from qdlite.payload.tables import PointTable
from qdlite.types import BoolArray, FloatArray, Json, Offset, OffsetArray

if TYPE_CHECKING:
    from qdlite.payload import Absent, Array, FacetValue, FieldIndex, Groups

AnyPath = JsonPath | str


_MOST_STALE = 128
"""So many rows may wait for the next reader, who is held up by them for a fraction of a millisecond."""


class FieldIndexes:
    """The columns of a collection's payload, for the user's indexes and, hidden, for fields that filters asked for.

    The writer changes the store by `replace`. Columns learn of changes when somebody looks at them: taking in many
    rows at once costs a fraction of one after the other. So that nobody has to wait long, whoever changed many calls
    `settle` afterwards, as a reader. Readers may call everything but `replace`, `create` and `drop`, at the same time
    as other readers.
    """

    def __init__(self, store: PayloadStore) -> None:
        self.indexes: dict[JsonPath, FieldIndex] = {}
        self.generation = 0
        """Changes whenever an index is created or dropped, because some conditions then mean something else."""
        self.masks = MaskCache()
        """For masks of filters over these fields."""
        self._store = store
        self._table = PointTable(store)
        self._stale: dict[Offset, bytes] = {}
        """Rows whose columns are behind the store, and the payloads that the columns know."""
        self._settling = threading.Lock()

    @property
    def active(self) -> bool:
        """Whether written payloads have to be indexed at all."""
        return self._table.active

    @property
    def table(self) -> PointTable:
        """The columns, up to date."""
        if self._stale:
            self.settle()
        return self._table

    @property
    def is_behind(self) -> bool:
        """Whether a reader would have to wait for the columns."""
        return len(self._stale) > _MOST_STALE

    def replace(self, offsets: Sequence[Offset], payloads: Iterable[bytes]) -> None:
        """Puts encoded payloads in place of those of distinct offsets."""
        replaced = self._store.replace(offsets, payloads)
        if self._table.active:
            for offset, old in zip(offsets, replaced, strict=True):
                self._stale.setdefault(offset, old)

    def create(self, path: AnyPath, schema: SchemaType, params: IndexParams | None = None) -> None:
        """Makes an index over the stored payloads, in place of one that the field may have. Raises MalformedBody."""
        index = on_demand.FieldIndex.create(_parsed(path), schema, params)
        self.drop(index.path)
        self.table.kept.add(index.path)
        self.table.column(index.path)
        self._sync(index)
        self.indexes = {**self.indexes, index.path: index}
        self.generation += 1

    def drop(self, path: AnyPath) -> bool:
        """Removes an index, if there is one; its column goes too."""
        path = _parsed(path)
        if path not in self.indexes:
            return False
        self.indexes = {known: index for known, index in self.indexes.items() if known != path}
        self.table.drop_column(path)
        self.generation += 1
        return True

    def index(self, path: AnyPath) -> FieldIndex | None:
        """The user's index on a field."""
        return self.indexes.get(_parsed(path))

    def schema(self) -> dict[str, PayloadIndexInfo]:
        """The user's indexes with the number of points that each knows a value of."""
        return {str(path): index.info(self.table.column(path)) for path, index in self.indexes.items()}

    def order_values(self, path: AnyPath) -> tuple[OffsetArray, Array]:
        """Offsets with the values to order by, a point once per distinct value; dates in microseconds.

        Raises WrongInput if the field has no index with a range.
        """
        path = _parsed(path)
        index = self.indexes.get(path)
        if index is None or not on_demand.can_order(index):
            raise no_range_index(str(path))
        found = on_demand.distinct(on_demand.ORDERED[index.schema](self.table.column(path)))
        return found.rows.astype(np.intp), found.values

    def facet(self, path: AnyPath, mask: BoolArray, limit: int | None = None) -> list[tuple[FacetValue, int]]:
        """The most frequent values among the points of `mask`, with the number of points; see `facets.facet`.

        Raises WrongInput if the field has no index of countable values.
        """
        path = _parsed(path)
        index = self.indexes.get(path)
        if index is None or not on_demand.can_count(index):
            raise no_facet_index(str(path))
        return on_demand.facet(index, self.table.column(path), mask, limit)

    def groups(self, path: AnyPath) -> Groups:
        """Which points share a value of a field, which needs no index."""
        return on_demand.groups(self.table.column(_parsed(path)), self._store.get)

    def text_scores(
        self, path: AnyPath, query: str, k: float, b: float, corpus: BoolArray | None = None
    ) -> tuple[OffsetArray, FloatArray]:
        """Offsets of points with a token of the query, and their BM25 scores; statistics over `corpus` (None: all).

        Raises WrongInput if the field has no full-text index with `scoring`.
        """
        path = _parsed(path)
        index = self.indexes.get(path)
        if index is None or index.text_options is None:
            found = "has none" if index is None else f"is indexed as {index.schema.capitalize()}"
            raise invalid(f"BM25 requires a text index on field {path}, which {found}")
        if not index.scoring:
            needed = f"The text index on `{path}` does not score: set `scoring` on it to query it"
            raise invalid(f"{needed}")
        return on_demand.ranked(self.table, index, query, on_demand.Bm25(k, b), corpus)

    def variables(self, path: AnyPath, offsets: Iterable[Offset]) -> list[Json | Absent]:
        """What a formula sees at a path of each point; see `variables.variable`."""
        path = _parsed(path)
        index = self.indexes.get(path)
        return [on_demand.variable(self._store, path, index, int(offset)) for offset in offsets]

    def settle(self, most: int | None = None) -> None:
        """Brings the columns up to date, as far as values have changed; `most`: only so many rows."""
        with self._settling:
            keys = self._table.keys
            stale = dict(islice(self._stale.items(), most))
            groups = {keys: [offset for offset, old in stale.items() if old is EMPTY]}
            for offset, old in stale.items():
                if old is not EMPTY:
                    new = self._store.raw(offset)
                    changed = keys if new is EMPTY else keys & changed_keys(old, new)
                    groups.setdefault(changed, []).append(offset)
            for changed, rows in groups.items():
                if changed and rows:
                    self._table.rewrite(rows, self._store.objects(rows), changed)
            for index in self.indexes.values():
                self._sync(index)
            for offset in stale:  # last: whoever finds none may use the columns
                del self._stale[offset]

    def _sync(self, index: FieldIndex) -> None:
        if index.text_options is not None:
            self._table.column(index.path).sync_text(index.text_options)


def _parsed(path: AnyPath) -> JsonPath:
    return parse(path) if isinstance(path, str) else path
