"""How fast is sparse search, with few and with many terms?"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.data import TOP
from benchmarks.questions.subject import Case, Subject
from benchmarks.sparse_data import SparseData, SparseQueries
from benchmarks.timing import searches, side_by_side

_TOLERANCE = 1e-4


def ask(subject: Subject) -> Iterator[Case]:
    engine, documents = subject.engine, subject.data.sparse()
    for name, queries in documents.queries.items():
        given = [engine.terms(*query) for query in zip(queries.indices, queries.values, strict=True)]
        answers, metrics = searches(lambda terms: engine.sparse(terms, TOP), given, subject.effort)
        yield name, {**metrics, "recall": _recall(answers, documents, queries)}
        yield f"{name}, two threads", side_by_side(lambda terms: engine.sparse(terms, TOP), given, 2, subject.effort)


def _recall(answers: list[list[int]], documents: SparseData, queries: SparseQueries) -> float:
    """Share of the answers that score as well as the tenth best document: equal scores count as found."""
    good = total = 0
    for number, answer in list(enumerate(answers))[::10]:
        indices, values = queries.indices[number], queries.values[number]
        scores = [documents.score(row, indices, values) for row in answer]
        good += sum(score >= queries.worst[number] - _TOLERANCE for score in scores)
        total += TOP
    return good / total
