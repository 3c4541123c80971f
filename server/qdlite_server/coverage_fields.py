"""Which fields do the requests of Qdrant's OpenAPI file have, and what becomes of each here?

A field is known if a model that the same endpoint decodes has a field of that name. What is known but changes nothing,
or is refused, stands in `STATES` with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args, get_type_hints

from msgspec import Struct

from qdlite.models.collections import VectorParams
from qdlite.models.vectors import VectorObject
from qdlite_server.endpoint import Endpoint
from qdlite_server.multipart import Upload
from qdlite_server.routes import ENDPOINTS
from qdlite_server.routes.cluster import standalone

_IN_MEMORY = "echoed only: everything is in memory"
_ONE_NODE = "echoed only: there is one node"
_NO_SEGMENTS = "echoed only: there are no segments to optimise"
_NO_LOG = "echoed only: there is no write-ahead log"
_NO_KEYS = "refused: shard keys exist in clusters only"
_AS_THEY_ARE = "validated and echoed only: vectors are searched as they are"
_NO_CLUSTER = "without effect: the call is refused, there is no cluster"

STATES: Mapping[str, str] = {
    "on_disk": _IN_MEMORY,
    "on_disk_payload": _IN_MEMORY,
    "memory": _IN_MEMORY,
    "always_ram": _IN_MEMORY,
    "shard_number": _ONE_NODE,
    "sharding_method": "echoed; a collection sharded by keys has no shards, so it takes no points",
    "replication_factor": _ONE_NODE,
    "write_consistency_factor": _ONE_NODE,
    "read_fan_out_factor": _ONE_NODE,
    "read_fan_out_delay_ms": _ONE_NODE,
    "shard_key": _NO_KEYS,
    "ShardKeyWithFallback.target": _NO_KEYS,
    "ShardKeyWithFallback.fallback": _NO_KEYS,
    "wal_capacity_mb": _NO_LOG,
    "wal_segments_ahead": _NO_LOG,
    "wal_retain_closed": _NO_LOG,
    "deleted_threshold": _NO_SEGMENTS,
    "vacuum_min_vector_number": _NO_SEGMENTS,
    "default_segment_number": _NO_SEGMENTS,
    "max_segment_size": _NO_SEGMENTS,
    "memmap_threshold": _NO_SEGMENTS,
    "flush_interval_sec": _NO_SEGMENTS,
    "max_optimization_threads": _NO_SEGMENTS,
    "max_indexing_threads": "echoed only: one thread builds graphs",
    "payload_m": "read by strict mode; filters need no links of their own in the graph",
    "inline_storage": "echoed, with Qdrant's warnings",
    "scalar": _AS_THEY_ARE,
    "product": _AS_THEY_ARE,
    "binary": _AS_THEY_ARE,
    "turbo": _AS_THEY_ARE,
    "quantile": _AS_THEY_ARE,
    "compression": _AS_THEY_ARE,
    "encoding": _AS_THEY_ARE,
    "query_encoding": _AS_THEY_ARE,
    "bits": _AS_THEY_ARE,
    "QuantizationSearchParams.ignore": _AS_THEY_ARE,
    "QuantizationSearchParams.rescore": _AS_THEY_ARE,
    "QuantizationSearchParams.oversampling": "read by strict mode; vectors are searched as they are",
    "indexed_only": "validated only: searches see every point",
    "acorn": "validated only: filters are exact",
    "AcornSearchParams.enable": "validated only: filters are exact",
    "AcornSearchParams.max_selectivity": "validated only: filters are exact",
    "is_tenant": "read by strict mode; nothing is stored by tenant",
    "is_principal": "echoed only: nothing is stored by a principal field",
    "enable_hnsw": "echoed only: filters need no links of their own in the graph",
    "max_disk_usage_percent": "echoed only: updates take no room on disk",
    "SparseIndexParams.full_scan_threshold": "echoed only: sparse searches are exact at any size",
    "SparseIndexParams.datatype": "echoed only: weights are kept as float32",
    "SparseVectorConfig.datatype": "echoed only: weights are kept as float32",
    "api_key": "sent to the server that a snapshot is fetched from",
}
"""By field name, or by schema and field name where the name alone says too little."""

PARAMETERS: Mapping[str, str] = {
    "consistency": "validated only: every read sees every write that was answered before it",
    "ordering": "validated only: updates are applied in the order in which they come",
    "anonymize": "validated only: names of collections are shown in either case",
    "force": _NO_CLUSTER,
    "wait": "full; vectors of another size or kind are refused in either case, though Qdrant finds some only later, "
    "and drops them without a word to who does not wait",
}
"""What is to be said of query parameters, above all of those that change nothing."""

FULL = "full"
MISSING = "missing"

# Bodies that are left raw in the first pass, and what is decoded from them later.
_LATER: tuple[Any, ...] = (VectorParams, VectorObject)


_OPTIONS = frozenset({"Bm25Config"})
"""Schemas of the options of models, which inference decodes."""


class Field(NamedTuple):
    schema: str
    name: str
    state: str


def request_fields(openapi: Mapping[str, Any]) -> list[Field]:
    """Every field of every request body, once a schema, in the order of schemas, states and names."""
    found: dict[tuple[str, str], str] = {}
    for endpoint in ENDPOINTS:
        if not endpoint.documented:
            continue
        operation = openapi["paths"][endpoint.path][endpoint.method.lower()]
        known = _known_names(endpoint)
        for schema, name in _described(openapi, operation):
            state = _state(schema, name, known)
            if found.get((schema, name), MISSING) == MISSING:
                found[schema, name] = state
    fields = [Field(*place, state) for place, state in found.items()]
    return sorted(fields, key=lambda field: (field.schema, field.state, field.name))


def query_parameters(openapi: Mapping[str, Any]) -> dict[str, str]:
    """The state of every documented query parameter by name."""
    states: dict[str, str] = {}
    for endpoint in ENDPOINTS:
        if endpoint.documented:
            operation = openapi["paths"][endpoint.path][endpoint.method.lower()]
            read = {parameter.name for parameter in endpoint.parameters.known}
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    name = parameter["name"]
                    states.setdefault(name, PARAMETERS.get(name, FULL) if name in read else MISSING)
    return dict(sorted(states.items()))


def _state(schema: str, name: str, known: frozenset[str] | None) -> str:
    if known is None:
        return _NO_CLUSTER
    if name not in known and schema not in _OPTIONS:
        return MISSING
    return STATES.get(f"{schema}.{name}", STATES.get(name, FULL))


def _described(openapi: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(schema, field) of everything reachable from a request body."""
    seen: set[str] = set()
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield from _fields(openapi["components"]["schemas"], media["schema"], operation["operationId"], seen)


