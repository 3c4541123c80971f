"""How does the cost of loading, indexing and searching grow with the number of points?"""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.data import TOP
from benchmarks.questions.subject import Case, Subject, recall
from benchmarks.timing import memory, searches

_EF = 64


def ask(subject: Subject) -> Iterator[Case]:
    """One size; the case is named after the number of points."""
    engine, data = subject.engine, subject.data
    engine.create(subject.layout)
    began_cpu, calls = time.process_time(), 0.0
    for chunk in subject.chunks():
        began = time.perf_counter()
        engine.upsert(engine.points(chunk))
        calls += time.perf_counter() - began
    began = time.perf_counter()
    engine.finish()
    index, processor = time.perf_counter() - began, time.process_time() - began_cpu
    queries = [engine.query(vector) for vector in data.queries]
    answers, metrics = searches(lambda query: engine.nearest(query, TOP, ef=_EF), queries, subject.effort)
    filtered = data.filtered()["category 10.0%"]
    condition = engine.condition(filtered.condition)
    _, under_filter = searches(
        lambda query: engine.nearest(query, TOP, ef=_EF, condition=condition), queries, subject.effort
    )
    yield (
        str(data.shape.points),
        {
            **metrics,
            "points": data.shape.points,
            "recall": recall(answers, data.truth),
            "load_seconds": calls,
            "index_seconds": index,
            "build_cpu_seconds": processor,
            "filtered_us": under_filter["p50_us"],
            "resident_mib": memory()["resident_mib"],
        },
    )
