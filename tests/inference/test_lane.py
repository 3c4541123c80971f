"""Sharing of one model: batches, order, priority of queries, limits, errors."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from qdlite.errors import Cancelled, InferenceError, RateLimited, Timeout
from qdlite.inference.cancellation import Cancellation
from qdlite.inference.embedders.base import BatchLimits, Item, Prepared
from qdlite.inference.inputs import Call, DataKind, Mode
from qdlite.inference.lane import Lane
from qdlite.types import VectorArray

Result = tuple[list[VectorArray], int]


class Recorder:
    """An embedder that gives the length of each text, records its batches and waits where told to."""

    concurrent = False

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self.seen: list[tuple[Mode, list[str]]] = []
        self.started = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def limits(self, kind: DataKind) -> BatchLimits:
        return self._limits

    def prepare(self, items: Sequence[Item], kind: DataKind, mode: Mode) -> Prepared:
        return Prepared(items, [len(item) for item in items])

    def embed(self, items: Sequence[Item], kind: DataKind, mode: Mode) -> list[VectorArray]:
        self.seen.append((mode, list(items)))
        self.started.set()
        assert self.go_on.wait(10)
        if "bad" in items:
            raise ValueError("cannot embed bad")
        return [np.array([len(item)], dtype=np.float32) for item in items]


def in_thread(
    lane: Lane, items: list[str], mode: Mode, results: dict[str, Result | Exception], call: Call | None = None
) -> threading.Thread:
    def run() -> None:
        try:
            results[items[0]] = lane.run(items, "text", call or Call(mode))
        except Exception as error:
            results[items[0]] = error

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_for_jobs(lane: Lane, count: int) -> None:
    for _ in range(10_000):
        if len(lane._jobs) >= count:
            return
        threading.Event().wait(0.001)
    raise AssertionError("the jobs did not arrive")


def test_order_is_restored() -> None:
    lane = Lane("m", Recorder(BatchLimits(items=2)), 10)
    texts = ["aaa", "b", "cccccc", "dd", "e"]
    embedded = lane.run(texts, "text", Call("update"))
    assert [float(vector[0]) for vector in embedded[0]] == [3, 1, 6, 2, 1]
    assert embedded[1] == 13


def test_concurrent_queries_share_a_batch_and_overtake_updates() -> None:
    embedder = Recorder(BatchLimits(items=3))
    lane = Lane("m", embedder, 100)
    results: dict[str, Result | Exception] = {}
    embedder.go_on.clear()
    threads = [in_thread(lane, ["first", "1234", "123"] + ["12"] * 3, "update", results)]
    assert embedder.started.wait(10)
    threads += [in_thread(lane, [text], "search", results) for text in ("q1", "q2")]
    wait_for_jobs(lane, 3)
    embedder.go_on.set()
    for thread in threads:
        thread.join(10)
    assert [(mode, sorted(items)) for mode, items in embedder.seen] == [
        ("update", ["123", "1234", "first"]),
        ("search", ["q1", "q2"]),
        ("update", ["12", "12", "12"]),
    ]
    assert len(results) == 3


def test_a_lone_query_runs_in_its_own_thread() -> None:
    class Own(Recorder):
        def embed(self, items: Sequence[Item], kind: DataKind, mode: Mode) -> list[VectorArray]:
            threads.append(threading.get_ident())
            return super().embed(items, kind, mode)

    threads: list[int] = []
    Lane("m", Own(BatchLimits()), 10).run(["a"], "text", Call("search"))
    assert threads == [threading.get_ident()]


def test_the_oldest_query_runs_next_with_those_of_its_length() -> None:
    embedder = Recorder(BatchLimits(overhead=2))
    lane = Lane("m", embedder, 100)
    results: dict[str, Result | Exception] = {}
    embedder.go_on.clear()
    threads = [in_thread(lane, ["first"], "search", results)]
    assert embedder.started.wait(10)
    for text in ("short", "a long one", "brief", "another one", "a third one", "tiny"):
        threads.append(in_thread(lane, [text], "search", results))
        wait_for_jobs(lane, len(threads))
    embedder.go_on.set()
    for thread in threads:
        thread.join(10)
    assert [sorted(items) for _, items in embedder.seen] == [
        ["first"],
        ["brief", "short", "tiny"],
        ["a long one", "a third one", "another one"],
    ]


@pytest.mark.parametrize("leaves", ["late", "cancelled"])
def test_whoever_leaves_while_waiting_holds_nobody_up(leaves: str) -> None:
    embedder = Recorder(BatchLimits(items=1))
    lane = Lane("m", embedder, 100)
    results: dict[str, Result | Exception] = {}
    embedder.go_on.clear()
    threads = [in_thread(lane, ["first"], "search", results)]
    assert embedder.started.wait(10)
    cancellation = Cancellation()
    call = Call.start("search", timeout=0.5 if leaves == "late" else None, cancellation=cancellation)
    leaving = in_thread(lane, ["left"], "search", results, call)
    wait_for_jobs(lane, 2)
    threads += [in_thread(lane, [text], "search", results) for text in ("second", "third")]
    wait_for_jobs(lane, 4)
    if leaves == "cancelled":
        cancellation.cancel()
    leaving.join(10)
    assert isinstance(results["left"], (Timeout, Cancelled))
    embedder.go_on.set()
    for thread in threads:
        thread.join(10)
    assert sorted(items for _, items in embedder.seen) == [["first"], ["second"], ["third"]]


def test_updates_are_not_starved_by_queries() -> None:
    embedder = Recorder(BatchLimits(items=1))
    lane = Lane("m", embedder, 100)
    results: dict[str, Result | Exception] = {}
    embedder.go_on.clear()
    threads = [in_thread(lane, ["first"], "search", results)]
    assert embedder.started.wait(10)
    threads += [in_thread(lane, [f"u{n}"], "update", results) for n in range(2)]
    threads += [in_thread(lane, [f"q{n}"], "search", results) for n in range(20)]
    wait_for_jobs(lane, 23)
    embedder.go_on.set()
    for thread in threads:
        thread.join(10)
    assert [at for at, (mode, _) in enumerate(embedder.seen) if mode == "update"] == [8, 16]


def test_uneven_inputs_of_different_requests_stay_apart() -> None:
    embedder = Recorder(BatchLimits(items=9, even=True))
    lane = Lane("m", embedder, 100)
    results: dict[str, Result | Exception] = {}
    embedder.go_on.clear()
    threads = [in_thread(lane, ["first"], "search", results)]
    assert embedder.started.wait(10)
    threads += [in_thread(lane, [text], "search", results) for text in ("aa", "bb", "ccc")]
    wait_for_jobs(lane, 4)
    embedder.go_on.set()
    for thread in threads:
        thread.join(10)
    assert all(len({len(item) for item in items}) == 1 for _, items in embedder.seen)


def test_an_input_that_fails_fails_only_its_own_request() -> None:
    embedder = Recorder(BatchLimits())
    lane = Lane("m", embedder, 100)
    results: dict[str, Result | Exception] = {}
    embedder.go_on.clear()
    threads = [in_thread(lane, ["first"], "search", results)]
    assert embedder.started.wait(10)
    threads += [in_thread(lane, [text], "search", results) for text in ("good", "bad")]
    wait_for_jobs(lane, 3)
    embedder.go_on.set()
    for thread in threads:
        thread.join(10)
    assert isinstance(results["good"], tuple)
    assert isinstance(results["bad"], InferenceError)
    assert str(results["bad"]) == "Model m failed: cannot embed bad"


def test_too_many_waiting() -> None:
    embedder = Recorder(BatchLimits(items=1))
    lane = Lane("m", embedder, max_waiting=3)
    results: dict[str, Result | Exception] = {}
    embedder.go_on.clear()
    threads = [in_thread(lane, ["a", "b", "c", "d", "e", "f"], "update", results)]  # alone: any size
    assert embedder.started.wait(10)
    with pytest.raises(RateLimited) as refused:
        lane.run(["g"], "text", Call("search"))
    assert refused.value.retry_after is not None and refused.value.retry_after >= 1
    embedder.go_on.set()
    threads[0].join(10)
    assert lane.run(["g"], "text", Call("search"))[1] == 1


def test_timeout_while_another_request_runs() -> None:
    embedder = Recorder(BatchLimits(items=1))
    lane = Lane("m", embedder, 10)
    results: dict[str, Result | Exception] = {}
    embedder.go_on.clear()
    thread = in_thread(lane, ["a"], "update", results)
    assert embedder.started.wait(10)
    with pytest.raises(Timeout):
        lane.run(["late"], "text", Call.start("search", timeout=0.02))
    embedder.go_on.set()
    thread.join(10)
    assert isinstance(results["a"], tuple)
    assert [items for _, items in embedder.seen] == [["a"]]  # what timed out was withdrawn
    assert lane._waiting == 0


def test_wrong_number_of_vectors_is_noticed() -> None:
    class Short(Recorder):
        def embed(self, items: Sequence[Item], kind: DataKind, mode: Mode) -> list[VectorArray]:
            return super().embed(items, kind, mode)[1:]

    with pytest.raises(Exception, match="gave 1 vectors for 2 inputs"):
        Lane("m", Short(BatchLimits()), 10).run(["a", "b"], "text", Call("update"))


def test_many_threads() -> None:
    lane = Lane("m", Recorder(BatchLimits(items=5)), 10_000)
    results: dict[str, Result | Exception] = {}
    texts = [["x" * (1 + number % 7) + str(number), "y" * (number % 5 + 1)] for number in range(60)]
    threads = [in_thread(lane, items, "search" if len(items[0]) % 2 else "update", results) for items in texts]
    for thread in threads:
        thread.join(20)
    for items in texts:
        embedded = results[items[0]]
        assert isinstance(embedded, tuple)
        assert [float(vector[0]) for vector in embedded[0]] == [len(item) for item in items]
