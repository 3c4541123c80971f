"""The background builder lets small writes gather, hurries for those who wait, and ends when told to."""

from __future__ import annotations

import threading
from typing import Any

from qdlite.database.builder import IndexBuilder


class Backlog:
    """Stands for a collection: what was written and not yet indexed, and in how many steps it was taken up."""

    def __init__(self) -> None:
        self.waiting = 0
        self.steps: list[int] = []
        self._lock = threading.Lock()

    def write(self) -> None:
        with self._lock:
            self.waiting += 1

    @property
    def has_work(self) -> bool:
        return self.waiting > 0

    def build_step(self, budget: float) -> bool:
        with self._lock:
            self.steps.append(self.waiting)
            self.waiting = 0
        return False


def made() -> tuple[IndexBuilder, Any]:
    backlog: Any = Backlog()
    return IndexBuilder(lambda: [backlog]), backlog


def test_small_writes_are_indexed_together() -> None:
    builder, backlog = made()
    for _ in range(200):
        backlog.write()
        builder.wake(backlog)
    assert builder.wait(30)
    builder.close()
    assert sum(backlog.steps) == 200
    assert len(backlog.steps) < 20


def test_work_that_comes_later_is_taken_up_too() -> None:
    builder, backlog = made()
    for _ in range(5):
        backlog.write()
        builder.wake(backlog)
        assert builder.wait(30)
    builder.close()
    assert sum(backlog.steps) == 5


def test_closing_does_not_wait_for_more_work() -> None:
    builder, backlog = made()
    backlog.write()
    builder.wake(backlog)
    builder.close()
    assert builder._thread is not None and not builder._thread.is_alive()


def test_nothing_to_do_needs_no_thread() -> None:
    builder, backlog = made()
    builder.wake(backlog)
    assert builder.wait(30)
    assert builder._thread is None
    builder.close()
