"""Who answers here, is it well, and how is it run? Root, health, issues, quotas, administration."""

from __future__ import annotations

from qdlite.database import Database
from qdlite.models.base import encode
from qdlite_server.endpoint import JSON, Answer, Call, Endpoint, text, unsupported
from qdlite_server.versions import API_COMMIT, API_VERSION, TITLE

HEALTH = frozenset({"/", "/healthz", "/livez", "/readyz", "/metrics", "/telemetry"})
"""Paths that monitors ask all the time; they are logged as debug messages."""


def root(database: Database, call: Call) -> object:
    return Answer(200, encode({"title": TITLE, "version": API_VERSION, "commit": API_COMMIT}), JSON)


def alive(database: Database, call: Call) -> object:
    return text("healthz check passed")


def ready(database: Database, call: Call) -> object:
    return text("all shards are ready")


def issues(database: Database, call: Call) -> object:
    return {"issues": []}


def clear_issues(database: Database, call: Call) -> object:
    return True


def quotas(database: Database, call: Call) -> object:
    """No quota is set, so nothing is measured."""
    return {"config": {"enabled": False}, "usage": {}}


ENDPOINTS = [
    Endpoint("GET", "/", root, quick=True),
    Endpoint("GET", "/healthz", alive, quick=True),
    Endpoint("GET", "/livez", alive, quick=True),
    Endpoint("GET", "/readyz", ready, quick=True),
    Endpoint("GET", "/issues", issues, quick=True),
    Endpoint("DELETE", "/issues", clear_issues, quick=True),
    Endpoint("GET", "/quotas", quotas, quick=True),
    unsupported("PUT", "/quotas", "quotas"),
    unsupported("GET", "/logger", "reading the logger's configuration", documented=False),
    unsupported("POST", "/logger", "changing the logger's configuration", documented=False),
    unsupported("GET", "/stacktrace", "stack traces", documented=False),
    unsupported("GET", "/profiler/slow_requests", "the profiler", documented=False),
    unsupported("POST", "/audit/logs", "audit logs", documented=False),
]
