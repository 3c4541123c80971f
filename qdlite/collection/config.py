"""What is a collection's configuration? Defaults resolved at creation, given values merged on update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict, replace

from qdlite.errors import WrongInput, unknown_vector
from qdlite.models.collections import (
    CreateCollection,
    HnswConfigDiff,
    QuantizationConfig,
    SparseIndexParams,
    SparseVectorParams,
    StrictModeConfig,
    UpdateCollection,
    VectorNameConfig,
    VectorParams,
    VectorParamsDiff,
    VectorsConfig,
)
from qdlite.models.common import JsonObject
from qdlite.models.info import CollectionConfig, CollectionParams, HnswConfig, OptimizersConfig, WalConfig
from qdlite.models.names import vector_name

_S = TypeVar("_S", bound=Struct)


def given(diff: Struct | None) -> dict[str, object]:
    """The fields of a diff that were given: null and absent alike change nothing."""
    if diff is None:
        return {}
    return {name: value for name, value in asdict(diff).items() if value is not None and value is not UNSET}


def merged(base: _S, diff: Struct | None) -> _S:
    """`base` with the given fields of `diff`."""
    return replace(base, **given(diff))


def new_config(body: CreateCollection) -> CollectionConfig:
    """The configuration of a new collection, every default resolved. Raises WrongInput for bad vector names."""
    vectors = _without_empty_diffs(body.vector_params())
    _check_names(named(vectors), body.sparse_vectors or {})
    params = CollectionParams(
        vectors=vectors,
        shard_number=body.shard_number or 1,
        sharding_method=body.sharding_method or UNSET,
        replication_factor=body.replication_factor or 1,
        write_consistency_factor=body.write_consistency_factor or 1,
        on_disk_payload=body.on_disk_payload if body.on_disk_payload is not None else True,
        payload=body.payload or UNSET,
        id_tracker=body.id_tracker or UNSET,
        sparse_vectors=body.sparse_vectors if body.sparse_vectors is not None else UNSET,
    )
    return CollectionConfig(
        params=params,
        hnsw_config=merged(HnswConfig(), body.hnsw_config),
        optimizer_config=_optimizers(OptimizersConfig(), body.optimizers_config or body.optimizer_config),
        wal_config=merged(WalConfig(), body.wal_config),
        quantization_config=body.quantization_config or body.quantization,
        strict_mode_config=body.strict_mode_config or UNSET,
        metadata=body.metadata if body.metadata is not None else UNSET,
    )


def updated_config(config: CollectionConfig, body: UpdateCollection) -> CollectionConfig:
    """`config` with every given part of a PATCH body merged. Raises for vectors that do not exist."""
    params = merged(config.params, body.params)
    params = replace(
        params,
        vectors=_patched_vectors(params.vectors, body.vectors or {}),
        sparse_vectors=_patched_sparse(params.sparse_vectors, body.sparse_vectors or {}),
    )
    return replace(
        config,
        params=params,
        hnsw_config=merged(config.hnsw_config, body.hnsw_config),
        optimizer_config=_optimizers(config.optimizer_config, body.optimizers_config or body.optimizer_config),
        quantization_config=_quantization(config.quantization_config, body.quantization_config or body.quantization),
        strict_mode_config=_strict_mode(config.strict_mode_config, body.strict_mode_config),
        metadata=_metadata(config.metadata, body.metadata),
    )


def named(vectors: VectorsConfig) -> dict[str, VectorParams]:
    """Dense vector parameters by name; the unnamed vector is called ""."""
    return vectors if isinstance(vectors, dict) else {"": vectors}


def sparse_params(config: CollectionConfig) -> dict[str, SparseVectorParams]:
    sparse = config.params.sparse_vectors
    return {} if isinstance(sparse, UnsetType) else sparse


def effective_hnsw(config: CollectionConfig, params: VectorParams) -> HnswConfig:
    """The graph settings of one vector: its own over the collection's."""
    return merged(config.hnsw_config, params.hnsw_config)


def strict_mode(config: CollectionConfig) -> StrictModeConfig | None:
    """The limits in force, or None if strict mode is off."""
    limits = config.strict_mode_config
    return None if isinstance(limits, UnsetType) or not limits.enabled else limits


def with_vector(config: CollectionConfig, name: str, body: VectorNameConfig) -> CollectionConfig:
    """`config` with one more vector; the same object if an equal one exists. Raises WrongInput on conflict."""
    _check_name(name, "dense" if body.dense else "sparse")
    dense, sparse = dict(named(config.params.vectors)), dict(sparse_params(config))
    if body.dense is not None:
        if name in sparse:
            raise WrongInput(f"Vector `{name}` already exists as a sparse vector")
        params = VectorParams(**given(body.dense))  # type: ignore[arg-type]
        if name in dense:
            _check_equal("Vector", name, _schema(dense[name]), _schema(params))
            return config
        return replace(config, params=replace(config.params, vectors={**dense, name: params}))
    if name in dense:
        raise WrongInput(f"Vector `{name}` already exists as a dense vector")
    settings = body.sparse
    assert settings is not None
    index = SparseIndexParams(datatype=settings.datatype) if settings.datatype else None
    sparse_new = SparseVectorParams(modifier=settings.modifier, index=index)
    if name in sparse:
        _check_equal("Sparse vector", name, _sparse_schema(sparse[name]), _sparse_schema(sparse_new))
        return config
    return replace(config, params=replace(config.params, sparse_vectors={**sparse, name: sparse_new}))


