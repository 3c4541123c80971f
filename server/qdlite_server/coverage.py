"""What of Qdrant's REST API is there? `docs/coverage.md`, made from the endpoint lists and the OpenAPI file.

`python -m qdlite_server.coverage OPENAPI.json > docs/coverage.md` writes it anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from qdlite_server.coverage_fields import query_parameters, request_fields
from qdlite_server.endpoint import Endpoint
from qdlite_server.routes import ENDPOINTS
from qdlite_server.versions import API_VERSION

_METHODS = ("get", "post", "put", "patch", "delete")


def documented(openapi: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(method, path, summary) of every operation in an OpenAPI document."""
    for path, operations in openapi["paths"].items():
        for method in _METHODS:
            if method in operations:
                yield method.upper(), path, operations[method].get("summary", "")


def page(openapi: Mapping[str, Any]) -> str:
    """The whole page in Markdown."""
    by_label = {endpoint.label: endpoint for endpoint in ENDPOINTS}
    known = list(documented(openapi))
    states = [_state(by_label.get(f"{method} {path}")) for method, path, _ in known]
    missing = len(known) - states.count("full")
    lines = [
        "# Coverage of the REST API",
        "",
        f"Made by `qdlite_server.coverage` from the endpoint lists and the OpenAPI file of Qdrant {API_VERSION}.",
        f"Of {len(known)} documented operations {missing or 'none'} are missing.",
        "",
        "## Documented routes",
        "",
        "| route | what it does | state |",
        "|---|---|---|",
        *(
            f"| `{method} {path}` | {summary} | {state} |"
            for (method, path, summary), state in zip(known, states, strict=True)
        ),
        "",
        "## Routes of Qdrant that its OpenAPI file does not list",
        "",
        "| route | state |",
        "|---|---|",
        *(f"| `{endpoint.label}` | {_shown(endpoint)} |" for endpoint in ENDPOINTS if not endpoint.documented),
        "",
        "## Query parameters",
        "",
        "| parameter | state |",
        "|---|---|",
        *(f"| `{name}` | {state} |" for name, state in query_parameters(openapi).items()),
        "",
        "## Fields of request bodies",
        "",
        "By schema of the OpenAPI file, or by operation where a body has no schema of its own; all fields of a schema",
        "that share a state stand in one line.",
        "",
        "| schema | fields | state |",
        "|---|---|---|",
        *_field_lines(openapi),
    ]
    return "\n".join(lines) + "\n"


def _field_lines(openapi: Mapping[str, Any]) -> Iterator[str]:
    for (schema, state), fields in groupby(request_fields(openapi), lambda field: (field.schema, field.state)):
        yield f"| {schema} | {', '.join(f'`{field.name}`' for field in fields)} | {state} |"


def _state(endpoint: Endpoint | None) -> str:
    return "missing" if endpoint is None else _shown(endpoint)


def _shown(endpoint: Endpoint) -> str:
    return f"{endpoint.state}: {endpoint.reason}" if endpoint.reason else endpoint.state


if __name__ == "__main__":
    sys.stdout.write(page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
