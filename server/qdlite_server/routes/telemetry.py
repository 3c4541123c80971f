"""What can be told about this server in numbers? Telemetry as JSON, and metrics as text.

Who measures is loaded when first asked: no start has to wait for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdlite.database import Database
from qdlite_server import parameters
from qdlite_server.endpoint import Call, Endpoint, text
from qdlite_server.parameters import Parameter, Parameters

if TYPE_CHECKING:
    from qdlite_server.measures import Measures

_COMMON = (
    Parameter("anonymize", parameters.boolean, default=False),
    Parameter("per_collection", parameters.boolean, default=False),
    *parameters.COLLECTION.known,
)
METRICS = Parameters(_COMMON)
TELEMETRY = Parameters((*_COMMON, Parameter("details_level", parameters.unsigned, default=0)))


def telemetry(database: Database, call: Call) -> object:
    return _measures(database, call).telemetry(call.parameters["details_level"])


def metrics(database: Database, call: Call) -> object:
    from qdlite_server.metrics import metrics_text

    return text(metrics_text(_measures(database, call)))


def _measures(database: Database, call: Call) -> Measures:
    from qdlite_server.measures import Measures

    return Measures(database, call.statistics, call.parameters["per_collection"])


ENDPOINTS = [
    Endpoint("GET", "/telemetry", telemetry, None, TELEMETRY),
    Endpoint("GET", "/metrics", metrics, None, METRICS),
]
