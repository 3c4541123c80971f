"""How long does a search wait while points are being loaded?"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from benchmarks.data import TOP
from benchmarks.questions.subject import Case, Subject
from benchmarks.timing import Effort, searches

_SHARE_BEFORE = 2
"""The collection is filled to one part in so many before the comparison."""


def ask(subject: Subject) -> Iterator[Case]:
    """Latency with half of the points at rest, then while the other half is loaded and indexed, at rest again."""
    engine, data = subject.engine, subject.data
    queries = [engine.query(vector) for vector in data.queries] * 20
    chunks = list(subject.chunks())
    half = len(chunks) // _SHARE_BEFORE
    engine.create(subject.layout)
    for chunk in chunks[:half]:
        engine.upsert(engine.points(chunk))
    engine.finish()
    effort = Effort(1, subject.effort.seconds)
    yield "idle, half of the points", searches(lambda query: engine.nearest(query, TOP), queries, effort)[1]

    def load() -> None:
        for chunk in chunks[half:]:
            engine.upsert(engine.points(chunk))
        engine.finish()

    loader = threading.Thread(target=load)
    loader.start()
    while_loading = Effort(1, max(10.0, subject.effort.seconds))
    yield "while loading", searches(lambda query: engine.nearest(query, TOP), queries, while_loading)[1]
    loader.join()
    yield "idle, all points", searches(lambda query: engine.nearest(query, TOP), queries, effort)[1]
