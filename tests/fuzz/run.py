"""Does any request that Schemathesis thinks of get an answer that the OpenAPI file does not allow, or a 5xx?

    PYTHONPATH=.:server python -m tests.fuzz.run --requests 20000 --minutes 15 --seed 1

Needs the package schemathesis and Qdrant's OpenAPI file in ../shared. The last line tells the numbers; the exit code
is 1 if anything was found, and then each finding is shown once, as a curl command and what is wrong with its answer.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, strategies
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from qdlite import Database
from qdlite_server.api import Api
from qdlite_server.app import App
from tests import openapi
from tests.faces import running
from tests.fuzz import seeds, steering

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NO_FINDINGS = (
    "Not supported by qdlite: ",
    "Service internal error: Could not get telemetry from cluster",
    "Service internal error: Http request error",
    "Service internal error: failed to initialize HTTP(S) client: malformed API key",
)
"""How errors begin that are no findings although their status is 501 or 500: what is named as missing, and what
Qdrant itself answers, with the same status: without a cluster, and for snapshots of a node that cannot be asked."""
ROUNDS = 4
PARTS: tuple[tuple[Any, float], ...] = (
    (GenerationMode.POSITIVE, 0.75),
    (GenerationMode.NEGATIVE, 0.25),
)
TIMEOUT = 60
"""Seconds an answer may take; longer ones are findings."""


class Enough(Exception):
    """The number of requests or the time is reached."""


@dataclass
class Tally:
    """What has been sent and found so far."""

    wanted: int
    deadline: float
    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    findings: dict[tuple[str, str], str] = field(default_factory=dict)

    def check(self) -> None:
        if self.sent >= self.wanted or time.monotonic() > self.deadline:
            raise Enough

    def note(self, label: str, title: str, text: str) -> None:
        self.findings.setdefault((label, title), text)


def weight(operation: Any) -> int:
    """How many requests an operation gets, relative to others: few if nothing in it can vary."""
    if operation.body:
        return 12 if "/points" in operation.path or operation.path.endswith("/facet") else 6
    return 2 if operation.path_parameters or operation.query else 0


def send(case: Any, random: Random, url: str, snapshots: dict[str, str], tally: Tally) -> None:
    """Steers one request, sends it and notes what is wrong with the answer."""
    tally.check()
    case.path_parameters = steering.steered_path(random, case.path_parameters or {}, snapshots)
    if isinstance(case.body, dict):
        case.body = steering.completed(random, case.operation.path, steering.steered(random, case.body))
    label = case.operation.label
    try:
        response = case.call(base_url=url, timeout=TIMEOUT)
    except requests.RequestException as error:
        tally.note(label, type(error).__name__, f"{error}\n{case.as_curl_command()}")
        return
    tally.sent += 1
    tally.statuses[response.status_code] += 1
    if response.status_code >= 500 and error_of(response).startswith(NO_FINDINGS):
        return
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        for failure in group.exceptions:
            text = f"{case.as_curl_command()[:3000]}\n{str(failure)[:1500]}\n{response.text[:500]}"
            tally.note(label, f"{type(failure).__name__} {response.status_code}", text)


def error_of(response: Any) -> str:
    """The text of the error that Qdrant's envelope holds; empty if there is none."""
    try:
        return str(response.json()["status"]["error"])
    except (ValueError, KeyError, TypeError):
        return ""


def fuzz(operation: Any, mode: GenerationMode, examples: int, seed: int, app: App, url: str, tally: Tally) -> None:
    """Sends about so many requests of one operation to a fresh database."""
    with seeds.populated() as database:
        app.api = Api(database)
        snapshots = seeds.snapshots(database) if "{snapshot_name}" in operation.path else {}

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(operation.as_strategy(mode), strategies.integers(0, 2**32))
        def one(case: Any, number: int) -> None:
            send(case, Random(number), url, snapshots, tally)

        one()


def run(tally: Tally, seed: int) -> None:
    """All operations in rounds, three quarters of the requests well-formed. Ends by number or time."""
    schema: Any = schemathesis.openapi.from_path(str(openapi.FILE))
    operations = [found.ok() for found in schema.get_all_operations()]
    jobs = [(operation, mode, part) for operation in operations for mode, part in PARTS]
    total = sum(map(weight, operations))
    with Database() as empty:
        app = App(Api(empty))
        with running(app) as url, suppress(Enough):
            for round_ in count(seed):
                for job in jobs.copy():
                    operation, mode, part = job
                    share = math.ceil(tally.wanted * weight(operation) * part / (total * ROUNDS))
                    try:
                        fuzz(operation, mode, max(1, share), round_, app, url, tally)
                    except Unsatisfiable:  # nothing in the operation can be wrong
                        jobs.remove(job)


def main() -> int:
    parser = argparse.ArgumentParser(description="Sends random requests to a served qdlite and checks the answers.")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.getLogger("qdlite_server").addHandler(logging.StreamHandler())  # with the traceback of every 500
    started = time.monotonic()
    tally = Tally(options.requests, started + options.minutes * 60)
    run(tally, options.seed)
    for (label, title), text in sorted(tally.findings.items()):
        print(f"--- {label}: {title}\n{text}\n")
    statuses = ", ".join(f"{count} x {status}" for status, count in sorted(tally.statuses.items()))
    seconds = time.monotonic() - started
    print(f"seed {options.seed}: {tally.sent} requests in {seconds:.0f} s ({statuses}); {len(tally.findings)} findings")
    return 1 if tally.findings or tally.sent < tally.wanted else 0


if __name__ == "__main__":
    sys.exit(main())
