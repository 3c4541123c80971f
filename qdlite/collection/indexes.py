"""Which vector indexes does a configuration ask for, and how do existing ones follow when it changes?"""

from __future__ import annotations

from collections.abc import Mapping

from qdlite import vectors
from qdlite.collection.config import effective_hnsw, named, sparse_params
from qdlite.models.collections import SparseVectorParams, VectorParams
from qdlite.models.info import CollectionConfig
from qdlite.queries.view import VectorTraits
from qdlite.vectors.create import create_index
from qdlite.vectors.hnsw import HnswIndex
from qdlite.vectors.index import HnswParams, VectorIndex


def vector_indexes(
    config: CollectionConfig, existing: Mapping[str, VectorIndex], old: CollectionConfig | None = None
) -> dict[str, VectorIndex]:
    """One index per vector of `config`, by name. Existing ones are kept and told their new settings, if the
    vector is still the same one (a name deleted and created again starts empty)."""
    indexes: dict[str, VectorIndex] = {}
    for name, params in named(config.params.vectors).items():
        index = existing.get(name) if old and name in named(old.params.vectors) else None
        indexes[name] = _dense(params, config, index)
    for name, sparse in sparse_params(config).items():
        index = existing.get(name) if old and name in sparse_params(old) else None
        indexes[name] = _sparse(sparse, index)
    return indexes


def vector_traits(config: CollectionConfig) -> dict[str, VectorTraits]:
    """What queries need to know of each vector, by name."""
    traits = {
        name: VectorTraits("multi" if params.multivector_config else "dense", params.distance)
        for name, params in named(config.params.vectors).items()
    }
    for name, sparse in sparse_params(config).items():
        traits[name] = VectorTraits("sparse", "Dot", sparse.modifier == "idf")
    return traits


def _dense(params: VectorParams, config: CollectionConfig, index: VectorIndex | None) -> VectorIndex:
    hnsw = _hnsw(params, config)
    if index is None:
        return create_index(
            "multi" if params.multivector_config else "dense",
            size=params.size,
            distance=params.distance,
            datatype=params.datatype or "float32",
            hnsw=hnsw,
        )
    if isinstance(index, HnswIndex) and index.params != hnsw:
        index.configure(hnsw)
    return index


def _sparse(params: SparseVectorParams, index: VectorIndex | None) -> VectorIndex:
    modifier: vectors.Modifier = params.modifier or "none"
    if isinstance(index, vectors.SparseIndex):
        index.modifier = modifier
        return index
    return create_index("sparse", modifier=modifier)


def _hnsw(params: VectorParams, config: CollectionConfig) -> HnswParams:
    settings = effective_hnsw(config, params)
    return HnswParams(
        m=settings.m,
        ef_construct=settings.ef_construct,
        full_scan_threshold=settings.full_scan_threshold,
        indexing_threshold=config.optimizer_config.indexing_threshold or 0,
    )
