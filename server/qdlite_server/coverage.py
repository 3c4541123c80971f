"""What of Qdrant's REST API is there? `docs/coverage.md`, made from the endpoint lists and the OpenAPI file.

`python -m qdlite_server.coverage OPENAPI.json > docs/coverage.md` writes it anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from qdlite_server.endpoint import Endpoint
from qdlite_server.routes import ENDPOINTS
from qdlite_server.versions import API_VERSION

_METHODS = ("get", "post", "put", "patch", "delete")

WITHOUT_EFFECT: Mapping[str, str] = {
    "`consistency`, `ordering` (query string)": "one node: every read sees every write that was answered before it",
    "`shard_number`, `replication_factor`, `write_consistency_factor`, `read_fan_out_factor`, "
    "`read_fan_out_delay_ms`, `sharding_method`": "one node, one shard: echoed only",
    "`shard_key`": "one shard: accepted on automatically sharded collections",
    "`on_disk`, `on_disk_payload`, `memory` (all places)": "everything is in memory: echoed only",
    "`wal_config`": "there is no write-ahead log: echoed only",
    "`optimizers_config` except `indexing_threshold`": "there are no segments to optimise: echoed only",
    "`hnsw_config.max_indexing_threads`, `hnsw_config.payload_m`, `hnsw_config.inline_storage`": "echoed only",
    "`quantization_config`, `params.quantization`": "vectors are searched as they are: validated and echoed only",
    "`params.indexed_only`, `params.acorn`": "searches see every point, filters are exact: validated only",
    "`is_tenant`, `is_principal`, `enable_hnsw` of payload indexes": "echoed only",
    "`anonymize` (telemetry, metrics)": "names of collections are shown in either case",
}
"""Fields that are accepted and change nothing, with the reason."""


def documented(openapi: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(method, path, summary) of every operation in an OpenAPI document."""
    for path, operations in openapi["paths"].items():
        for method in _METHODS:
            if method in operations:
                yield method.upper(), path, operations[method].get("summary", "")


def page(openapi: Mapping[str, Any]) -> str:
    """The whole page in Markdown."""
    by_label = {endpoint.label: endpoint for endpoint in ENDPOINTS}
    known = list(documented(openapi))
    states = [_state(by_label.get(f"{method} {path}")) for method, path, _ in known]
    lines = [
        "# Coverage of the REST API",
        "",
        f"Made by `qdlite_server.coverage` from the endpoint lists and the OpenAPI file of Qdrant {API_VERSION}.",
        f"Of {len(known)} documented operations {states.count('full')} are there; the others answer 501 and say why.",
        "",
        "## Documented routes",
        "",
        "| route | what it does | state |",
        "|---|---|---|",
        *(
            f"| `{method} {path}` | {summary} | {state} |"
            for (method, path, summary), state in zip(known, states, strict=True)
        ),
        "",
        "## Routes of Qdrant that its OpenAPI file does not list",
        "",
        "| route | state |",
        "|---|---|",
        *(f"| `{endpoint.label}` | {endpoint.state} |" for endpoint in ENDPOINTS if not endpoint.documented),
        "",
        "## Accepted without effect",
        "",
        "| field | why |",
        "|---|---|",
        *(f"| {fields} | {reason} |" for fields, reason in WITHOUT_EFFECT.items()),
    ]
    return "\n".join(lines) + "\n"


def _state(endpoint: Endpoint | None) -> str:
    return "missing" if endpoint is None else endpoint.state


if __name__ == "__main__":
    sys.stdout.write(page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
