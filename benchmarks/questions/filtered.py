"""How fast is dense search under a filter, broad or narrow, independent of the vectors or tied to them?

Each filter has been asked a few times before it is measured, and the engine had the time to finish what that made it
index in the background; the last case shows what a filter costs that has never been asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.data import TOP, Condition, Filtered
from benchmarks.questions.subject import RECALL, Case, Subject, recall
from benchmarks.timing import Metrics, searches

_ASKED_BEFORE = 16


def ask(subject: Subject) -> Iterator[Case]:
    """At the narrowest width of the graph search that reaches the recall, for each filter."""
    queries = [subject.engine.query(vector) for vector in subject.data.queries]
    for name, filtered in subject.data.filtered().items():
        yield name, _narrowest(subject, queries, filtered)
    yield "price range 10.0%, never the same", _fresh(subject, queries)


def _narrowest(subject: Subject, queries: list[object], filtered: Filtered) -> Metrics:
    engine, condition = subject.engine, subject.engine.condition(filtered.condition)
    metrics: Metrics = {}
    for query in queries[:_ASKED_BEFORE]:
        engine.nearest(query, top=TOP, ef=engine.efs[0], condition=condition)
    engine.settle()
    for ef in engine.efs:
        ask = partial(engine.nearest, top=TOP, ef=ef, condition=condition)
        answers, metrics = searches(ask, queries, subject.effort)
        metrics |= {"recall": recall(answers, filtered.truth), "ef": ef, "share": filtered.share}
        if metrics["recall"] >= RECALL:
            break
    return metrics


def _fresh(subject: Subject, queries: list[object]) -> Metrics:
    """Every query brings another filter, so that nothing kept from earlier filters helps."""
    engine = subject.engine
    count = len(queries) * (subject.effort.passes + 1)
    starts = [round(900.0 * number / count, 6) for number in range(count)]
    fresh = iter([engine.condition(Condition("price", gte=start, lt=start + 100.0)) for start in starts])
    return searches(lambda query: engine.nearest(query, TOP, ef=64, condition=next(fresh)), queries, subject.effort)[1]
