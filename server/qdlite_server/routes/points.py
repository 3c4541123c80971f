"""How are points read? One, several, in order, counted, and counted by value."""

from __future__ import annotations

from qdlite.database import Database
from qdlite.errors import WrongInput
from qdlite.models.common import MAX_NUMERIC_ID, point_id
from qdlite.models.reads import CountRequest, FacetRequest, PointRequest, ScrollRequest
from qdlite.types import PointId
from qdlite_server.endpoint import Call, Endpoint
from qdlite_server.parameters import READ

COLLECTION = "/collections/{collection_name}"
PATH = f"{COLLECTION}/points"


def id_in_path(text: str) -> PointId:
    """An unsigned number if the text is one, else a UUID. Raises WrongInput."""
    digits = text.removeprefix("+")
    if digits.isascii() and digits.isdigit() and len(digits.lstrip("0")) <= 20 and int(digits) <= MAX_NUMERIC_ID:
        return int(digits)
    try:
        return point_id(text)
    except ValueError:
        raise WrongInput(f'Can not recognize "{text}" as point id') from None


def one(database: Database, call: Call) -> object:
    return database.get_point(call.collection, id_in_path(call.path["id"]), call.context)


def several(database: Database, call: Call) -> object:
    return database.retrieve(call.collection, call.body, call.context)


def scroll(database: Database, call: Call) -> object:
    return database.scroll(call.collection, call.body, call.context)


def count(database: Database, call: Call) -> object:
    return {"count": database.count(call.collection, call.body, call.context)}


def facet(database: Database, call: Call) -> object:
    return {"hits": database.facet(call.collection, call.body, call.context)}


ENDPOINTS = [
    Endpoint("GET", f"{PATH}/{{id}}", one, None, READ),
    Endpoint("POST", PATH, several, PointRequest, READ),
    Endpoint("POST", f"{PATH}/scroll", scroll, ScrollRequest, READ),
    Endpoint("POST", f"{PATH}/count", count, CountRequest, READ),
    Endpoint("POST", f"{COLLECTION}/facet", facet, FacetRequest, READ),
]
