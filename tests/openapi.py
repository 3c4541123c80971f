"""Does a response agree with Qdrant's OpenAPI file? Checked for every response in tests where the file is present."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from qdlite_server.routes import ENDPOINTS
from qdlite_server.routing import Router

FILE = Path(__file__).resolve().parent.parent.parent / "shared" / "reference" / "openapi-1.19.json"
_ROUTER = Router(endpoint for endpoint in ENDPOINTS if endpoint.documented)


@cache
def document() -> dict[str, Any]:
    """The file, with OpenAPI's `nullable` rewritten as JSON Schema. Empty if the file is absent."""
    if not FILE.is_file():
        return {}
    loaded: dict[str, Any] = _with_nulls(json.loads(FILE.read_text(encoding="utf-8")))
    return loaded


def _with_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    schema = {key: _with_nulls(item) for key, item in value.items() if key != "nullable"}
    if value.get("nullable") is not True:
        return schema
    return {"anyOf": [schema, {"type": "null"}]} if schema else {"type": "null"}


@cache
def _validator(method: str, path: str, status: int) -> tuple[str, Draft202012Validator | None]:
    responses = document()["paths"][path][method.lower()]["responses"]
    described = responses.get(str(status)) or responses.get(f"{status // 100}XX") or responses.get("default")
    assert described is not None, f"status {status} is not documented for {method} {path}"
    content = described.get("content")
    if not content:
        return "", None
    kind, media = next(iter(content.items()))
    schema = {**media.get("schema", {}), "components": document()["components"]}
    return kind, Draft202012Validator(schema) if kind == "application/json" else None


def check(method: str, path: str, status: int, content_type: str, body: bytes) -> None:
    """Raises AssertionError if the response to a documented route is not as documented."""
    route = _ROUTER.find(method, path)
    if not document() or route is None or status == 501:
        return
    kind, validator = _validator(method, route.endpoint.path, status)
    if kind:
        assert content_type.partition(";")[0] == kind, f"{method} {path} answers {content_type}, not {kind}"
    if validator is not None:
        errors = [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(json.loads(body))]
        assert not errors, f"{method} {path} {status}: " + "; ".join(errors)
