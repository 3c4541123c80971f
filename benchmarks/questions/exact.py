"""How fast is exact search, that compares the query with every vector?"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.data import TOP
from benchmarks.questions.subject import Case, Subject, recall
from benchmarks.timing import searches, side_by_side


def ask(subject: Subject) -> Iterator[Case]:
    engine, data = subject.engine, subject.data
    queries = [engine.query(vector) for vector in data.queries]
    answers, metrics = searches(lambda query: engine.nearest(query, TOP, exact=True), queries, subject.effort)
    points = f"{data.shape.points // 1000}k"
    yield points, {**metrics, "recall": recall(answers, data.truth)}
    both = side_by_side(lambda query: engine.nearest(query, TOP, exact=True), queries, 2, subject.effort)
    yield f"{points}, two threads", both
