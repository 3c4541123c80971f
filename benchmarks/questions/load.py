"""How long does loading take, until all calls have returned and until the index is ready, and what memory is held?"""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.questions.subject import Case, Subject
from benchmarks.timing import memory


def ask(subject: Subject) -> Iterator[Case]:
    """Makes the engine's own form of the points as part of loading; reading the data from disk does not count."""
    engine = subject.engine
    engine.create(subject.layout)
    before, began_cpu, calls = memory(), time.process_time(), 0.0
    for chunk in subject.chunks():
        began = time.perf_counter()
        engine.upsert(engine.points(chunk))
        calls += time.perf_counter() - began
    began = time.perf_counter()
    engine.finish()
    rest = time.perf_counter() - began
    points = subject.data.shape.points
    yield "until the calls returned", {"seconds": calls, "points_per_second": points / calls}
    processor = time.process_time() - began_cpu
    yield "until the index is ready", {"seconds": calls + rest, "cpu_seconds": processor}
    after = memory()
    grown = after["resident_mib"] - before["resident_mib"]
    yield "memory after loading", {**after, "grown_mib": grown}
