"""Several batches at once: when, by which embedder, and what happens when that cannot be had."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qdlite.errors import InferenceError
from qdlite.inference import InferenceInput, InferenceService, InferenceSettings
from qdlite.inference.crowd import Crowd
from qdlite.inference.embedders.base import BatchLimits, Embedder, Item, Prepared
from qdlite.inference.inputs import Call, DataKind, Mode
from qdlite.inference.lane import Lane, Part
from qdlite.inference.local import _Variant
from qdlite.types import VectorArray

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


class Counter:
    """Gives the length of each text; counts its batches, and how many of them run at once."""

    concurrent = True

    def __init__(self, scale: float = 1.0, meeting: int = 1) -> None:
        self.seen: list[list[str]] = []
        self.most = 0
        self._scale = scale
        self._running = 0
        self._lock = threading.Lock()
        self._together = threading.Barrier(meeting)
        """Batches that must run at once."""
        self.go_on = threading.Event()
        self.go_on.set()

    def limits(self, kind: DataKind) -> BatchLimits:
        return BatchLimits(items=1)

    def prepare(self, items: Sequence[Item], kind: DataKind, mode: Mode) -> Prepared:
        return Prepared(items, [len(item) for item in items])

    def embed(self, items: Sequence[Item], kind: DataKind, mode: Mode) -> list[VectorArray]:
        if len(items) > 1:  # whether embedders agree is asked for several texts at once
            return [np.array([len(item) * self._scale], dtype=np.float32) for item in items]
        with self._lock:
            self.seen.append(list(items))
            self._running += 1
            self.most = max(self.most, self._running)
        self._together.wait(10)
        assert self.go_on.wait(10)
        time.sleep(0.001)  # in which others come
        with self._lock:
            self._running -= 1
        if items == ["bad"]:
            raise ValueError("cannot embed bad")
        return [np.array([len(item)], dtype=np.float32) for item in items]


def gathered(size: int, model: Embedder, load: Callable[[], Embedder]) -> Crowd:
    crowd = Crowd(size, model, load)
    crowd.gather()
    assert crowd._loading is not None
    crowd._loading.join(10)
    return crowd


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if true():
            return
        time.sleep(0.001)
    raise AssertionError("it did not happen")


def lengths(lane: Lane, requests: Sequence[list[str]]) -> list[list[float]]:
    """What requests get that come at the same time."""

    def run(texts: list[str]) -> list[float]:
        start.wait(10)
        return [float(np.asarray(vector)[0]) for vector in lane.run(texts, "text", Call("search"))[0]]

    start = threading.Barrier(len(requests))
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(run, requests))


def test_a_lone_request_has_all_threads() -> None:
    model, single = Counter(), Counter()
    lane = Lane("m", model, 10, gathered(2, model, lambda: single))
    lane.run(["a", "bb"], "text", Call("search"))
    assert (model.seen, single.seen) == ([["bb"], ["a"]], [])


def test_batches_of_a_crowd_run_at_once() -> None:
    model, single = Counter(), Counter(meeting=2)
    lane = Lane("m", model, 100, gathered(2, model, lambda: single))
    model.go_on.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(lane.run, ["first"], "text", Call("search"))
        wait_until(lambda: bool(model.seen))
        others = [pool.submit(lane.run, [text], "text", Call("search")) for text in ("a", "b")]
        wait_until(lambda: len(lane._jobs) == 3)
        model.go_on.set()  # one of the others runs since it came, and meets the second when the first is done
        assert [one.result(10)[1] for one in (first, *others)] == [5, 1, 1]
    assert single.most == 2
    assert lane._running == 0


def test_batches_of_a_crowd_keep_the_limits_of_the_model_for_one_thread() -> None:
    class Roomy(Counter):
        def limits(self, kind: DataKind) -> BatchLimits:
            return BatchLimits(items=2)

    model, single = Counter(), Roomy()
    lane = Lane("m", model, 100, gathered(2, model, lambda: single))
    model.go_on.clear()
    sizes: list[int] = []
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(lane.run, ["first"], "text", Call("search"))
        wait_until(lambda: bool(model.seen))
        single.go_on.clear()
        others = [pool.submit(lane.run, [text], "text", Call("search")) for text in "abcd"]
        wait_until(lambda: len(lane._jobs) == 5)
        take = lane._take

        def noted(embedder: Embedder) -> list[Part]:
            parts = take(embedder)
            sizes.append(len(parts))
            return parts

        lane._take = noted  # type: ignore[method-assign]
        single.go_on.set()
        model.go_on.set()
        assert [one.result(10)[1] for one in (first, *others)] == [5, 1, 1, 1, 1]
    assert max(sizes) == 2


def test_many_requests_and_one_that_fails() -> None:
    model, single = Counter(), Counter()
    lane = Lane("m", model, 10_000, gathered(3, model, lambda: single))
    requests = [["x" * (1 + number % 7)] * (1 + number % 4) for number in range(60)]
    assert lengths(lane, requests) == [[float(len(text)) for text in texts] for texts in requests]
    assert single.most <= 3
    assert single.seen
    with pytest.raises(InferenceError, match="cannot embed bad"):
        lengths(lane, [["good"], ["bad"], ["fine"]])
    assert lane._running == 0
    assert not lane._jobs
    assert lane._waiting == 0


def test_the_first_crowd_makes_the_second_model_load() -> None:
    model, single = Counter(meeting=1), Counter()
    crowd = Crowd(2, model, lambda: single)
    lane = Lane("m", model, 10, crowd)
    lane.run(["a"], "text", Call("search"))
    assert crowd._loading is None
    model.go_on.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(lane.run, ["b"], "text", Call("search"))
        wait_until(lambda: len(model.seen) == 2)
        second = pool.submit(lane.run, ["c"], "text", Call("search"))
        wait_until(lambda: crowd.embedder is single)
        model.go_on.set()
        assert (first.result(10)[1], second.result(10)[1]) == (1, 1)


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (lambda: Counter(scale=1.0001), "One thread gives other vectors than several"),
        (lambda: (_ for _ in ()).throw(MemoryError("no room")), "loading the model for one thread failed: no room"),
    ],
)
def test_without_a_second_model_batches_run_one_by_one(
    load: Callable[[], Any], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    model = Counter()
    with caplog.at_level(logging.INFO, "qdlite.inference"):
        lane = Lane("m", model, 1000, gathered(2, model, load))
    assert message in caplog.text
    assert lengths(lane, [["a", "bb"], ["ccc"], ["d"]]) == [[1, 2], [3], [1]]
    assert model.most == 1


def test_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    class NoMore(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    crowd = Crowd(1, Counter(), Counter)
    lane = Lane("m", Counter(), 10, crowd)
    monkeypatch.setattr(threading, "Thread", NoMore)
    assert lane.run(["a"], "text", Call("search"))[1] == 1
    assert "can't start new thread" in caplog.text


@pytest.mark.parametrize(
    ("changes", "model", "beside"),
    [
        ({}, MINILM, True),
        ({"threads": 1}, MINILM, False),
        ({"max_model_bytes": 1}, MINILM, False),  # twice the model is more than may be in memory
        ({}, "colbert-ir/colbertv2.0", False),
    ],
)
def test_which_models_may_be_in_memory_twice(
    tiny_models: Path, tmp_path: Path, changes: dict[str, Any], model: str, beside: bool
) -> None:
    settings = InferenceSettings(models_dirs=(tiny_models,), offline=True, threads=2, cache_dir=tmp_path)
    service = InferenceService(replace(settings, **changes))
    local = service._local
    card = local._catalogue.find(model, "text")
    lane, _ = local._load(_Variant(card, ()))
    assert (lane._crowd is not None) is beside


def test_a_crowd_gets_the_vectors_that_a_lone_request_gets(tiny_models: Path, tmp_path: Path) -> None:
    settings = InferenceSettings(models_dirs=(tiny_models,), offline=True, threads=2, cache_dir=tmp_path)
    service = InferenceService(settings)
    texts = [" ".join(["dog", "bakes", "cookies"][: 1 + at % 3] * (1 + at % 5)) for at in range(120)]

    def vector(text: str) -> VectorArray:
        return service.infer([InferenceInput(text, "text", MINILM)], "search").embeddings[0]

    alone = [vector(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            for one, other in zip(alone, pool.map(vector, texts), strict=True):
                np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    service.close()
