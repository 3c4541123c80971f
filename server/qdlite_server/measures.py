"""What does telemetry show at which level of detail? Shapes as Qdrant's, numbers where qdlite has them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import UNSET

from qdlite.database import Database
from qdlite.errors import NotFound
from qdlite.models.collections import CollectionInfo
from qdlite.version import __version__
from qdlite_server.statistics import Statistics

_FEATURES = ("debug", "service_debug_feature", "recovery_mode", "gpu", "rocksdb", "staging")


class Measures:
    """A view of a database and of what was answered, for telemetry and metrics."""

    def __init__(self, database: Database, statistics: Statistics, per_collection: bool) -> None:
        self.statistics = statistics
        self.per_collection = per_collection
        self.collections = _collections(database)
        self.inference = database.inference.totals()

    def telemetry(self, level: int) -> dict[str, Any]:
        """`level` 0 to 4, larger is more; see section 33 of Qdrant's behaviour: 0 app, 1 collections, 2 configuration,
        3 shards, 4 segments."""
        result = {
            "id": self.statistics.instance,
            "app": self._app(level),
            "collections": self._collections_part(level),
            "cluster": {"enabled": False},
            "requests": self.requests(),
            "quota": {"config": {"enabled": False}, "exceeded": {}},
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
            part["collections"] = [_collection(name, info, level) for name, info in self.collections.items()]
            part["snapshots"] = [
                {"id": name, "running_snapshots": 0, "running_snapshot_recovery": 0, "total_snapshot_creations": 0}
                for name in self.collections
            ]
        return part


def _collections(database: Database) -> dict[str, CollectionInfo]:
    found = {}
    for name in database.list_collections():
        with suppress(NotFound):  # deleted in the meantime
            found[name] = database.get_collection(name)
    return found


def vector_counts(info: CollectionInfo) -> dict[str, int]:
    """Vectors by name, taking every point to have each."""
    vectors = info.config.params.vectors
    dense = list(vectors) if isinstance(vectors, dict) else [""]
    sparse = info.config.params.sparse_vectors
    names = [*dense, *([] if sparse is UNSET else sparse)]
    return dict.fromkeys(names, info.points_count)


def _collection(name: str, info: CollectionInfo, level: int) -> dict[str, Any]:
    if level == 1:
        return {
            "vectors": sum(vector_counts(info).values()),
            "optimizers_status": info.optimizer_status,
            "params": info.config.params,
        }
    shown: dict[str, Any] = {"id": name, "init_time_ms": 0, "config": info.config}
    if level >= 3:
        shown.update(shards=[_shard(info, level)], transfers=[], resharding=[])
    return shown


def _shard(info: CollectionInfo, level: int) -> dict[str, Any]:
    return {
        "id": 0,
        "key": None,
        "local": _local_shard(info, level),
        "remote": [],
        "replicate_states": {"1": "Active"},
        "partial_snapshot": {
            "ongoing_create_snapshot_requests": 0,
            "is_recovering": False,
            "recovery_timestamp": 0,
        },
    }


def _local_shard(info: CollectionInfo, level: int) -> dict[str, Any]:
    counts = vector_counts(info)
    shard: dict[str, Any] = {
        "variant_name": "local shard",
        "status": info.status,
        "total_optimized_points": 0,
        "vectors_size_bytes": 0,
        "payloads_size_bytes": 0,
        "num_points": info.points_count,
        "num_vectors": sum(counts.values()),
        "num_vectors_by_name": counts,
        "optimizations": {"status": info.optimizer_status, "optimizations": {"count": 0}, "log": []},
        "async_scorer": False,
        "update_queue": info.update_queue,
    }
    if level >= 4:
        shard.update(segments=[], indexed_only_excluded_vectors={})
    return shard


def memory() -> dict[str, int]:
    """Memory of this process in bytes; only the resident part is known, and only where the system tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        resident = pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        resident = 0
    names = ("active_bytes", "allocated_bytes", "metadata_bytes", "resident_bytes", "retained_bytes")
    return {name: resident if name in ("active_bytes", "resident_bytes") else 0 for name in names}
