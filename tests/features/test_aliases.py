"""Feature: collections have other names."""

from __future__ import annotations

import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse


def create(alias: str, collection: str) -> models.CreateAliasOperation:
    return models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=collection, alias_name=alias))


def test_an_alias_stands_for_its_collection(client: QdrantClient) -> None:
    client.create_collection("c", vectors_config={})
    client.update_collection_aliases([create("a", "c")])
    client.upsert("a", [models.PointStruct(id=1, vector={})], wait=True)
    assert client.count("c").count == 1
    assert client.collection_exists("a")
    assert [(alias.alias_name, alias.collection_name) for alias in client.get_aliases().aliases] == [("a", "c")]


def test_an_alias_moves_to_another_collection(client: QdrantClient) -> None:
    for name in ("old", "new"):
        client.create_collection(name, vectors_config={})
    client.update_collection_aliases([create("live", "old")])
    delete = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name="live"))
    client.update_collection_aliases([delete, create("live", "new")])
    assert client.get_collection_aliases("old").aliases == []
    assert [alias.alias_name for alias in client.get_collection_aliases("new").aliases] == ["live"]
    client.delete_collection("new")
    assert not client.collection_exists("live")


def test_what_cannot_be_an_alias(client: QdrantClient) -> None:
    client.create_collection("c", vectors_config={})
    with pytest.raises(UnexpectedResponse, match="Collection `none`"):
        client.update_collection_aliases([create("a", "none")])
    with pytest.raises(UnexpectedResponse, match="Collection `c` already exists!"):
        client.update_collection_aliases([create("c", "c")])
