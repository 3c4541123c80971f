"""What does a collection say about itself? Its configuration with defaults resolved, and its state."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from qdlite.models.collections import (
    IdTrackerParams,
    Memory,
    PayloadStorageParams,
    QuantizationConfig,
    SparseVectorParams,
    StrictModeConfig,
    VectorsConfig,
)
from qdlite.models.common import JsonObject
from qdlite.models.indexes import SchemaType


class HnswConfig(Struct, frozen=True, kw_only=True):
    """HNSW settings with defaults resolved (Qdrant's `config/config.yaml`)."""

    m: int = 16
    ef_construct: int = 100
    full_scan_threshold: int = 10000
    max_indexing_threads: int = 0
    on_disk: bool = False
    memory: Memory | UnsetType = UNSET
    payload_m: int | UnsetType = UNSET
    inline_storage: bool | UnsetType = UNSET


class OptimizersConfig(Struct, frozen=True, kw_only=True):
    deleted_threshold: float = 0.2
    vacuum_min_vector_number: int = 1000
    default_segment_number: int = 0
    max_segment_size: int | None = None
    memmap_threshold: int | None = None
    indexing_threshold: int | None = 10000
    flush_interval_sec: int = 5
    max_optimization_threads: int | None = None
    prevent_unoptimized: bool | UnsetType = UNSET


class WalConfig(Struct, frozen=True, kw_only=True):
    wal_capacity_mb: int = 32
    wal_segments_ahead: int = 0
    wal_retain_closed: int = 1


class CollectionParams(Struct, frozen=True, kw_only=True):
    """The echoed parameters; what was not given is left out, what has a default is shown."""

    vectors: VectorsConfig
    shard_number: int = 1
    sharding_method: str | UnsetType = UNSET
    replication_factor: int = 1
    write_consistency_factor: int = 1
    read_fan_out_factor: int | UnsetType = UNSET
    read_fan_out_delay_ms: int | UnsetType = UNSET
    on_disk_payload: bool = True
    payload: PayloadStorageParams | UnsetType = UNSET
    id_tracker: IdTrackerParams | UnsetType = UNSET
    sparse_vectors: dict[str, SparseVectorParams] | UnsetType = UNSET


class CollectionConfig(Struct, frozen=True, kw_only=True):
    params: CollectionParams
    hnsw_config: HnswConfig = HnswConfig()
    optimizer_config: OptimizersConfig = OptimizersConfig()
    wal_config: WalConfig = WalConfig()
    quantization_config: QuantizationConfig | None = None
    strict_mode_config: StrictModeConfig | UnsetType = UNSET
    metadata: JsonObject | UnsetType = UNSET


class PayloadIndexInfo(Struct, frozen=True, kw_only=True):
    data_type: SchemaType
    params: JsonObject | UnsetType = UNSET
    points: int


class CollectionWarning(Struct, frozen=True, kw_only=True):
    message: str


class UpdateQueueInfo(Struct, frozen=True, kw_only=True):
    """Updates that wait to be applied, and the points among them, for collections with `prevent_unoptimized`."""

    length: int = 0
    deferred_points: int | UnsetType = UNSET


class CollectionInfo(Struct, frozen=True, kw_only=True):
    status: Literal["green", "yellow", "grey", "red"]
    optimizer_status: Literal["ok"] = "ok"
    warnings: list[CollectionWarning] | UnsetType = UNSET
    indexed_vectors_count: int
    points_count: int
    segments_count: int = 1
    config: CollectionConfig
    payload_schema: dict[str, PayloadIndexInfo]
    update_queue: UpdateQueueInfo = UpdateQueueInfo()
