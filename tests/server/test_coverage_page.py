"""Is docs/coverage.md what the endpoint lists say?"""

from __future__ import annotations

import json
from pathlib import Path

from qdlite_server.coverage import documented, page
from qdlite_server.coverage_fields import MISSING, PARAMETERS, STATES, query_parameters, request_fields
from qdlite_server.routes import ENDPOINTS

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "coverage.md"


def test_the_page_is_up_to_date(shared: Path) -> None:
    openapi = json.loads((shared / "reference" / "openapi-1.19.json").read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == page(openapi)


def test_every_documented_operation_has_an_endpoint(shared: Path) -> None:
    openapi = json.loads((shared / "reference" / "openapi-1.19.json").read_text(encoding="utf-8"))
    operations = {f"{method} {path}" for method, path, _ in documented(openapi)}
    assert operations == {endpoint.label for endpoint in ENDPOINTS if endpoint.documented}


def test_documented_parameters_are_read(shared: Path) -> None:
    """Every query parameter of the OpenAPI file is known to the endpoint."""
    openapi = json.loads((shared / "reference" / "openapi-1.19.json").read_text(encoding="utf-8"))
    for endpoint in ENDPOINTS:
        if endpoint.documented and endpoint.state == "full":
            described = openapi["paths"][endpoint.path][endpoint.method.lower()].get("parameters", [])
            expected = {parameter["name"] for parameter in described if parameter["in"] == "query"}
            assert expected <= {parameter.name for parameter in endpoint.parameters.known}, endpoint.label


def test_every_field_of_a_request_is_known(shared: Path) -> None:
    openapi = json.loads((shared / "reference" / "openapi-1.19.json").read_text(encoding="utf-8"))
    fields = request_fields(openapi)
    assert len(fields) > 300
    assert [field for field in fields if field.state == MISSING] == []
    assert MISSING not in query_parameters(openapi).values()


def test_reasons_are_about_fields_that_exist(shared: Path) -> None:
    openapi = json.loads((shared / "reference" / "openapi-1.19.json").read_text(encoding="utf-8"))
    fields = request_fields(openapi)
    names = {field.name for field in fields} | {f"{field.schema}.{field.name}" for field in fields}
    assert STATES.keys() - names == set()
    assert PARAMETERS.keys() <= query_parameters(openapi).keys()
