"""What do shard keys select on a single node? Nothing, for keys can only be made in a cluster; how is that said?"""

from __future__ import annotations

from qdlite.errors import BadRequest, NotFound, WrongInput
from qdlite.models.common import ShardKeys, ShardKeySelector
from qdlite.models.info import CollectionConfig

CUSTOM = "custom"
"""How collections are sharded in which points belong to shards by key."""


def check_read(selector: ShardKeys | None) -> None:
    """Raises BadRequest, or NotFound for a key with a fallback, if a read names a shard key."""
    if selector is None:
        return
    if isinstance(selector, ShardKeySelector):
        raise _neither(selector)
    for key in _keys(selector)[:1]:
        raise BadRequest(f"Shard key {_shown(key)} not found")


def check_write(selector: ShardKeys | None, config: CollectionConfig) -> None:
    """Raises WrongInput, or NotFound for a key with a fallback, if a write names a shard key, or names none where
    the collection is sharded by keys."""
    if selector is None:
        if config.params.sharding_method == CUSTOM:
            raise WrongInput("Shard key not specified")
        return
    if isinstance(selector, ShardKeySelector):
        raise _neither(selector)
    for key in _keys(selector)[:1]:
        raise WrongInput(f"Shard key {_shown(key)} not found")
    raise WrongInput("Empty shard keys selection")


def is_custom(config: CollectionConfig) -> bool:
    """Whether points belong to shards by key; there are no shards then."""
    return config.params.sharding_method == CUSTOM


def _keys(selector: int | str | list[int | str] | None) -> list[int | str]:
    if selector is None:
        return []
    return selector if isinstance(selector, list) else [selector]


def _shown(key: int | str) -> str:
    return f'"{key}"' if isinstance(key, str) else str(key)


def _neither(selector: ShardKeySelector) -> NotFound:
    keys = f"target shard key {_shown(selector.target)} nor fallback shard key {_shown(selector.fallback)}"
    return NotFound(f"Neither {keys} exist")
