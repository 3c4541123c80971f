"""How fast is dense search at recall 0.99, with one client thread and with two?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.data import TOP
from benchmarks.questions.subject import RECALL, Case, Subject, recall
from benchmarks.timing import searches, side_by_side


def ask(subject: Subject) -> Iterator[Case]:
    """Each width of the graph search, then the narrowest that reaches the recall, under the name of the question."""
    engine, data = subject.engine, subject.data
    queries = [engine.query(vector) for vector in data.queries]
    wanted: Case | None = None
    for ef in engine.efs:
        answers, metrics = searches(partial(engine.nearest, top=TOP, ef=ef), queries, subject.effort)
        metrics["recall"], metrics["ef"] = recall(answers, data.truth), ef
        yield f"ef {ef}", metrics
        if wanted is None or wanted[1]["recall"] < RECALL:
            wanted = "one thread", metrics
        if metrics["recall"] >= RECALL:
            break
    if wanted is not None:
        yield wanted
        ef = int(wanted[1]["ef"])
        both = side_by_side(lambda query: engine.nearest(query, TOP, ef=ef), queries, 2, subject.effort)
        yield "two threads", {**both, "ef": ef, "recall": wanted[1]["recall"]}
