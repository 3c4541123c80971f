"""What can be told about this server in numbers? Telemetry as JSON, and metrics as text."""

from __future__ import annotations

from qdlite.database import Database
from qdlite_server import parameters
from qdlite_server.endpoint import Call, Endpoint, text
from qdlite_server.measures import Measures
from qdlite_server.metrics import metrics_text
from qdlite_server.parameters import Parameter, Parameters

_COMMON = (
    Parameter("anonymize", parameters.boolean, default=False),
    Parameter("per_collection", parameters.boolean, default=False),
    *parameters.COLLECTION.known,
)
METRICS = Parameters(_COMMON)
TELEMETRY = Parameters((*_COMMON, Parameter("details_level", parameters.unsigned, default=0)))


def telemetry(database: Database, call: Call) -> object:
    measures = Measures(database, call.statistics, call.parameters["per_collection"])
    return measures.telemetry(call.parameters["details_level"])


def metrics(database: Database, call: Call) -> object:
    return text(metrics_text(Measures(database, call.statistics, call.parameters["per_collection"])))


ENDPOINTS = [
    Endpoint("GET", "/telemetry", telemetry, None, TELEMETRY),
    Endpoint("GET", "/metrics", metrics, None, METRICS),
]
