"""A database with one collection, and the folder of its snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qdlite.database import Database, SnapshotSettings
from tests.persistence.databases import filled


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    with Database(snapshots=SnapshotSettings(folder=folder)) as opened:
        opened._names.add(filled("things"))
        yield opened
