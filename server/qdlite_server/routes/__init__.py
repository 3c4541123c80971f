"""Which endpoints are there? One list a topic; both faces serve them all."""

from __future__ import annotations

from qdlite_server.endpoint import Endpoint
from qdlite_server.routes import (
    aliases,
    cluster,
    collections,
    payload_index,
    points,
    query,
    search,
    service,
    snapshots,
    telemetry,
    updates,
)

ENDPOINTS: list[Endpoint] = [
    *service.ENDPOINTS,
    *telemetry.ENDPOINTS,
    *collections.ENDPOINTS,
    *aliases.ENDPOINTS,
    *payload_index.ENDPOINTS,
    *updates.ENDPOINTS,
    *points.ENDPOINTS,
    *query.ENDPOINTS,
    *search.ENDPOINTS,
    *snapshots.ENDPOINTS,
    *cluster.ENDPOINTS,
]
