"""How do the numbers look to Prometheus? Names and help texts are Qdrant's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import TypeAlias

from qdlite.database import CollectionMeasures
from qdlite_server.measures import Measures, memory
from qdlite_server.process import figures
from qdlite_server.statistics import BUCKETS, Durations
from qdlite_server.versions import API_VERSION

Labels: TypeAlias = Mapping[str, str]
Samples: TypeAlias = Iterable[tuple[Labels, float]]


def metrics_text(measures: Measures) -> str:
    """The text format of Prometheus, one family after the other."""
    parts = (_application, _collections, _responses, _inference, _quota)
    return "\n".join([*(line for part in parts for line in part(measures)), *_memory(), *_process()]) + "\n"


def _family(name: str, kind: str, help_text: str, samples: Samples) -> Iterator[str]:
    lines = [f"{name}{_labels(labels)} {_number(value)}" for labels, value in samples]
    if lines:
        yield from (f"# HELP {name} {help_text}", f"# TYPE {name} {kind}", *lines)


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _application(measures: Measures) -> Iterator[str]:
    info = {"name": "qdrant", "version": API_VERSION}
    yield from _family("app_info", "gauge", "information about qdrant server", [(info, 1)])
    yield from _family("app_status_recovery_mode", "gauge", "features enabled in qdrant server", [({}, 0)])
    yield from _family("cluster_enabled", "gauge", "is cluster support enabled", [({}, 0)])


def _collections(measures: Measures) -> Iterator[str]:
    collections = measures.collections
    total = sum(collection.vector_count for collection in collections.values())
    by_vector = [
        ({"collection": name, "vector": vector}, size.count)
        for name, collection in collections.items()
        for vector, size in collection.vectors.items()
    ]
    replicas: Samples = [({}, 1 if collections else 0)]  # each collection is one shard without further replicas
    gauges: list[tuple[str, str, Samples]] = [
        ("collections_total", "number of collections", [({}, len(collections))]),
        ("collections_vector_total", "total number of vectors in all collections", [({}, total)]),
        ("collection_vectors", "amount of vectors grouped by vector name", by_vector),
        ("collection_active_replicas_min", "minimum number of active replicas across all shards", replicas),
        ("collection_active_replicas_max", "maximum number of active replicas across all shards", replicas),
        *_of_each_collection(collections),
        ("collection_dead_replicas", "total amount of shard replicas in non-active state", [({}, 0)]),
    ]
    for name, help_text, samples in gauges:
        yield from _family(name, "gauge", help_text, samples)


def _of_each_collection(collections: Mapping[str, CollectionMeasures]) -> Iterator[tuple[str, str, Samples]]:
    for gauge, (help_text, value) in _BY_COLLECTION.items():
        yield gauge, help_text, [({"id": name}, value(collection)) for name, collection in collections.items()]


_BY_COLLECTION: Mapping[str, tuple[str, Callable[[CollectionMeasures], float]]] = {
    "collection_points": (
        "approximate amount of points per collection",
        lambda collection: collection.info.points_count,
    ),
    "collection_running_optimizations": (
        "number of currently running optimization tasks per collection",
        lambda collection: collection.info.status == "yellow",
    ),
    "collection_update_queue_length": (
        "number of pending operations in update queues per collection",
        lambda collection: collection.info.update_queue.length,
    ),
    "collection_update_queue_deferred_points": (
        "number of points currently hidden during read operations as they're not yet optimized",
        lambda collection: collection.deferred,
    ),
}


def _responses(measures: Measures) -> Iterator[str]:
    rows = [(_response_labels(label, status), durations) for label, status, durations in measures.statistics.totals()]
    if measures.per_collection:
        rows = [
            ({**_response_labels(label, status), **({"collection": name} if name else {})}, durations)
            for name, label, status, durations in measures.statistics.rows()
        ]
    total = [(labels, durations.count) for labels, durations in rows]
    average = [(labels, durations.total / durations.count) for labels, durations in rows]
    shortest = [(labels, durations.shortest) for labels, durations in rows]
    longest = [(labels, durations.longest) for labels, durations in rows]
    yield from _family("rest_responses_total", "counter", "total number of responses", total)
    yield from _family("rest_responses_avg_duration_seconds", "gauge", "average response duration", average)
    yield from _family("rest_responses_min_duration_seconds", "gauge", "minimum response duration", shortest)
    yield from _family("rest_responses_max_duration_seconds", "gauge", "maximum response duration", longest)
    yield from _histogram("rest_responses_duration_seconds", rows)


def _response_labels(label: str, status: int) -> dict[str, str]:
    method, _, endpoint = label.partition(" ")
    return {"method": method, "endpoint": endpoint, "status": str(status)}


def _histogram(name: str, rows: list[tuple[dict[str, str], Durations]]) -> Iterator[str]:
    if rows:
        yield from (f"# HELP {name} response duration histogram", f"# TYPE {name} histogram")
    for labels, durations in rows:
        bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
        for bound, count in zip(bounds, accumulate(durations.histogram), strict=True):
            yield f"{name}_bucket{_labels({**labels, 'le': bound})} {count}"
        yield f"{name}_sum{_labels(labels)} {durations.total!r}"
        yield f"{name}_count{_labels(labels)} {durations.count}"


def _inference(measures: Measures) -> Iterator[str]:
    totals = [({"model": model}, total) for model, total in measures.inference.items()]
    tokens = [(labels, total.tokens) for labels, total in totals]
    requests = [(labels, total.requests) for labels, total in totals]
    seconds = [(labels, total.seconds) for labels, total in totals]
    yield from _family("inference_tokens_total", "counter", "tokens read by each model", tokens)
    yield from _family("inference_requests_total", "counter", "requests that used each model", requests)
    yield from _family("inference_duration_seconds_total", "counter", "time those requests spent on it", seconds)


def _quota(measures: Measures) -> Iterator[str]:
    """Nothing at all for what has no limit: what can never trip must not look healthy."""
    help_text = "whether this node is at or over the configured quota for a resource"
    exceeded = measures.quota_exceeded
    samples = [] if exceeded is None else [({"resource": "memory"}, int(exceeded))]
    yield from _family("quota_exceeded", "gauge", help_text, samples)


def _memory() -> Iterator[str]:
    texts = {
        "active_bytes": "Total number of bytes in active pages allocated by the application",
        "resident_bytes": "Maximum number of bytes in physically resident data pages mapped",
    }
    measured = memory()
    for name, help_text in texts.items():
        yield from _family(f"memory_{name}", "gauge", help_text, [({}, measured[name])])


def _process() -> Iterator[str]:
    for name, kind, help_text, value in figures():
        yield from _family(name, kind, help_text, [({}, value)])
