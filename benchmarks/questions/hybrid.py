"""How fast is hybrid search: 100 dense and 100 sparse candidates, fused by reciprocal ranks?"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.data import TOP
from benchmarks.questions.subject import Case, Subject
from benchmarks.timing import searches, side_by_side


def ask(subject: Subject) -> Iterator[Case]:
    engine, data = subject.engine, subject.data
    vectors = [engine.query(vector) for vector in data.queries]
    for name, queries in data.sparse().queries.items():
        terms = [engine.terms(*query) for query in zip(queries.indices, queries.values, strict=True)]
        pairs = list(zip(vectors, terms, strict=True))
        yield name, searches(lambda pair: engine.hybrid(pair[0], pair[1], TOP), pairs, subject.effort)[1]
        yield (
            f"{name}, two threads",
            side_by_side(lambda pair: engine.hybrid(pair[0], pair[1], TOP), pairs, 2, subject.effort),
        )
