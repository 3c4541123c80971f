"""What can the rest of the engine ask of one named vector, whatever its kind?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from qdlite.types import BoolArray, FloatArray, Hits, Offset, OffsetArray, VectorArray
from qdlite.vectors.capture import VectorCapture
from qdlite.vectors.spans import Rows


class SearchParams(Struct, frozen=True):
    """How to search. `hnsw_ef`: candidates of the graph search (None: the index decides); `exact`: no graph;
    `indexed_only`: leave out a large backlog of vectors that are not in the graph yet; `idf_corpus`: mask of the
    points over which the `idf` modifier counts (None: all)."""

    hnsw_ef: int | None = None
    exact: bool = False
    indexed_only: bool = False
    idf_corpus: BoolArray | None = None


class HnswParams(Struct, frozen=True):
    """Qdrant's settings of the graph. `m` 0 means no graph; thresholds are in kilobytes of vector data:
    below `full_scan_threshold` a search is exact, below `indexing_threshold` (0: always) there is no graph."""

    m: int = 16
    ef_construct: int = 100
    full_scan_threshold: int = 10_000
    indexing_threshold: int = 10_000


class VectorIndex(Protocol):
    """Storage and nearest-neighbour search of one named vector, addressed by offset.

    Writers (`put`, `remove`, `configure`) must exclude each other and all readers, by the collection's lock;
    readers, and `settle`, may run side by side; `build_step` may run beside anything.
    """

    @property
    def present(self) -> BoolArray:
        """Which offsets hold a vector; its length is the capacity."""

    @property
    def count(self) -> int:
        """Number of offsets that hold a vector."""

    @property
    def indexed_count(self) -> int:
        """Number of vectors in the graph or in the postings."""

    def prepare(self, vector: VectorArray) -> VectorArray:
        """The form in which a vector is stored: normalised, rounded to the datatype, sorted.

        Raises `WrongInput` if its kind or dimension does not fit.
        """

    def prepare_query(self, vector: VectorArray) -> VectorArray:
        """The same for a query, in which NaN is refused as well."""

    def prepare_batch(self, vectors: Sequence[VectorArray] | FloatArray) -> Sequence[VectorArray] | FloatArray:
        """The same for many vectors to be stored at once; what it returns fits `put`."""

    def put(self, at: Rows, vectors: Sequence[VectorArray] | FloatArray) -> None:
        """Store or replace prepared vectors; of equal offsets the last one counts."""

    def remove(self, offsets: OffsetArray) -> None:
        """Forget the vectors at these offsets; absent ones are fine."""

    def get(self, offset: Offset) -> VectorArray | None:
        """A copy of the stored vector, or None."""

    def capture(self) -> VectorCapture:
        """All vectors as they are now, to be read while writers go on."""

    def weighted(self, query: VectorArray, params: SearchParams) -> VectorArray:
        """A prepared query with the `idf` modifier applied, for `similarities`; `search` does this by itself."""

    def search(self, query: VectorArray, limit: int, mask: BoolArray | None, params: SearchParams) -> Hits:
        """The best `limit` points among those present and in `mask`, with internal similarities (larger is
        better), best first, equal ones by offset. `query` must be prepared. `limit` may be enormous."""

    def similarities(self, vectors: Sequence[VectorArray], offsets: OffsetArray) -> FloatArray:
        """Exact internal similarity of each prepared vector to the stored ones at `offsets` (all present):
        float32 (len(vectors), len(offsets)). Sparse: 0 where no index is shared."""

    def shares(self, query: VectorArray, offsets: OffsetArray) -> BoolArray:
        """Whether the vectors at `offsets` can be results of this query at all: sparse vectors that share no
        index with it cannot, others always can."""

    @property
    def is_behind(self) -> bool:
        """Whether the next search may be held up by work that `settle` can do before it."""

    def settle(self, most: int) -> None:
        """Bring what searches read besides the vectors up to date, for at most so many of these."""

    def make_ready(self, count: int) -> None:
        """Do what storing so many vectors takes as far as it can be done beside those who search."""

    @property
    def buries(self) -> bool:
        """Whether vectors that are removed leave work for `build_step`."""

    def pending_work(self) -> int:
        """Number of vectors that `build_step` still has to index; 0 while there are too few to need it."""

    @property
    def wishes(self) -> bool:
        """Whether searches showed that more could be indexed to their good, such as a graph of an often used filter;
        not counted as pending."""

    def build_step(self, budget: float) -> bool:
        """Index pending vectors, then what is wished for, for about `budget` seconds; True if work remains. Takes no
        collection lock."""

    def memory_bytes(self) -> int:
        """Estimate of the memory held."""

    def vector_bytes(self) -> int:
        """Size of the stored vectors alone: no indexes, no spare room."""
