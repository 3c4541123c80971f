"""Is a whole database saved to a file of its own, and does it come back from there?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.collection.collection import Collection
from qdlite.database import Database
from qdlite.errors import AlreadyExists
from qdlite.models.aliases import AliasAction, ChangeAliases, RenameAlias
from qdlite.models.snapshots import SnapshotRecover
from tests.persistence.databases import alias, change, everything, filled, made, state
from tests.persistence.examples import collections, create, rows, update


@given(st.lists(collections(), max_size=3, unique_by=lambda collection: collection.name))
def test_a_database_is_saved_and_loaded(given_collections: list[Collection]) -> None:
    with Database() as database, Database() as other:
        for collection in given_collections:
            database._names.add(collection)
            alias(database, f"alias of {collection.name}", collection.name)
        path = database.snapshots_folder / "saved"
        database.save(path)
        other.load(path)
        assert everything(other) == everything(database)
        assert other.list_aliases() == database.list_aliases()


def test_loading_adds_all_or_nothing(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "saved"
    alias(database, "nick", "things")
    database.save(path)
    saved = state(database)
    with Database() as other:
        other._names.add(filled("more", 3))
        other.load(path)
        assert other.list_collections() == ["more", "things"]
        change(other)
        before = everything(other)
        with pytest.raises(AlreadyExists, match="Collection `things` already exists!"):
            other.load(path)
        assert everything(other) == before
        other.load(path, replace=True)
        assert state(other) == saved
        assert other.list_collections() == ["more", "things"]
    with Database() as other:
        other._names.add(filled("nick", 3))
        for replace in (False, True):
            with pytest.raises(AlreadyExists):
                other.load(path, replace=replace)
        assert other.list_collections() == ["nick"]


def test_an_alias_that_hides_a_collection_is_loaded_like_any_other(database: Database, tmp_path: Path) -> None:
    database._names.add(filled("hidden", 3))
    alias(database, "nick", "things")
    rename = RenameAlias(old_alias_name="nick", new_alias_name="hidden")
    database.change_aliases(ChangeAliases(actions=[AliasAction(rename_alias=rename)]))
    database.save(tmp_path / "saved")
    with Database() as other:
        for replace in (False, True):
            other.load(tmp_path / "saved", replace=replace)
            assert other.list_aliases() == [("hidden", "things")]
            assert other.list_collections() == ["hidden", "things"]


def test_a_full_snapshot_can_be_loaded(database: Database) -> None:
    description = database.create_full_snapshot()
    assert description is not None
    with Database() as other:
        other.load(database.full_snapshot_path(description.name))
        assert everything(other) == everything(database)


def test_graphs_are_built_after_loading(tmp_path: Path) -> None:
    body = {"vectors": {"size": 3, "distance": "Euclid"}, "optimizers_config": {"indexing_threshold": 1}}
    collection = create(body)
    points = [{"id": row, "vector": vector} for row, vector in enumerate(rows(400))]
    update(collection, {"upsert": {"points": points}})
    with Database() as database, Database() as other:
        database._names.add(collection)
        database.save(tmp_path / "saved")
        other.load(tmp_path / "saved")
        assert other.wait_until_indexed(20)
        assert other.get_collection("things").indexed_vectors_count == 400
        location = database.snapshot_path("things", made(database).name).as_uri()
        database.recover_snapshot("fresh", SnapshotRecover(location=location))
        assert database.wait_until_indexed(20)
        assert database.get_collection("fresh").indexed_vectors_count == 400
