"""Which payload fields have an index?"""

from __future__ import annotations

from qdlite.database import Database
from qdlite.errors import MalformedBody, MalformedPath
from qdlite.models.indexes import CreateFieldIndex
from qdlite_server import parameters
from qdlite_server.endpoint import Call, Endpoint

PATH = "/collections/{collection_name}/index"


def create(database: Database, call: Call) -> object:
    return database.create_field_index(call.collection, call.body, call.wait, call.context)


def delete(database: Database, call: Call) -> object:
    try:
        return database.delete_field_index(call.collection, call.path["field_name"], call.wait, call.context)
    except MalformedBody as error:  # here the field is a part of the path
        raise MalformedPath(error.description) from None


ENDPOINTS = [
    Endpoint("PUT", PATH, create, CreateFieldIndex, parameters.WRITE),
    Endpoint("DELETE", f"{PATH}/{{field_name}}", delete, None, parameters.WRITE),
]
