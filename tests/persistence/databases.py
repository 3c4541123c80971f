"""What have the databases in it that these tests save, and how do they look from outside?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qdlite.collection.collection import Collection
from qdlite.database import Database
from qdlite.models.aliases import AliasAction, ChangeAliases, CreateAlias
from qdlite.models.snapshots import SnapshotDescription
from tests.persistence.examples import content, create, index, rows, update


def filled(name: str, count: int = 20) -> Collection:
    """A collection of points with payload and a payload index."""
    collection = create({"vectors": {"size": 3, "distance": "Dot"}, "metadata": {"of": name}}, name)
    vectors = enumerate(rows(count))
    points = [{"id": row, "vector": vector, "payload": {"word": f"w{row % 3}"}} for row, vector in vectors]
    update(collection, {"upsert": {"points": points}})
    index(collection, "word", "keyword")
    return collection


def state(database: Database, name: str = "things") -> dict[str, Any]:
    """All that a collection holds."""
    return database.collection(name).read(lambda view: content(view.state))


def everything(database: Database) -> dict[str, Any]:
    return {name: state(database, name) for name in database.list_collections()}


def made(database: Database, name: str = "things", shard: int | None = None) -> SnapshotDescription:
    description = database.create_snapshot(name, shard)
    assert description is not None
    return description


def change(database: Database, name: str = "things") -> None:
    """Deletes and rewrites some points."""
    update(database.collection(name), {"delete": {"points": [1, 2, 3]}})
    update(database.collection(name), {"set_payload": {"payload": {"new": 1}, "points": [4]}})


def alias(database: Database, name: str, target: str) -> None:
    database.change_aliases(
        ChangeAliases(actions=[AliasAction(create_alias=CreateAlias(collection_name=target, alias_name=name))])
    )


def files(folder: Path) -> list[str]:
    """Those in a folder and below it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
