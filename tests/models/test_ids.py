"""Which texts are ids? Those that Qdrant's own engine takes."""

from __future__ import annotations

import pytest
import qdrant_edge as edge

from qdlite.models.common import point_id

ID = "550e8400-e29b-41d4-a716-446655440000"
SIMPLE = ID.replace("-", "")
FORMS = [
    ID,
    ID.upper(),
    SIMPLE,
    SIMPLE.upper(),
    f"{{{ID}}}",
    f"{{{ID.upper()}}}",
    f"{{{SIMPLE}}}",
    f"{{{ID}",
    f"{ID}}}",
    f"urn:uuid:{ID}",
    f"urn:uuid:{ID.upper()}",
    f"urn:uuid:{SIMPLE}",
    f"URN:UUID:{ID}",
    f"{{urn:uuid:{ID}}}",
    f" {ID}",
    f"{ID}\n",
    ID[:-1],
    SIMPLE[:-1],
    ID.replace("-", "_"),
    ID.replace("0", "\uff10"),
    ID.replace("-", "", 1),
    "42",
    "",
]


def engines(text: str) -> object:
    try:
        return str(edge.Point(text, {}, {}).id)
    except Exception:
        return None


def ours(text: str) -> object:
    try:
        return point_id(text)
    except ValueError as error:
        assert str(error).startswith(f"value {text} is not a valid point ID")
        return None


@pytest.mark.parametrize("text", FORMS)
def test_texts_that_are_ids(text: str) -> None:
    assert ours(text) == engines(text)
