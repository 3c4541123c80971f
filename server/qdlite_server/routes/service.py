"""Who answers here, is it well, and how is it run? Root, health, issues, quotas, administration."""

from __future__ import annotations

from qdlite.database import Database
from qdlite.models.decoding import encode
from qdlite.models.quotas import QuotaConfig
from qdlite_server import parameters
from qdlite_server.endpoint import JSON, Answer, Call, Endpoint, text, unsupported
from qdlite_server.parameters import Parameter, Parameters
from qdlite_server.versions import API_COMMIT, API_VERSION, TITLE

TRACES = "they are for debugging Qdrant's own threads"
AUDIT = "there are no users whose access could be logged"
LOGGER = "the level of the log is an option of the command line"
QUOTAS = Parameters((Parameter("wait", parameters.boolean, default=False),))
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
    return database.quotas.status()


def set_quotas(database: Database, call: Call) -> object:
    database.quotas.configure(call.body)
    return True


ENDPOINTS = [
    Endpoint("GET", "/", root, quick=True),
    Endpoint("GET", "/healthz", alive, quick=True),
    Endpoint("GET", "/livez", alive, quick=True),
    Endpoint("GET", "/readyz", ready, quick=True),
    Endpoint("GET", "/issues", issues, quick=True),
    Endpoint("DELETE", "/issues", clear_issues, quick=True),
    Endpoint("GET", "/quotas", quotas, quick=True),
    Endpoint("PUT", "/quotas", set_quotas, QuotaConfig, QUOTAS, quick=True),
    unsupported("GET", "/logger", "the logger's configuration", LOGGER, documented=False),
    unsupported("POST", "/logger", "the logger's configuration", LOGGER, documented=False),
    unsupported("GET", "/stacktrace", "stack traces", TRACES, documented=False),
    unsupported(
        "GET",
        "/profiler/slow_requests",
        "the profiler",
        "durations by route are in /telemetry and /metrics",
        documented=False,
    ),
    unsupported("POST", "/audit/logs", "audit logs", AUDIT, documented=False),
]
