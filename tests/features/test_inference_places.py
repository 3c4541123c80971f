"""Feature: whatever a model embeds may stand wherever a vector may. Real classes of fastembed, tiny weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from qdlite import Database
from qdlite.database import InferenceSettings
from tests.features.inference_table import PLACES, kinds


@pytest.fixture(scope="module")
def database(tiny_models: Path) -> Iterator[Database]:
    with Database(InferenceSettings(models_dirs=(tiny_models,), offline=True, threads=1)) as database:
        yield database


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", kinds())
def test_every_kind_in_every_place(client: QdrantClient, database: Database, kind: str, place: str) -> None:
    tested = kinds()[kind]()
    before = database.inference.totals()
    PLACES[place](client, tested)
    after = {name.lower(): total.requests for name, total in database.inference.totals().items()}
    used = {name for name in tested.models if after[name] > (before[name].requests if name in before else 0)}
    assert used == set(tested.models)