def without_vector(config: CollectionConfig, name: str) -> CollectionConfig:
    """`config` without one vector; the same object if there is none of the name."""
    dense, sparse = dict(named(config.params.vectors)), dict(sparse_params(config))
    if dense.pop(name, None) is not None:
        return replace(config, params=replace(config.params, vectors=dense))
    if sparse.pop(name, None) is not None:
        return replace(config, params=replace(config.params, sparse_vectors=sparse))
    return config


def inline_storage_warnings(config: CollectionConfig) -> list[str]:
    """Qdrant's warnings about `inline_storage` settings that cannot act."""
    texts = []
    for name, params in named(config.params.vectors).items():
        if not effective_hnsw(config, params).inline_storage:
            continue
        option = f"The `hnsw_config.inline_storage` option for vector '{name}'"
        if params.multivector_config:
            texts.append(f"{option} is not compatible with multivectors. This option will be ignored.")
        elif not (params.quantization_config or config.quantization_config):
            texts.append(f"{option} requires quantization to be enabled. This option will be ignored.")
    return texts


def _schema(params: VectorParams) -> tuple[object, ...]:
    """What a vector is. How it is kept may have been changed since it was made."""
    return params.size, params.distance, params.multivector_config, params.datatype


def _sparse_schema(params: SparseVectorParams) -> tuple[object, ...]:
    return params.modifier, params.index and params.index.datatype


def _check_equal(kind: str, name: str, existing: tuple[object, ...], wanted: tuple[object, ...]) -> None:
    if existing != wanted:
        raise WrongInput(f"{kind} `{name}` already exists with a different configuration")


def _without_empty_diffs(vectors: VectorsConfig) -> VectorsConfig:
    """Qdrant leaves an empty `hnsw_config: {}` out of the echo."""

    def clean(params: VectorParams) -> VectorParams:
        return replace(params, hnsw_config=None) if params.hnsw_config == HnswConfigDiff() else params

    if isinstance(vectors, dict):
        return {name: clean(params) for name, params in vectors.items()}
    return clean(vectors)


def _check_names(dense: Mapping[str, VectorParams], sparse: Mapping[str, SparseVectorParams]) -> None:
    for name in dense:
        _check_name(name, "dense")
    for name in sparse:
        if not name:
            raise WrongInput("Sparse vector name cannot be empty")
        _check_name(name, "sparse")
        if name in dense:
            raise WrongInput(f"Dense and sparse vector names must be unique - duplicate found with '{name}'")


def _check_name(name: str, kind: str) -> None:
    problem = vector_name(name)
    if problem is not None:
        raise WrongInput(f"Invalid {kind} vector name `{name}`: {problem}")


def _optimizers(base: OptimizersConfig, diff: Struct | None) -> OptimizersConfig:
    changes = given(diff)
    if changes.get("max_optimization_threads") == "auto":
        changes["max_optimization_threads"] = None
    return replace(base, **changes)


def _patched_vectors(vectors: VectorsConfig, diffs: Mapping[str, VectorParamsDiff]) -> VectorsConfig:
    dense = dict(named(vectors))
    for name, diff in diffs.items():
        if name not in dense:
            raise unknown_vector(name)
        old = dense[name]
        changes = given(diff)
        if diff.hnsw_config is not None:
            changes["hnsw_config"] = merged(old.hnsw_config or HnswConfigDiff(), diff.hnsw_config)
        if diff.quantization_config is not None:
            changes["quantization_config"] = _quantization(old.quantization_config, diff.quantization_config)
        dense[name] = replace(old, **changes)
    return dense if isinstance(vectors, dict) else dense[""]


def _patched_sparse(
    sparse: dict[str, SparseVectorParams] | UnsetType, diffs: Mapping[str, SparseVectorParams]
) -> dict[str, SparseVectorParams] | UnsetType:
    if isinstance(sparse, UnsetType):
        for name in diffs:
            raise unknown_vector(name)
        return UNSET
    patched = dict(sparse)
    for name, diff in diffs.items():
        if name not in patched:
            raise unknown_vector(name)
        old = patched[name]
        index = merged(old.index or SparseIndexParams(), diff.index) if diff.index else old.index
        patched[name] = SparseVectorParams(index=index, modifier=diff.modifier or old.modifier)
    return patched


def _quantization(old: QuantizationConfig | None, new: QuantizationConfig | str | None) -> QuantizationConfig | None:
    if new is None:
        return old
    return None if isinstance(new, str) else new


def _strict_mode(old: StrictModeConfig | UnsetType, new: StrictModeConfig | None) -> StrictModeConfig | UnsetType:
    if new is None:
        return old
    return new if isinstance(old, UnsetType) else merged(old, new)


def _metadata(old: JsonObject | UnsetType, new: JsonObject | None) -> JsonObject | UnsetType:
    if new is None:
        return old
    combined = {**({} if isinstance(old, UnsetType) else old), **new}
    return cast(JsonObject, {key: value for key, value in combined.items() if value is not None})
