"""What does telemetry show at which level of detail? Shapes as Qdrant's, numbers where qdlite has them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from qdlite.database import CollectionMeasures, Database
from qdlite.version import __version__
from qdlite_server.statistics import Statistics

_FEATURES = ("debug", "service_debug_feature", "recovery_mode", "gpu", "rocksdb", "staging")


class Measures:
    """A view of a database and of what was answered, for telemetry and metrics."""

    def __init__(self, database: Database, statistics: Statistics, per_collection: bool) -> None:
        self.statistics = statistics
        self.per_collection = per_collection
        self.collections = database.measures()
        self.inference = database.inference.totals()
        self.quota = database.quotas.status().config
        self.quota_exceeded = database.quotas.exceeded()

    def telemetry(self, level: int) -> dict[str, Any]:
        """`level` 0 to 4, larger is more: 0 app, 1 collections, 2 configuration, 3 shards, 4 segments."""
        result = {
            "id": self.statistics.instance,
            "app": self._app(level),
            "collections": self._collections_part(level),
            "cluster": {"enabled": False},
            "requests": self.requests(),
            "quota": {
                "config": self.quota,
                "exceeded": {"resident_memory": self.quota_exceeded, "disk_usage": None},
            },
        }
        if level >= 1:
            result["memory"] = memory()
            result["hardware"] = {"collection_data": {}}
            result["search_pool"] = {
                "mode": "shared",
                "high_cpu_threads": os.cpu_count() or 1,
                "high_io_threads": 0,
            }
        return result

    def requests(self) -> dict[str, Any]:
        responses: dict[str, dict[str, object]] = {}
        for label, status, durations in self.statistics.totals():
            responses.setdefault(label, {})[str(status)] = durations.describe()
        rest: dict[str, Any] = {"responses": responses}
        if self.per_collection:
            by_name: dict[str, dict[str, dict[str, object]]] = {}
            for name, label, status, durations in self.statistics.rows():
                if name:
                    by_name.setdefault(name, {}).setdefault(label, {})[str(status)] = durations.describe()
            rest["per_collection_responses"] = by_name
        return {"rest": rest, "grpc": {"responses": {}}}

    def _app(self, level: int) -> dict[str, Any]:
        app: dict[str, Any] = {
            "name": "qdlite",
            "version": __version__,
            "startup": self.statistics.started.isoformat(),
        }
        if level >= 1:
            app["features"] = dict.fromkeys(_FEATURES, False)
            app["system"] = {
                "is_docker": Path("/.dockerenv").exists(),
                "cores": os.cpu_count() or 1,
                "cpu_flags": "",
                "cpu_endian": sys.byteorder,
            }
        return app

    def _collections_part(self, level: int) -> dict[str, Any]:
        part: dict[str, Any] = {"number_of_collections": len(self.collections)}
        if level >= 1:
            part["collections"] = [_collection(name, measures, level) for name, measures in self.collections.items()]
            part["snapshots"] = [
                {"id": name, "running_snapshots": 0, "running_snapshot_recovery": 0, "total_snapshot_creations": 0}
                for name in self.collections
            ]
        return part


def _collection(name: str, measures: CollectionMeasures, level: int) -> dict[str, Any]:
    info = measures.info
    if level == 1:
        return {
            "vectors": measures.vector_count,
            "optimizers_status": info.optimizer_status,
            "params": info.config.params,
        }
    shown: dict[str, Any] = {"id": name, "init_time_ms": 0, "config": info.config}
    if level >= 3:
        shown.update(shards=[_shard(measures, level)], transfers=[], resharding=[])
    return shown


def _shard(measures: CollectionMeasures, level: int) -> dict[str, Any]:
    return {
        "id": 0,
        "key": None,
        "local": _local_shard(measures, level),
        "remote": [],
        "replicate_states": {"1": "Active"},
        "partial_snapshot": {
            "ongoing_create_snapshot_requests": 0,
            "is_recovering": False,
            "recovery_timestamp": 0,
        },
    }


def _local_shard(measures: CollectionMeasures, level: int) -> dict[str, Any]:
    info = measures.info
    queue = {"length": info.update_queue.length, "op_num": measures.operation, "deferred_points": measures.deferred}
    shard: dict[str, Any] = {
        "variant_name": "local shard",
        "status": info.status,
        "total_optimized_points": 0,
        "vectors_size_bytes": measures.vector_bytes,
        "payloads_size_bytes": measures.payload_bytes,
        "num_points": info.points_count,
        "num_vectors": measures.vector_count,
        "num_vectors_by_name": {name: vector.count for name, vector in measures.vectors.items()},
        "optimizations": {"status": info.optimizer_status, "optimizations": {"count": 0}, "log": []},
        "async_scorer": False,
        "update_queue": queue,
    }
    if level >= 4:
        shard.update(segments=[_segment(measures)], indexed_only_excluded_vectors={})
    return shard


def _segment(measures: CollectionMeasures) -> dict[str, Any]:
    """The one unit that holds a collection, in the shape of a segment."""
    info = measures.info
    vectors = {
        name: {"num_vectors": vector.count, "num_indexed_vectors": vector.indexed, "num_deleted_vectors": 0}
        for name, vector in measures.vectors.items()
    }
    shown = {
        "uuid": str(UUID(int=0)),
        "segment_type": "indexed" if measures.indexed_count else "plain",
        "num_vectors": measures.vector_count,
        "num_points": info.points_count,
        "num_deferred_points": measures.deferred,
        "num_indexed_vectors": measures.indexed_count,
        "num_deleted_vectors": 0,
        "vectors_size_bytes": measures.vector_bytes,
        "payloads_size_bytes": measures.payload_bytes,
        "ram_usage_bytes": measures.memory_bytes,
        "disk_usage_bytes": 0,
        "is_appendable": True,
        "index_schema": info.payload_schema,
        "vector_data": vectors,
    }
    indices = [
        {
            "field_name": name,
            "index_type": field.data_type,
            "points_values_count": field.points,
            "points_count": field.points,
        }
        for name, field in info.payload_schema.items()
    ]
    config = {"payload_storage_type": {"type": "in_ram_mmap"}}
    return {"info": shown, "config": config, "vector_index_searches": [], "payload_field_indices": indices}


def memory() -> dict[str, int]:
    """Memory of this process in bytes; only the resident part is known, and only where the system tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        resident = pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        resident = 0
    names = ("active_bytes", "allocated_bytes", "metadata_bytes", "resident_bytes", "retained_bytes")
    return {name: resident if name in ("active_bytes", "resident_bytes") else 0 for name in names}
