"""How are collections configured on the wire? Create and update bodies, index parameters, and the echoed state.

Annotations are evaluated here, not kept as text: the first decoder that a process makes is that of `CreateCollection`,
and to read so many of them from text takes longer than to load all modules of the models.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal, cast

from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import force_setattr

from qdlite.models.base import Model, NonZero, NonZero32, OneOf, Problem, Rule, UInt, UInt8, UInt32, at_least, between
from qdlite.models.checks import numbered, violations
from qdlite.models.common import JsonObject
from qdlite.models.decoding import decode_raw

DistanceName = Literal["Cosine", "Euclid", "Dot", "Manhattan"]
DatatypeName = Literal["float32", "uint8", "float16", "turbo4"]
Memory = Literal["cold", "cached", "pinned"]
MAX_VECTOR_SIZE = 65536


def _not_pinned(storage: str) -> Rule:
    def rule(memory: str) -> str | None:
        return f"`pinned` memory placement is not supported for {storage} storage" if memory == "pinned" else None

    return rule


def _sparse_datatype(datatype: str) -> str | None:
    return "sparse vectors do not support the `turbo4` datatype" if datatype == "turbo4" else None


class HnswConfigDiff(Model, frozen=True, kw_only=True):
    m: UInt | None = None
    ef_construct: UInt | None = None
    full_scan_threshold: UInt | None = None
    max_indexing_threads: UInt | None = None
    on_disk: bool | None = None
    memory: Memory | None = None
    payload_m: UInt | None = None
    inline_storage: bool | None = None

    rules: ClassVar = {"ef_construct": at_least(4), "full_scan_threshold": at_least(10)}


class ScalarQuantizationConfig(Model, frozen=True, kw_only=True):
    type: Literal["int8"]
    quantile: float | None = None
    always_ram: bool | None = None
    memory: Memory | None = None

    rules: ClassVar = {"quantile": between(0.5, 1.0)}


class ProductQuantizationConfig(Model, frozen=True, kw_only=True):
    compression: Literal["x4", "x8", "x16", "x32", "x64"]
    always_ram: bool | None = None
    memory: Memory | None = None


class BinaryQuantizationConfig(Model, frozen=True, kw_only=True):
    always_ram: bool | None = None
    memory: Memory | None = None
    encoding: Literal["one_bit", "two_bits", "one_and_half_bits"] | None = None
    query_encoding: Literal["default", "binary", "scalar4bits", "scalar8bits"] | None = None


class TurboQuantizationConfig(Model, frozen=True, kw_only=True):
    always_ram: bool | None = None
    memory: Memory | None = None
    bits: Literal["bits1", "bits1_5", "bits2", "bits4"] | None = None


class QuantizationConfig(OneOf, frozen=True, kw_only=True, forbid_unknown_fields=True):
    scalar: ScalarQuantizationConfig | None = None
    product: ProductQuantizationConfig | None = None
    binary: BinaryQuantizationConfig | None = None
    turbo: TurboQuantizationConfig | None = None

    variants: ClassVar = ("scalar", "product", "binary", "turbo")
    expected: ClassVar = "data did not match any variant of untagged enum QuantizationConfig"
    exclusive: ClassVar = True


class MultiVectorConfig(Model, frozen=True, kw_only=True):
    comparator: Literal["max_sim"]


class VectorParams(Model, frozen=True, kw_only=True):
    size: NonZero
    distance: DistanceName
    hnsw_config: HnswConfigDiff | None = None
    quantization_config: QuantizationConfig | None = None
    on_disk: bool | None = None
    memory: Memory | None = None
    datatype: DatatypeName | None = None
    multivector_config: MultiVectorConfig | None = None

    rules: ClassVar = {"size": between(1, MAX_VECTOR_SIZE), "memory": _not_pinned("dense vector")}


VectorsConfig = VectorParams | dict[str, VectorParams]
"""The unnamed vector, or vectors by name."""


class SparseIndexParams(Model, frozen=True, kw_only=True):
    full_scan_threshold: UInt | None = None
    on_disk: bool | None = None
    memory: Memory | None = None
    datatype: DatatypeName | None = None

    rules: ClassVar = {"datatype": _sparse_datatype}


class SparseVectorParams(Model, frozen=True, kw_only=True):
    index: SparseIndexParams | None = None
    modifier: Literal["none", "idf"] | None = None


class WalConfigDiff(Model, frozen=True, kw_only=True):
    wal_capacity_mb: UInt | None = None
    wal_segments_ahead: UInt | None = None
    wal_retain_closed: UInt | None = None

    rules: ClassVar = {"wal_capacity_mb": at_least(1)}


class OptimizersConfigDiff(Model, frozen=True, kw_only=True):
    deleted_threshold: float | None = None
    vacuum_min_vector_number: UInt | None = None
    default_segment_number: UInt | None = None
    max_segment_size: UInt | None = None
    memmap_threshold: UInt | None = None
    indexing_threshold: UInt | None = None
    flush_interval_sec: UInt | None = None
    max_optimization_threads: UInt | Literal["auto"] | None = None
    prevent_unoptimized: bool | None = None
    max_segment_size_kb: UInt | None = None
    memmap_threshold_kb: UInt | None = None
    indexing_threshold_kb: UInt | None = None

    def __post_init__(self) -> None:
        """The names with a unit are others for the same settings."""
        for name in ("max_segment_size", "memmap_threshold", "indexing_threshold"):
            other = getattr(self, f"{name}_kb")
            if other is not None:
                force_setattr(self, name, other)
                force_setattr(self, f"{name}_kb", None)

    rules: ClassVar = {
        "deleted_threshold": between(0.0, 1.0),
        "vacuum_min_vector_number": at_least(100),
        "max_segment_size": at_least(1),
    }


class StrictModeMultivector(Model, frozen=True, kw_only=True):
    max_vectors: UInt | None = None

    rules: ClassVar = {"max_vectors": at_least(1)}


class StrictModeSparse(Model, frozen=True, kw_only=True):
    max_length: UInt | None = None

    rules: ClassVar = {"max_length": at_least(1)}


class StrictModeConfig(Model, frozen=True, kw_only=True):
    enabled: bool | None = None
    max_query_limit: UInt | None = None
    max_timeout: UInt | None = None
    unindexed_filtering_retrieve: bool | None = None
    unindexed_filtering_update: bool | None = None
    search_max_hnsw_ef: UInt | None = None
    search_allow_exact: bool | None = None
    search_max_oversampling: float | None = None
    upsert_max_batchsize: UInt | None = None
    search_max_batchsize: UInt | None = None
    max_collection_vector_size_bytes: UInt | None = None
    read_rate_limit: UInt | None = None
    write_rate_limit: UInt | None = None
    max_collection_payload_size_bytes: UInt | None = None
    max_points_count: UInt | None = None
    filter_max_conditions: UInt | None = None
    condition_max_size: UInt | None = None
    multivector_config: dict[str, StrictModeMultivector] | None = None
    sparse_config: dict[str, StrictModeSparse] | None = None
    max_payload_index_count: UInt | None = None
    max_resident_memory_percent: UInt8 | None = None

    rules: ClassVar = {
        "max_query_limit": at_least(1),
        "max_timeout": at_least(1),
        "read_rate_limit": at_least(1),
        "write_rate_limit": at_least(1),
        "max_points_count": at_least(1),
        "max_resident_memory_percent": between(1, 100),
    }
    told: ClassVar = frozenset({"multivector_config", "sparse_config"})

    def problems(self) -> Iterator[Problem]:
        yield from numbered(self.multivector_config, "multivector_config.config")
        yield from numbered(self.sparse_config, "sparse_config.config")


class PayloadStorageParams(Model, frozen=True, kw_only=True):
    memory: Memory | None = None

    rules: ClassVar = {"memory": _not_pinned("payload")}


class IdTrackerParams(Model, frozen=True, kw_only=True):
    """Placement of the id mapping (Qdrant 1.20)."""

    memory: Memory | None = None


def vectors_config(raw: Raw | None) -> VectorsConfig:
    """Decodes `vectors`: one params object (the unnamed vector) or a map of names. Raises ValueError."""
    if raw is None or bytes(raw) == b"null":
        return {}
    parts: dict[str, Raw] = decode_raw(raw, dict[str, Raw])
    if "size" in parts and bytes(parts["size"])[:1] != b"{":
        return decode_raw(raw, VectorParams)  # type: ignore[no-any-return]
    return decode_raw(raw, dict[str, VectorParams])  # type: ignore[no-any-return]


class CreateCollection(Model, frozen=True, kw_only=True):
    vectors: Raw | UnsetType = UNSET
    sparse_vectors: dict[str, SparseVectorParams] | None = None
    shard_number: UInt32 | None = None
    sharding_method: Literal["auto", "custom"] | None = None
    replication_factor: UInt32 | None = None
    write_consistency_factor: UInt32 | None = None
    on_disk_payload: bool | None = None
    payload: PayloadStorageParams | None = None
    id_tracker: IdTrackerParams | None = None
    hnsw_config: HnswConfigDiff | None = None
    wal_config: WalConfigDiff | None = None
    optimizers_config: OptimizersConfigDiff | None = None
    optimizer_config: OptimizersConfigDiff | None = None
    quantization_config: QuantizationConfig | None = None
    quantization: QuantizationConfig | None = None
    strict_mode_config: StrictModeConfig | None = None
    metadata: JsonObject | None = None

    rules: ClassVar = {
        "shard_number": at_least(1),
        "replication_factor": at_least(1),
        "write_consistency_factor": at_least(1),
    }
    told: ClassVar = frozenset({"sparse_vectors"})

    def __post_init__(self) -> None:
        if isinstance(self.vectors, (Raw, UnsetType)):
            raw = self.vectors if isinstance(self.vectors, Raw) else None
            force_setattr(self, "vectors", vectors_config(raw))

    def vector_params(self) -> VectorsConfig:
        """One `VectorParams` (unnamed vector) or a map by name, as it was given."""
        return cast(VectorsConfig, self.vectors)

    def problems(self) -> Iterator[Problem]:
        yield from violations(self.vector_params(), "vectors")
        yield from numbered(self.sparse_vectors, "sparse_vectors")


class VectorParamsDiff(Model, frozen=True, kw_only=True):
    hnsw_config: HnswConfigDiff | None = None
    quantization_config: QuantizationConfig | Literal["Disabled"] | None = None
    on_disk: bool | None = None
    memory: Memory | None = None

    rules: ClassVar = {"memory": _not_pinned("dense vector")}


class CollectionParamsDiff(Model, frozen=True, kw_only=True):
    replication_factor: NonZero32 | None = None
    write_consistency_factor: NonZero32 | None = None
    read_fan_out_factor: UInt32 | None = None
    read_fan_out_delay_ms: UInt | None = None
    on_disk_payload: bool | None = None
    payload: PayloadStorageParams | None = None
    id_tracker: IdTrackerParams | None = None


class UpdateCollection(Model, frozen=True, kw_only=True):
    """Changes merged into a collection's configuration; null and absent alike leave a value as it is."""

    vectors: dict[str, VectorParamsDiff] | None = None
    optimizers_config: OptimizersConfigDiff | None = None
    optimizer_config: OptimizersConfigDiff | None = None
    params: CollectionParamsDiff | None = None
    hnsw_config: HnswConfigDiff | None = None
    quantization_config: QuantizationConfig | Literal["Disabled"] | None = None
    quantization: QuantizationConfig | Literal["Disabled"] | None = None
    sparse_vectors: dict[str, SparseVectorParams] | None = None
    strict_mode_config: StrictModeConfig | None = None
    metadata: JsonObject | None = None


class DenseVectorConfig(Model, frozen=True, kw_only=True):
    size: UInt
    distance: DistanceName
    multivector_config: MultiVectorConfig | None = None
    datatype: DatatypeName | None = None

    rules: ClassVar = {"size": between(1, MAX_VECTOR_SIZE)}


class SparseVectorConfig(Model, frozen=True, kw_only=True):
    modifier: Literal["none", "idf"] | None = None
    datatype: DatatypeName | None = None

    rules: ClassVar = {"datatype": _sparse_datatype}


class VectorNameConfig(OneOf, frozen=True, kw_only=True):
    """Body that adds a named vector to a live collection."""

    dense: DenseVectorConfig | None = None
    sparse: SparseVectorConfig | None = None

    variants: ClassVar = ("dense", "sparse")
    expected: ClassVar = "data did not match any variant of untagged enum VectorNameConfig"
