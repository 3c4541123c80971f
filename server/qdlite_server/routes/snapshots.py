"""How are snapshots made and brought back? Not yet: every route names the missing feature."""

from __future__ import annotations

from itertools import product

from qdlite_server.endpoint import Endpoint, unsupported

COLLECTION = "/collections/{collection_name}/snapshots"
SHARD = "/collections/{collection_name}/shards/{shard_id}"

_ROUTES = [
    ("GET", "/snapshots"),
    ("POST", "/snapshots"),
    ("GET", "/snapshots/{snapshot_name}"),
    ("DELETE", "/snapshots/{snapshot_name}"),
    ("GET", f"{SHARD}/snapshot"),
    *(
        (method, f"{base}{rest}")
        for base, (method, rest) in product(
            (COLLECTION, f"{SHARD}/snapshots"),
            (
                ("GET", ""),
                ("POST", ""),
                ("POST", "/upload"),
                ("PUT", "/recover"),
                ("GET", "/{snapshot_name}"),
                ("DELETE", "/{snapshot_name}"),
            ),
        )
    ),
]

ENDPOINTS: list[Endpoint] = [unsupported(method, path, "snapshots") for method, path in _ROUTES]
