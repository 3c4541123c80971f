"""Which points answer a query? The universal query, in batches and groups, and the distance matrix."""

from __future__ import annotations

from qdlite.database import Database
from qdlite.models.groups import QueryGroupsRequest
from qdlite.models.matrix import SearchMatrixRequest
from qdlite.models.query import QueryRequest, QueryRequestBatch
from qdlite_server.endpoint import Call, Endpoint
from qdlite_server.parameters import READ

PATH = "/collections/{collection_name}/points"


def query(database: Database, call: Call) -> object:
    return database.query(call.collection, call.body, call.context)


def batch(database: Database, call: Call) -> object:
    return database.query_batch(call.collection, call.body, call.context)


def groups(database: Database, call: Call) -> object:
    return database.query_groups(call.collection, call.body, call.context)


def matrix_pairs(database: Database, call: Call) -> object:
    return database.matrix_pairs(call.collection, call.body, call.context)


def matrix_offsets(database: Database, call: Call) -> object:
    return database.matrix_offsets(call.collection, call.body, call.context)


ENDPOINTS = [
    Endpoint("POST", f"{PATH}/query", query, QueryRequest, READ),
    Endpoint("POST", f"{PATH}/query/batch", batch, QueryRequestBatch, READ),
    Endpoint("POST", f"{PATH}/query/groups", groups, QueryGroupsRequest, READ),
    Endpoint("POST", f"{PATH}/search/matrix/pairs", matrix_pairs, SearchMatrixRequest, READ),
    Endpoint("POST", f"{PATH}/search/matrix/offsets", matrix_offsets, SearchMatrixRequest, READ),
]
