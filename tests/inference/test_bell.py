"""Waiting for news: whoever is told before it waits does not miss it."""

from __future__ import annotations

import threading
import time

from qdlite.inference.bell import Bell


def waited(bell: Bell, seconds: float) -> float:
    started = time.monotonic()
    bell.wait(seconds)
    return time.monotonic() - started


def test_a_ring_is_kept_for_whoever_waits_next_and_only_once() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    assert waited(bell, 10) < 5
    assert waited(bell, 0.02) >= 0.019


def test_it_wakes_a_thread_that_waits() -> None:
    bell = Bell()
    thread = threading.Thread(target=bell.wait, args=(None,))
    thread.start()
    bell.ring()
    thread.join(10)
    assert not thread.is_alive()


def test_times_without_end_are_as_none() -> None:
    bell = Bell()
    bell.ring()
    bell.wait(1e12)
