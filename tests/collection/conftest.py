"""Collections in strict mode for tests, and how many rows are taken into columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from qdlite.database import Database
from qdlite.payload.column import Column
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


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows columns took in, each time."""
    counts: list[int] = []
    add = Column.add

    def counting(column: Column, rows: Any, payloads: Any) -> None:
        counts.append(len(rows))
        add(column, rows, payloads)

    monkeypatch.setattr(Column, "add", counting)
    return counts
