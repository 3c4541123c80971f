"""How are collections made, changed, described and removed? And their named vectors."""

from __future__ import annotations

import uuid

from qdlite.database import Database
from qdlite.errors import WrongInput
from qdlite.models.collections import CreateCollection, UpdateCollection, VectorNameConfig
from qdlite_server import parameters
from qdlite_server.endpoint import Call, Endpoint
from qdlite_server.parameters import Parameter, Parameters
from qdlite_server.routing import NEW_COLLECTION

PATH = "/collections/{collection_name}"
VECTOR = f"{PATH}/vectors/{{vector_name}}"

OPTIMIZATIONS = Parameters(
    (
        Parameter("with", parameters.plain, default=""),
        Parameter("completed_limit", parameters.unsigned, default=16),
    )
)


def listed(database: Database, call: Call) -> object:
    return {"collections": [{"name": name} for name in database.list_collections()]}


def create(database: Database, call: Call) -> object:
    return database.create_collection(call.collection, call.body)


def described(database: Database, call: Call) -> object:
    return database.get_collection(call.collection)


def update(database: Database, call: Call) -> object:
    return database.update_collection(call.collection, call.body)


def delete(database: Database, call: Call) -> object:
    return database.delete_collection(call.collection)


def exists(database: Database, call: Call) -> object:
    return {"exists": database.collection_exists(call.collection)}


def optimizations(database: Database, call: Call) -> object:
    """qdlite has no segments to optimise: nothing is ever queued, one segment holds all points."""
    wanted = {name for name in (part.strip() for part in call.parameters["with"].split(",")) if name}
    points = database.get_collection(call.collection).points_count
    segment = {"uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, call.collection)), "points_count": points}
    lists: dict[str, list[object]] = {"queued": [], "completed": [], "idle_segments": [segment]}
    unknown = wanted - lists.keys()
    if unknown:
        raise WrongInput(f"Unknown field in 'with' parameter: {min(unknown)}")
    summary = {"queued_optimizations": 0, "queued_segments": 0, "queued_points": 0, "idle_segments": 1}
    shown = {name: value for name, value in lists.items() if name in wanted}
    return {"summary": summary, "running": [], **shown}


def memory(database: Database, call: Call) -> object:
    from qdlite_server.memory import memory_report  # few ask for it, and not at the start

    return memory_report(database.collection(call.collection).measures())


def create_vector_name(database: Database, call: Call) -> object:
    return database.create_vector_name(call.collection, call.path["vector_name"], call.body, call.wait, call.context)


def delete_vector_name(database: Database, call: Call) -> object:
    return database.delete_vector_name(call.collection, call.path["vector_name"], call.wait, call.context)


ENDPOINTS = [
    Endpoint("GET", "/collections", listed, quick=True),
    Endpoint("PUT", PATH, create, CreateCollection, parameters.COLLECTION, NEW_COLLECTION),
    Endpoint("GET", PATH, described),
    Endpoint("PATCH", PATH, update, UpdateCollection, parameters.COLLECTION),
    Endpoint("DELETE", PATH, delete, None, parameters.COLLECTION),
    Endpoint("GET", f"{PATH}/exists", exists, quick=True),
    Endpoint("GET", f"{PATH}/optimizations", optimizations, None, OPTIMIZATIONS),
    Endpoint("PUT", VECTOR, create_vector_name, VectorNameConfig, parameters.WRITE),
    Endpoint("DELETE", VECTOR, delete_vector_name, None, parameters.WRITE),
    Endpoint("GET", f"{PATH}/memory", memory, documented=False),
]
