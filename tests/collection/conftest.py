"""Collections in strict mode for tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from qdlite.database import Database
from tests.collection.strict import Make, Strict


@pytest.fixture
def make() -> Iterator[Make]:
    databases: list[Database] = []

    def build(**limits: Any) -> Strict:
        databases.append(Database())
        return Strict(databases[-1], limits)

    yield build
    for database in databases:
        database.close()


@pytest.fixture
def strict(make: Make) -> Strict:
    """Without limits at first."""
    return make()
