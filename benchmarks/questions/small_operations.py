"""How long do small operations take, on a collection that is loaded?"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress

from benchmarks.engines.base import Chunk, NotOffered
from benchmarks.questions.subject import Case, Subject
from benchmarks.timing import Metrics, repeated

_REPEATS = 300


def ask(subject: Subject) -> Iterator[Case]:
    """Reads first, then writes; the filter holds for 10 % of the points and is the same at every call."""
    for name, measure in _OPERATIONS.items():
        with suppress(NotOffered):
            yield name, measure(subject)


def _ids(subject: Subject) -> list[int]:
    return random.Random(3).sample(range(subject.data.shape.points), _REPEATS)


def _retrieve(subject: Subject) -> Metrics:
    ids = _ids(subject)
    return repeated(lambda number: subject.engine.retrieve(ids[number]), _REPEATS)


def _scroll(subject: Subject) -> Metrics:
    condition = subject.engine.condition(subject.data.filtered()["category 10.0%"].condition)
    return repeated(lambda number: subject.engine.scroll(condition, 100), _REPEATS)


def _count(subject: Subject) -> Metrics:
    condition = subject.engine.condition(subject.data.filtered()["category 10.0%"].condition)
    return repeated(lambda number: subject.engine.count(condition), _REPEATS)


def _count_range(subject: Subject) -> Metrics:
    condition = subject.engine.condition(subject.data.filtered()["price range 10.0%"].condition)
    return repeated(lambda number: subject.engine.count(condition), _REPEATS)


def _set_payload(subject: Subject) -> Metrics:
    ids = _ids(subject)
    return repeated(lambda number: subject.engine.set_payload(ids[number], {"ts": number}), _REPEATS)


def _upsert(subject: Subject, ids: list[int]) -> Metrics:
    engine, data = subject.engine, subject.data
    points = []
    for number in range(_REPEATS):
        vectors = data.queries[number % len(data.queries)][None, :]
        points.append(engine.points(Chunk([ids[number]], vectors, [data.payload(number)])))
    return repeated(lambda number: engine.upsert(points[number]), _REPEATS)


def _upsert_new(subject: Subject) -> Metrics:
    first = subject.data.shape.points
    return _upsert(subject, list(range(first, first + _REPEATS)))


def _delete(subject: Subject) -> Metrics:
    ids = _ids(subject)
    return repeated(lambda number: subject.engine.delete([ids[number]]), _REPEATS)


_OPERATIONS: dict[str, Callable[[Subject], Metrics]] = {
    "retrieve one": _retrieve,
    "scroll 100 with a filter": _scroll,
    "count with a filter": _count,
    "count with a range": _count_range,
    "set payload of one": _set_payload,
    "upsert one, new": _upsert_new,
    "upsert one, existing": lambda subject: _upsert(subject, _ids(subject)),
    "delete one": _delete,
}
