"""How do points change? Points, vectors and payload; single updates and batches."""

from __future__ import annotations

from qdlite.database import Database
from qdlite.models.dense_points import DenseUpsert
from qdlite.models.points import UpsertPoints
from qdlite.models.updates import (
    DeletePayload,
    DeleteVectors,
    PointsSelector,
    SetPayload,
    UpdateOperations,
    UpdateVectors,
)
from qdlite_server.endpoint import Call, Endpoint
from qdlite_server.parameters import WRITE

PATH = "/collections/{collection_name}/points"


def upsert(database: Database, call: Call) -> object:
    return database.upsert(call.collection, call.body, call.wait, call.context)


def delete(database: Database, call: Call) -> object:
    return database.delete(call.collection, call.body, call.wait, call.context)


def update_vectors(database: Database, call: Call) -> object:
    return database.update_vectors(call.collection, call.body, call.wait, call.context)


def delete_vectors(database: Database, call: Call) -> object:
    return database.delete_vectors(call.collection, call.body, call.wait, call.context)


def set_payload(database: Database, call: Call) -> object:
    return database.set_payload(call.collection, call.body, call.wait, call.context)


def overwrite_payload(database: Database, call: Call) -> object:
    return database.overwrite_payload(call.collection, call.body, call.wait, call.context)


def delete_payload(database: Database, call: Call) -> object:
    return database.delete_payload(call.collection, call.body, call.wait, call.context)


def clear_payload(database: Database, call: Call) -> object:
    return database.clear_payload(call.collection, call.body, call.wait, call.context)


def batch(database: Database, call: Call) -> object:
    return database.batch_update(call.collection, call.body, call.wait, call.context)


ENDPOINTS = [
    Endpoint("PUT", PATH, upsert, UpsertPoints, WRITE, usual=DenseUpsert),
    Endpoint("POST", f"{PATH}/delete", delete, PointsSelector, WRITE),
    Endpoint("PUT", f"{PATH}/vectors", update_vectors, UpdateVectors, WRITE),
    Endpoint("POST", f"{PATH}/vectors/delete", delete_vectors, DeleteVectors, WRITE),
    Endpoint("POST", f"{PATH}/payload", set_payload, SetPayload, WRITE),
    Endpoint("PUT", f"{PATH}/payload", overwrite_payload, SetPayload, WRITE),
    Endpoint("POST", f"{PATH}/payload/delete", delete_payload, DeletePayload, WRITE),
    Endpoint("POST", f"{PATH}/payload/clear", clear_payload, PointsSelector, WRITE),
    Endpoint("POST", f"{PATH}/batch", batch, UpdateOperations, WRITE),
]
