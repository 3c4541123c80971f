"""Which other names do collections have?"""

from __future__ import annotations

from qdlite.database import Database
from qdlite.models.aliases import ChangeAliases
from qdlite_server import parameters
from qdlite_server.endpoint import Call, Endpoint


def change(database: Database, call: Call) -> object:
    return database.change_aliases(call.body)


def listed(database: Database, call: Call) -> object:
    pairs = database.list_aliases(call.path.get("collection_name"))
    return {"aliases": [{"alias_name": alias, "collection_name": name} for alias, name in pairs]}


ENDPOINTS = [
    Endpoint("POST", "/collections/aliases", change, ChangeAliases, parameters.COLLECTION),
    Endpoint("GET", "/aliases", listed, quick=True),
    Endpoint("GET", "/collections/{collection_name}/aliases", listed, quick=True),
]
