"""Feature: collections have other names."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from qdlite import Database
from qdlite.database import names
from qdlite.models.aliases import AliasAction, ChangeAliases, CreateAlias, DeleteAlias
from qdlite.models.collections import CreateCollection


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


def test_an_alias_that_moves_is_never_missing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    creations = []
    for name in ("old", "new"):
        database.create_collection(name, CreateCollection())
        creations.append(AliasAction(create_alias=CreateAlias(collection_name=name, alias_name="live")))
    database.change_aliases(ChangeAliases(actions=creations[:1]))
    seen: list[bool] = []
    create = names.ALIAS_ACTIONS["create_alias"]

    def watched(*given: Any) -> None:
        seen.append(database.collection_exists("live"))  # while the actions are under way
        create(*given)

    monkeypatch.setitem(names.ALIAS_ACTIONS, "create_alias", watched)
    delete = AliasAction(delete_alias=DeleteAlias(alias_name="live"))
    database.change_aliases(ChangeAliases(actions=[delete, creations[1]]))
    assert seen == [True]
    assert database.list_aliases() == [("live", "new")]


def test_earlier_actions_stay_if_a_later_one_fails(http: httpx.Client) -> None:
    http.put("/collections/c", json={})
    actions: list[dict[str, Any]] = [
        {"create_alias": {"collection_name": "c", "alias_name": "a"}},
        {"rename_alias": {"old_alias_name": "x", "new_alias_name": "y"}},
        {"create_alias": {"collection_name": "c", "alias_name": "b"}},
    ]
    response = http.post("/collections/aliases", json={"actions": actions})
    assert (response.status_code, response.json()["status"]["error"]) == (404, "Not found: Alias x does not exists!")
    assert http.get("/aliases").json()["result"]["aliases"] == [{"alias_name": "a", "collection_name": "c"}]


def test_only_names_of_collections_have_aliases(http: httpx.Client) -> None:
    http.put("/collections/c", json={})
    texts = ["", "a/b", "x" * 300]
    actions = [{"create_alias": {"collection_name": "c", "alias_name": name}} for name in texts]
    assert http.post("/collections/aliases", json={"actions": actions}).status_code == 200
    aliases = http.get("/collections/c/aliases").json()["result"]["aliases"]
    assert sorted(alias["alias_name"] for alias in aliases) == sorted(texts)
    for other in ("none", "x" * 255):
        assert http.get(f"/collections/{other}/aliases").json()["result"] == {"aliases": []}


def test_a_renamed_alias_may_hide_a_collection(http: httpx.Client) -> None:
    # `update_aliases` and `resolve_name` in `lib/storage/src/content_manager/toc/`: only new aliases are held against
    # the names of collections, and aliases are looked up first.
    for name in ("c", "hidden"):
        http.put(f"/collections/{name}", json={})
    http.put("/collections/c/points?wait=true", json={"points": [{"id": 1, "vector": {}}]})
    create = {"create_alias": {"collection_name": "c", "alias_name": "a"}}
    rename = {"rename_alias": {"old_alias_name": "a", "new_alias_name": "hidden"}}
    assert http.post("/collections/aliases", json={"actions": [create, rename]}).json()["result"] is True
    assert http.get("/collections/hidden").json()["result"]["points_count"] == 1
    assert http.put("/collections/hidden", json={}).status_code == 409
    http.post("/collections/aliases", json={"actions": [{"delete_alias": {"alias_name": "hidden"}}]})
    assert http.get("/collections/hidden").json()["result"]["points_count"] == 0


def test_aliases_stand_in_the_order_of_their_collections(http: httpx.Client) -> None:
    for name, alias in (("b", "x"), ("a", "z"), ("a", "y")):
        http.put(f"/collections/{name}", json={})
        create = {"create_alias": {"collection_name": name, "alias_name": alias}}
        http.post("/collections/aliases", json={"actions": [create]})
    listed = http.get("/aliases").json()["result"]["aliases"]
    assert [(pair["collection_name"], pair["alias_name"]) for pair in listed] == [("a", "y"), ("a", "z"), ("b", "x")]
