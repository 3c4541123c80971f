"""Threads of a model that has been called do not spin."""

from __future__ import annotations

from typing import Any

import pytest

from qdlite.inference import InferenceInput, InferenceService
from qdlite.inference.embedders.fastembed_session import RestsBetweenCalls, at_rest

KINDS = ["sentence-transformers/all-MiniLM-L6-v2", "colbert-ir/colbertv2.0", "prithivida/Splade_PP_en_v1"]


@pytest.mark.parametrize("model", KINDS)
def test_sessions_rest_between_calls(service: InferenceService, model: str) -> None:
    service.infer([InferenceInput("dog", "text", model)], "search")
    slots = service._local._loaded._slots
    embedders: list[Any] = [slot.lane._embedder for key, slot in slots.items() if slot.lane and key.card.name == model]  # type: ignore[attr-defined]
    options = embedders[0]._model.model.get_session_options()
    assert options.get_session_config_entry("session.force_spinning_stop") == "1"


def test_models_without_a_session_are_left_alone() -> None:
    assert at_rest(object) == ()
    assert at_rest(RestsBetweenCalls) == (RestsBetweenCalls,)
