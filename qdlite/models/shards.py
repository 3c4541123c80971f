"""What would change shards and their replicas? Bodies that a single node reads, though it can do nothing with them."""

from __future__ import annotations

from typing import ClassVar, Literal

from qdlite.models.base import Model, NonZero32, OneOf, UInt
from qdlite.models.common import JsonObject, ShardKey

ReplicaState = Literal[
    "Active", "Dead", "Partial", "Initializing", "Listener", "PartialSnapshot", "Recovery", "Resharding",
    "ReshardingScaleDown", "ActiveRead", "ManualRecovery",
]  # fmt: skip


class CreateShardKey(Model, frozen=True, kw_only=True):
    """`shard_number` is another name of `shards_number`."""

    shard_key: ShardKey
    shards_number: NonZero32 | None = None
    shard_number: NonZero32 | None = None
    replication_factor: NonZero32 | None = None
    placement: list[UInt] | None = None
    initial_state: ReplicaState | None = None


class DropShardKey(Model, frozen=True, kw_only=True):
    shard_key: ShardKey


class ClusterOperation(OneOf, frozen=True, kw_only=True):
    """What nodes of a cluster would do with shards. Only the two about keys are read any further."""

    move_shard: JsonObject | None = None
    replicate_shard: JsonObject | None = None
    abort_transfer: JsonObject | None = None
    drop_replica: JsonObject | None = None
    create_sharding_key: CreateShardKey | None = None
    drop_sharding_key: DropShardKey | None = None
    restart_transfer: JsonObject | None = None
    start_resharding: JsonObject | None = None
    finish_migrating_points: JsonObject | None = None
    commit_read_hash_ring: JsonObject | None = None
    commit_write_hash_ring: JsonObject | None = None
    finish_resharding: JsonObject | None = None
    abort_resharding: JsonObject | None = None
    replicate_points: JsonObject | None = None

    variants: ClassVar = (
        "move_shard", "replicate_shard", "abort_transfer", "drop_replica", "create_sharding_key", "drop_sharding_key",
        "restart_transfer", "start_resharding", "finish_migrating_points", "commit_read_hash_ring",
        "commit_write_hash_ring", "finish_resharding", "abort_resharding", "replicate_points",
    )  # fmt: skip
    expected: ClassVar = "data did not match any variant of untagged enum ClusterOperations"
