"""How do a collection's configuration and indexes become bytes, and come back?

As JSON in the form that clients see, so that an archive can be understood with the API's documentation.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import asdict

from qdlite.collection.operations import CreateIndex
from qdlite.models.collections import vectors_config
from qdlite.models.decoding import encode
from qdlite.models.indexes import IndexParams, SchemaType
from qdlite.models.info import CollectionConfig, CollectionParams


class _Params(CollectionParams, frozen=True, kw_only=True):
    vectors: Raw  # type: ignore[assignment]  # one vector or many: the decoder cannot tell


class _Config(CollectionConfig, frozen=True, kw_only=True):
    params: _Params


class _Index(Struct):
    field: str
    schema: SchemaType
    params: IndexParams | None


def encode_config(config: CollectionConfig) -> bytes:
    return encode(config)


def decode_config(content: bytes) -> CollectionConfig:
    """Raises ValueError or msgspec.MsgspecError."""
    config = msgspec.json.decode(content, type=_Config)
    params = CollectionParams(**{**asdict(config.params), "vectors": vectors_config(config.params.vectors)})
    return CollectionConfig(**{**asdict(config), "params": params})


def encode_index(index: CreateIndex) -> bytes:
    return encode(_Index(index.field, index.schema, index.params))


def decode_index(content: bytes) -> CreateIndex:
    """Raises msgspec.MsgspecError."""
    index = msgspec.json.decode(content, type=_Index)
    return CreateIndex(index.field, index.schema, index.params)