def _fields(schemas: Mapping[str, Any], schema: Any, owner: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    if isinstance(schema, list):
        for part in schema:
            yield from _fields(schemas, part, owner, seen)
    if not isinstance(schema, dict):
        return
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name and name not in seen:
        seen.add(name)
        yield from _fields(schemas, schemas[name], name, seen)
    for field, part in schema.get("properties", {}).items():
        yield owner, field
        yield from _fields(schemas, part, owner, seen)
    for key in ("items", "additionalProperties", "anyOf", "allOf", "oneOf"):
        yield from _fields(schemas, schema.get(key), owner, seen)


def _known_names(endpoint: Endpoint) -> frozenset[str] | None:
    """Wire names of all fields of all models in a body; None if what it says is of no effect."""
    if endpoint.handler is standalone:
        return None
    if endpoint.body is Upload:
        return frozenset({"snapshot"})
    names: set[str] = set()
    seen: set[Any] = set()
    waiting = [endpoint.body, *_LATER]
    while waiting:
        hint = waiting.pop()
        if isinstance(hint, type) and issubclass(hint, Struct) and hint not in seen:
            seen.add(hint)
            names.update(hint.__struct_encode_fields__)
            waiting.extend(get_type_hints(hint).values())
        else:
            waiting.extend(get_args(hint))
    return frozenset(names)
