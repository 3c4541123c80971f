"""What does a single node say about clusters and shards?"""

from __future__ import annotations

from qdlite.database import Database
from qdlite.errors import ServiceError, StandaloneMode
from qdlite.models.shards import ClusterOperation, CreateShardKey, DropShardKey
from qdlite_server import parameters
from qdlite_server.endpoint import Call, Endpoint
from qdlite_server.parameters import Parameter, Parameters

COLLECTION = "/collections/{collection_name}"
PEER = 1
"""The id of this node, which is the only one."""

REMOVAL = Parameters((Parameter("force", parameters.boolean, default=False), *parameters.COLLECTION.known))
TELEMETRY = Parameters((Parameter("details_level", parameters.unsigned, default=0), *parameters.COLLECTION.known))


def status(database: Database, call: Call) -> object:
    return {"status": "disabled"}


def standalone(database: Database, call: Call) -> object:
    raise StandaloneMode


def no_peers(database: Database, call: Call) -> object:
    """As Qdrant answers when there is no peer to ask."""
    raise ServiceError("Could not get telemetry from cluster")


def distribution(database: Database, call: Call) -> object:
    """All points lie in shard 0; further shards exist in name only. Shards by key can only be made in a cluster."""
    info = database.get_collection(call.collection)
    shards = 0 if info.config.params.sharding_method == "custom" else info.config.params.shard_number
    local = [
        {"shard_id": shard, "points_count": 0 if shard else info.points_count, "state": "Active"}
        for shard in range(shards)
    ]
    return {
        "peer_id": PEER,
        "shard_count": shards,
        "local_shards": local,
        "remote_shards": [],
        "shard_transfers": [],
    }


def shard_keys(database: Database, call: Call) -> object:
    method = database.get_collection(call.collection).config.params.sharding_method
    return {"shard_keys": []} if method == "custom" else {}


ENDPOINTS = [
    Endpoint("GET", "/cluster", status, quick=True),
    Endpoint("GET", "/cluster/telemetry", no_peers, None, TELEMETRY, quick=True),
    Endpoint("POST", "/cluster/recover", standalone, quick=True),
    Endpoint("DELETE", "/cluster/peer/{peer_id}", standalone, None, REMOVAL, quick=True),
    Endpoint("GET", f"{COLLECTION}/cluster", distribution),
    Endpoint("POST", f"{COLLECTION}/cluster", standalone, ClusterOperation, parameters.COLLECTION, quick=True),
    Endpoint("GET", f"{COLLECTION}/shards", shard_keys),
    Endpoint("PUT", f"{COLLECTION}/shards", standalone, CreateShardKey, parameters.COLLECTION, quick=True),
    Endpoint("POST", f"{COLLECTION}/shards/delete", standalone, DropShardKey, parameters.COLLECTION, quick=True),
    Endpoint("GET", "/cluster/metadata/keys", standalone, quick=True, documented=False),
    Endpoint("GET", "/cluster/metadata/keys/{key}", standalone, quick=True, documented=False),
    Endpoint("PUT", "/cluster/metadata/keys/{key}", standalone, quick=True, documented=False),
    Endpoint("DELETE", "/cluster/metadata/keys/{key}", standalone, quick=True, documented=False),
]
