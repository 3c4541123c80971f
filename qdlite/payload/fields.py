"""Which payload indexes has a collection, and what do its fields hold? The one door to columns and indexes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from qdlite.errors import WrongInput, no_facet_index, no_range_index
from qdlite.models.common import JsonObject
from qdlite.models.indexes import IndexParams, SchemaType
from qdlite.models.info import PayloadIndexInfo
from qdlite.payload.entries import Array
from qdlite.payload.facets import FacetValue, Groups, facet, groups
from qdlite.payload.indexes import ORDERED, FieldIndex, can_count, can_order, distinct
from qdlite.payload.masks import MaskCache
from qdlite.payload.path import JsonPath, parse
from qdlite.payload.ranking import Bm25, ranked
from qdlite.payload.store import PayloadStore
from qdlite.payload.tables import Keys, PointTable
from qdlite.payload.variables import Absent, variable
from qdlite.types import BoolArray, FloatArray, Json, Offset, OffsetArray

AnyPath = JsonPath | str


class FieldIndexes:
    """The columns of a collection's payload, for the user's indexes and, hidden, for fields that filters asked for.

    The writer calls `index_many` and `remove_many` after every change of the store; while `active` is False they
    have nothing to do. Readers may call everything else at the same time as other readers.
    """

    def __init__(self, store: PayloadStore) -> None:
        self.table = PointTable(store)
        self.indexes: dict[JsonPath, FieldIndex] = {}
        self.generation = 0
        """Changes whenever an index is created or dropped, because some conditions then mean something else."""
        self.masks = MaskCache()
        """For masks of filters over these fields."""
        self._store = store

    @property
    def active(self) -> bool:
        """Whether written payloads have to be indexed at all."""
        return self.table.active

    def index_payload(self, offset: Offset, payload: JsonObject) -> None:
        """Takes the new payload of one point."""
        self.index_many([offset], [payload])

    def index_many(
        self, offsets: Sequence[Offset] | OffsetArray, payloads: Sequence[JsonObject], keys: Keys = None
    ) -> None:
        """Takes the new payloads of points; of points named twice the last one counts. `keys`: only the values of
        these top-level keys have changed (None: perhaps all)."""
        if not self.active:
            return
        latest = dict(zip(map(int, offsets), payloads, strict=True))
        rows = list(latest)
        self.table.remove(np.array(rows, np.intp), keys)
        self.table.add(rows, list(latest.values()), keys)
        for index in self.indexes.values():
            self._sync(index)

    def remove(self, offset: Offset) -> None:
        """Forgets a deleted point."""
        self.remove_many([offset])

    def remove_many(self, offsets: npt.ArrayLike) -> None:
        """Forgets deleted points."""
        rows = np.asarray(offsets, np.intp)
        if self.active and len(rows):
            self.table.remove(rows)

    def create(self, path: AnyPath, schema: SchemaType, params: IndexParams | None = None) -> None:
        """Makes an index over the stored payloads, in place of one that the field may have. Raises MalformedBody."""
        index = FieldIndex.create(_parsed(path), schema, params)
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
        if index is None or not can_order(index):
            raise no_range_index(str(path))
        found = distinct(ORDERED[index.schema](self.table.column(path)))
        return found.rows.astype(np.intp), found.values

    def facet(self, path: AnyPath, mask: BoolArray, limit: int | None = None) -> list[tuple[FacetValue, int]]:
        """The most frequent values among the points of `mask`, with the number of points; see `facets.facet`.

        Raises WrongInput if the field has no index of countable values.
        """
        path = _parsed(path)
        index = self.indexes.get(path)
        if index is None or not can_count(index):
            raise no_facet_index(str(path))
        return facet(index, self.table.column(path), mask, limit)

    def groups(self, path: AnyPath) -> Groups:
        """Which points share a value of a field, which needs no index."""
        return groups(self.table.column(_parsed(path)))

    def text_scores(
        self, path: AnyPath, query: str, k: float = 1.2, b: float = 0.75, corpus: BoolArray | None = None
    ) -> tuple[OffsetArray, FloatArray]:
        """Offsets of points with a token of the query, and their BM25 scores; statistics over `corpus` (None: all).

        Raises WrongInput if the field has no full-text index with `scoring`.
        """
        path = _parsed(path)
        index = self.indexes.get(path)
        if index is None or index.text_options is None:
            found = "has none" if index is None else f"is indexed as {index.schema.capitalize()}"
            raise WrongInput(f"Validation failed: BM25 requires a text index on field {path}, which {found}")
        if not index.scoring:
            needed = f"The text index on `{path}` does not score: set `scoring` on it to query it"
            raise WrongInput(f"Validation failed: {needed}")
        return ranked(self.table, index, query, Bm25(k, b), corpus)

    def variables(self, path: AnyPath, offsets: Iterable[Offset]) -> list[Json | Absent]:
        """What a formula sees at a path of each point; see `variables.variable`."""
        path = _parsed(path)
        index = self.indexes.get(path)
        return [variable(self._store, path, index, int(offset)) for offset in offsets]

    def _sync(self, index: FieldIndex) -> None:
        if index.text_options is not None:
            self.table.column(index.path).sync_text(index.text_options)


def _parsed(path: AnyPath) -> JsonPath:
    return parse(path) if isinstance(path, str) else path
