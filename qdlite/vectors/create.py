"""Which index serves a vector of given parameters?"""

from __future__ import annotations

from typing import Literal, TypeAlias

from qdlite import vectors
from qdlite.types import Datatype, Distance
from qdlite.vectors.hnsw import HnswIndex
from qdlite.vectors.index import HnswParams, VectorIndex

Kind: TypeAlias = Literal["dense", "multi", "sparse"]


def create_index(
    kind: Kind,
    *,
    size: int = 0,
    distance: Distance = "Dot",
    datatype: Datatype = "float32",
    hnsw: HnswParams | None = None,
    modifier: vectors.Modifier = "none",
) -> VectorIndex:
    """An empty index. `size`, `distance`, `datatype` and `hnsw` are for dense vectors and multivectors (the latter
    are always searched exactly), `modifier` is for sparse ones."""
    if kind == "sparse":
        return vectors.SparseIndex(modifier)
    if kind == "multi":
        return vectors.MultiIndex(size, distance, datatype)
    return HnswIndex(size, distance, datatype, hnsw)
