"""Feature: the same with a real model, where there is one beside the repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from qdlite import Database
from qdlite.database import InferenceSettings
from tests.features.inference_table import COLLECTION, PLACES, fill, kinds


@pytest.fixture(scope="module")
def database(shared: Path) -> Iterator[Database]:
    pytest.importorskip("fastembed")
    if not (shared / "models" / "all-MiniLM-L6-v2-onnx" / "fp32").is_dir():
        pytest.skip("needs the model all-MiniLM-L6-v2")
    with Database(InferenceSettings(models_dirs=(shared / "models",), offline=True)) as database:
        yield database


@pytest.mark.parametrize("place", PLACES)
def test_a_real_model_in_every_place(client: QdrantClient, place: str) -> None:
    PLACES[place](client, kinds()["dense"]())


def test_scores_are_those_of_the_model(client: QdrantClient) -> None:
    """0.708 stands in the description of the model's folder."""
    kind = kinds()["dense"]()
    fill(client, kind)
    assert client.query_points(COLLECTION, query=kind.asked[0], using="v").points[0].score == pytest.approx(
        0.708, abs=5e-4
    )
