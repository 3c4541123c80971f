"""What operators and callers see of inference: totals, the allow list, cut texts, and work that nobody waits for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qdlite.errors import Cancelled, InferenceError, Timeout
from qdlite.inference import Cancellation, InferenceInput, InferenceService, InferenceSettings
from qdlite.inference.embedders.base import BatchLimits, Item, Prepared
from qdlite.inference.inputs import Call, DataKind, Mode
from qdlite.inference.lane import Lane
from qdlite.inference.totals import MAX_MODELS, OTHERS, Totals
from qdlite.types import VectorArray

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def text(data: str, model: str = MINILM) -> InferenceInput:
    return InferenceInput(data, "text", model)


@pytest.fixture
def settings(service: InferenceService) -> InferenceSettings:
    return service.settings


def test_totals_by_proper_name(settings: InferenceSettings) -> None:
    made = InferenceService(settings)
    for name in (MINILM, MINILM.lower(), "all-minilm-l6-v2"):
        made.infer([text("dog", name), text("dog", "BM25")], "update")
    totals = made.totals()
    assert totals.keys() == {MINILM, "qdrant/bm25"}
    assert (totals[MINILM].tokens, totals[MINILM].requests) == (9, 3)
    assert totals[MINILM].seconds > 0
    assert (totals["qdrant/bm25"].tokens, totals["qdrant/bm25"].requests) == (0, 3)
    with pytest.raises(InferenceError):
        made.infer([text("", MINILM)], "update")
    assert made.totals()[MINILM].requests == 3


def test_totals_have_an_end() -> None:
    totals = Totals()
    for number in range(MAX_MODELS + 5):
        totals.add(f"hashing/{number}", 1, 0.5)
    totals.add("HASHING/0", 1, 0.5)
    rows = totals.rows()
    assert len(rows) == MAX_MODELS + 1
    assert (rows[OTHERS].tokens, rows[OTHERS].seconds) == (5, 2.5)
    assert rows["hashing/0"].requests == 2


@pytest.mark.parametrize("allowed", [MINILM, MINILM.lower(), "sentence-transformers/*", "all-minilm-l6-v2", "*"])
def test_allowed(settings: InferenceSettings, allowed: str) -> None:
    made = InferenceService(replace(settings, allowed_models=(allowed,)))
    assert made.infer([text("dog", MINILM.upper())], "update").usage
    assert MINILM in [model.name for model in made.models()]


@pytest.mark.parametrize("name", ["bm25", "hashing/8", "openai/x", "prithivida/splade_pp_en_v1", "nothing"])
def test_not_allowed(settings: InferenceSettings, name: str) -> None:
    made = InferenceService(replace(settings, allowed_models=(MINILM,)))
    with pytest.raises(InferenceError, match=f"Model {name} is not among the models that this server allows"):
        made.infer([text("dog"), text("dog", name)], "update")
    assert [model.name for model in made.models()] == [MINILM]
    assert made.totals() == {}


def test_built_in_models_by_pattern(settings: InferenceSettings) -> None:
    made = InferenceService(replace(settings, allowed_models=("qdrant/bm25", "hashing/*")))
    made.infer([text("dog", "bm25"), text("dog", "Hashing/8")], "update")
    assert [model.name for model in made.models()] == ["qdrant/bm25", "hashing/<dimensions>"]


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("all-minilm-l6-v2", MINILM),
        ("splade-pp-en-v1", "prithivida/Splade_PP_en_v1"),
        ("CLIP-ViT-B-32-text", "Qdrant/clip-ViT-B-32-text"),
    ],
)
def test_short_names(service: InferenceService, short: str, full: str) -> None:
    long, brief = service.describe(full), service.describe(short)
    assert long is not None and long == brief


def test_cut_texts_are_logged(service: InferenceService, caplog: pytest.LogCaptureFixture) -> None:
    long = "dog " * 100
    inputs = [text(long), text("dog cat"), text("cat " * 63)]
    with caplog.at_level(logging.INFO, "qdlite.inference"):
        service.infer(inputs, "update")
    assert caplog.messages == []
    with caplog.at_level(logging.DEBUG, "qdlite.inference"):
        cut = service.infer(inputs, "update")
    assert caplog.messages == [f"{MINILM}: 2 of 3 texts were cut to 64 tokens"]
    assert cut.usage == {MINILM: 64 + 4 + 64}
    np.testing.assert_array_equal(cut.embeddings[0], service.infer([text("dog " * 62)], "update").embeddings[0])


class Held:
    """An embedder whose first batch waits until it is let go."""

    concurrent = False

    def __init__(self) -> None:
        self.started = threading.Event()
        self.free = threading.Event()
        self.embedded: list[Item] = []

    def limits(self, kind: DataKind) -> BatchLimits:
        return BatchLimits(items=1)

    def prepare(self, items: Sequence[Item], kind: DataKind, mode: Mode) -> Prepared:
        return Prepared(items, [1] * len(items))

    def embed(self, items: Sequence[Item], kind: DataKind, mode: Mode) -> list[VectorArray]:
        self.started.set()
        assert self.free.wait(10)
        self.embedded += items
        return [np.zeros(1, dtype=np.float32) for _ in items]


def test_who_waits_leaves_at_once_and_is_not_embedded() -> None:
    embedder = Held()
    lane = Lane("m", embedder, 10)
    first = threading.Thread(target=lane.run, args=(["first"], "text", Call("update")))
    first.start()
    assert embedder.started.wait(10)
    left = Cancellation()
    outcome: list[Exception] = []

    def second() -> None:
        try:
            lane.run(["second"], "text", Call("search", cancellation=left))
        except Cancelled as error:
            outcome.append(error)

    waiting = threading.Thread(target=second)
    waiting.start()
    time.sleep(0.05)
    left.cancel()
    waiting.join(10)
    assert len(outcome) == 1  # while the model is still busy with the first
    embedder.free.set()
    first.join(10)
    assert embedder.embedded == ["first"]


def test_who_runs_batches_stops_after_the_current_one() -> None:
    embedder = Held()
    embedder.free.set()
    lane = Lane("m", embedder, 10)
    left = Cancellation()
    embed = embedder.embed

    def embed_and_leave(items: Sequence[Item], kind: DataKind, mode: Mode) -> list[VectorArray]:
        left.cancel()
        return embed(items, kind, mode)

    embedder.embed = embed_and_leave  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        lane.run(["a", "b", "c"], "text", Call("update", cancellation=left))
    assert len(embedder.embedded) == 1
    assert lane.run(["d"], "text", Call("update"))[1] == 1


def test_cancelled_before_it_starts(service: InferenceService) -> None:
    left = Cancellation()
    left.cancel()
    with pytest.raises(Cancelled):
        service.infer([text("dog")], "search", cancellation=left)


def test_callbacks_of_cancellation() -> None:
    called: list[str] = []
    cancellation = Cancellation()
    with cancellation.calling(lambda: called.append("over")):
        pass
    with cancellation.calling(lambda: called.append("during")):
        cancellation.cancel()
    with cancellation.calling(lambda: called.append("afterwards")):
        assert called == ["during", "afterwards"]
    assert cancellation.cancelled


def test_default_timeout(settings: InferenceSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    made = InferenceService(replace(settings, inference_timeout=1e-9))
    with pytest.raises(Timeout):
        made.infer([text("dog")], "search")
    assert made.infer([text("dog")], "search", timeout=30).usage == {MINILM: 3}


def test_a_model_that_another_request_loads(settings: InferenceSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own class of error, which becomes 503 for Qdrant nodes."""
    from qdlite.errors import ModelLoading
    from qdlite.inference.loaded import LoadedModels

    models = LoadedModels(1, None)
    loading, free = threading.Event(), threading.Event()

    def load() -> Any:
        loading.set()
        free.wait(10)
        return Lane("m", Held(), 1), 1

    def use() -> None:
        with models.use("m", load, Call("search")):
            pass

    thread = threading.Thread(target=use)
    thread.start()
    assert loading.wait(10)
    with pytest.raises(ModelLoading), models.use("m", load, Call.start("search", timeout=0.05)):
        pass
    left = Cancellation()
    threading.Timer(0.05, left.cancel).start()
    with pytest.raises(Cancelled), models.use("m", load, Call("search", cancellation=left)):
        pass
    free.set()
    thread.join(10)


def test_a_very_long_name_is_not_repeated(settings: InferenceSettings) -> None:
    with pytest.raises(InferenceError) as refused:
        InferenceService(settings).infer([text("dog", f"{MINILM}{'x' * 1_000_000}")], "update")
    assert len(str(refused.value)) < 1000


def test_a_timeout_beyond_all_clocks(settings: InferenceSettings) -> None:
    made = InferenceService(settings)
    assert made.infer([text("dog")], "update", timeout=1e15).usage == {MINILM: 3}


def test_a_path_is_no_model(settings: InferenceSettings, tmp_path: Path) -> None:
    with pytest.raises(InferenceError, match="Unknown model"):
        InferenceService(settings).infer([text("dog", str(tmp_path))], "update")
