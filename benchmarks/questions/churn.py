"""Do deletes and rewrites leave a lasting mark on speed or recall?"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.data import TOP, best_positions
from benchmarks.engines.base import Chunk
from benchmarks.questions.subject import Case, Subject, recall
from benchmarks.sparse_data import Integers
from benchmarks.timing import Metrics, memory, searches

_ROUNDS = 10
_ONE_IN = 5
_EF = 64


def ask(subject: Subject) -> Iterator[Case]:
    """A fresh build of the first 80 % of the data; then rounds that delete a fifth of the points and store others in
    their place, half of them under ids used before; last a fresh build of what is then held, to compare with."""
    engine, data = subject.engine, subject.data
    count = data.shape.points * 4 // 5
    held = np.arange(count)
    rng = np.random.default_rng(5)
    engine.create(subject.layout)
    for chunk in subject.chunks(count):
        engine.upsert(engine.points(chunk))
    engine.finish()
    yield "fresh", _searched(subject, held)
    for number in range(1, _ROUNDS + 1):
        began = time.perf_counter()
        held = _replaced(subject, held, rng)
        engine.finish()
        seconds = time.perf_counter() - began
        if number in (1, 5, _ROUNDS):
            yield f"after round {number}", {**_searched(subject, held), "seconds": seconds}
    yield "fresh build of the same points", _searched(_rebuilt(subject, held), held)


def _replaced(subject: Subject, held: Integers, rng: np.random.Generator) -> Integers:
    """`held` says which row of the data each id holds (-1: none); returns it after a fifth was replaced."""
    engine, held = subject.engine, held.copy()
    live = np.flatnonzero(held >= 0)
    chosen = rng.choice(live, len(live) // _ONE_IN, replace=False)
    unused = np.setdiff1d(np.arange(subject.data.shape.points), held)
    rows = rng.permutation(unused)[: len(chosen)]
    old, gone = chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]
    engine.delete(gone.tolist())
    fresh = np.arange(len(held), len(held) + len(gone))
    held[gone] = -1
    held = np.concatenate([held, np.full(len(fresh), -1)])
    ids = np.concatenate([old, fresh])
    held[ids[: len(rows)]] = rows
    _store(subject, ids[: len(rows)], rows)
    return held


def _store(subject: Subject, ids: Integers, rows: Integers) -> None:
    """Rows of the data under the given ids."""
    engine = subject.engine
    vectors = subject.data.vectors(0, subject.data.shape.points)
    for start in range(0, len(rows), engine.batch):
        part = rows[start : start + engine.batch]
        payloads = [subject.data.payload(int(row)) for row in part]
        engine.upsert(engine.points(Chunk(ids[start : start + len(part)].tolist(), vectors[part], payloads)))


def _rebuilt(subject: Subject, held: Integers) -> Subject:
    """Another collection of the same engine with the points that are held; the old one is given up."""
    subject.engine.close()
    folder = Path(subject.engine.folder) / "rebuilt"
    folder.mkdir()
    rebuilt = dataclasses.replace(subject, engine=type(subject.engine)(str(folder)))
    rebuilt.engine.create(subject.layout)
    ids = np.flatnonzero(held >= 0)
    _store(rebuilt, ids, held[ids])
    rebuilt.engine.finish()
    return rebuilt


def _searched(subject: Subject, held: Integers) -> Metrics:
    engine, data = subject.engine, subject.data
    ids = np.flatnonzero(held >= 0)
    vectors = data.vectors(0, data.shape.points)[held[ids]]
    truth = ids[best_positions(data.queries @ vectors.T)]
    queries = [engine.query(vector) for vector in data.queries]
    answers, metrics = searches(lambda query: engine.nearest(query, TOP, ef=_EF), queries, subject.effort)
    return {**metrics, "recall": recall(answers, truth), "resident_mib": memory()["resident_mib"]}
