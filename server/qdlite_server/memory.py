"""How much memory do the parts of a collection take? Everything is in RAM; nothing is on disk or in its cache."""

from __future__ import annotations

from typing import Any

from qdlite.database import CollectionMeasures


def memory_report(measures: CollectionMeasures) -> dict[str, Any]:
    """Bytes by part. The columns that serve as payload indexes also serve filters without an index, and are not
    counted by field: their `usage` is zero."""
    sparse = measures.info.config.params.sparse_vectors
    reports: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for name, vector in measures.vectors.items():
        index = max(vector.memory_bytes - vector.vector_bytes, 0)
        report = {"name": name, "storage": _usage(vector.vector_bytes), "index": _usage(index)}
        reports[isinstance(sparse, dict) and name in sparse].append(report)
    return {
        "total": _usage(measures.memory_bytes),
        "vectors": reports[False],
        "sparse_vectors": reports[True],
        "payload": _usage(measures.payload_bytes),
        "payload_index": [{"name": name, "usage": _usage(0)} for name in measures.info.payload_schema],
        "other": {"id_tracker": _usage(0)},
    }


def _usage(in_ram: int) -> dict[str, int]:
    return {"disk_bytes": 0, "ram_bytes": in_ram, "cached_bytes": 0, "expected_cache_bytes": 0}
