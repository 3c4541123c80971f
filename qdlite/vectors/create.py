"""Which index serves a vector of given parameters?"""

from __future__ import annotations

from typing import Literal, TypeAlias

from qdlite.types import Datatype, Distance
from qdlite.vectors.hnsw import HnswIndex, HnswParams
from qdlite.vectors.index import VectorIndex
from qdlite.vectors.multi import MultiIndex
from qdlite.vectors.sparse import Modifier, SparseIndex

Kind: TypeAlias = Literal["dense", "multi", "sparse"]


def create_index(
    kind: Kind,
    *,
    size: int = 0,
    distance: Distance = "Dot",
    datatype: Datatype = "float32",
    hnsw: HnswParams | None = None,
    modifier: Modifier = "none",
    name: str = "",
) -> VectorIndex:
    """An empty index. `size`, `distance`, `datatype` and `hnsw` are for dense vectors and multivectors (the latter
    are always searched exactly), `modifier` is for sparse ones; `name` is for error messages."""
    if kind == "sparse":
        return SparseIndex(modifier)
    if kind == "multi":
        return MultiIndex(size, distance, datatype, name)
    return HnswIndex(size, distance, datatype, name, hnsw)
