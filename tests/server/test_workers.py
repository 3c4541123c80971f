"""How many threads work, and are they all used again?"""

from __future__ import annotations

import threading
from queue import SimpleQueue

from qdlite_server.endpoint import Answer
from qdlite_server.workers import Workers

LIMIT = 3


def names(workers: Workers, count: int, together: int) -> list[str]:
    """The threads that worked on `count` requests, of which `together` at a time are there."""
    meeting = threading.Barrier(min(together, LIMIT), timeout=10)
    answers: SimpleQueue[Answer] = SimpleQueue()

    def work() -> Answer:
        meeting.wait()
        return Answer(200, threading.current_thread().name.encode())

    found = []
    for _ in range(0, count, together):
        for _ in range(together):
            workers.submit(work, answers.put)
        found += [answers.get(timeout=10).body.decode() for _ in range(together)]
    return found


def test_one_thread_is_enough_for_one_request_at_a_time() -> None:
    workers = Workers(LIMIT, "w")
    assert set(names(workers, 50, 1)) == {"w-1"}
    workers.close()


def test_as_many_threads_as_requests_up_to_the_limit() -> None:
    workers = Workers(LIMIT, "w")
    assert sorted(names(workers, 2, 2)) == ["w-1", "w-2"]
    assert set(names(workers, 60, 6)) == {"w-1", "w-2", "w-3"}
    assert workers.unfinished == 0
    workers.close()


def test_threads_end() -> None:
    workers = Workers(LIMIT, "ending")
    names(workers, 3, 3)
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("ending-")]
    assert len(threads) == LIMIT
    workers.close()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)


def test_a_request_that_waits_is_counted() -> None:
    workers = Workers(1, "w")
    free, delivered = threading.Event(), threading.Semaphore(0)

    def work() -> Answer:
        free.wait(10)
        return Answer(200)

    def deliver(answer: Answer) -> None:
        delivered.release()

    workers.submit(work, deliver)
    workers.submit(work, deliver)
    assert workers.unfinished == 2
    free.set()
    assert delivered.acquire(timeout=10)
    assert delivered.acquire(timeout=10)
    assert workers.unfinished == 0
    workers.close()
