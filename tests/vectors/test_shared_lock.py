"""Do readers and writers exclude each other, and does each side get its turn?"""

from __future__ import annotations

import threading
import time

from qdlite.vectors.shared_lock import SharedLock


def test_writers_are_alone_and_nobody_starves() -> None:
    lock = SharedLock()
    inside = {"readers": 0, "writers": 0}
    counting = threading.Lock()
    broken: list[dict[str, int]] = []
    rounds = {"read": 0, "write": 0}
    enough = threading.Event()

    def visit(kind: str, step: int) -> None:
        with counting:
            inside[kind] += step
            if inside["writers"] > 1 or (inside["writers"] and inside["readers"]):
                broken.append(dict(inside))

    def read() -> None:
        while not enough.is_set():
            with lock.shared():
                visit("readers", 1)
                time.sleep(0)
                visit("readers", -1)
            rounds["read"] += 1

    def write() -> None:
        while not enough.is_set():
            with lock.exclusive():
                visit("writers", 1)
                time.sleep(0)
                visit("writers", -1)
            rounds["write"] += 1

    threads = [threading.Thread(target=target) for target in (read, read, read, write, write)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 20
    while min(rounds.values()) < 100 and time.monotonic() < deadline:
        time.sleep(0.01)
    enough.set()
    for thread in threads:
        thread.join(10)
    assert not broken
    assert min(rounds.values()) >= 100


def test_a_reader_waits_for_one_writer_only() -> None:
    """A writer that comes back at once must let those in who waited for it."""
    lock = SharedLock()
    order: list[str] = []
    holding, reader_is_queued = threading.Event(), threading.Event()

    def write_twice() -> None:
        for number in range(2):
            with lock.exclusive():
                holding.set()
                reader_is_queued.wait(10)
                time.sleep(0.05)
                order.append(f"write {number}")

    def read() -> None:
        holding.wait(10)
        reader_is_queued.set()
        with lock.shared():
            order.append("read")

    threads = [threading.Thread(target=write_twice), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert order == ["write 0", "read", "write 1"]
