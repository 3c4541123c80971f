"""How do concurrent requests share one model?

Requests put their inputs into the model's lane. Whoever finds the model idle runs the next batch, for whomever it
is; so a lone query starts at once, without a worker thread or a waiting time, and inputs that arrive while the
model is busy travel in the next batches: the oldest input each time, with those that fit it best. Queries go before
inputs of updates, of which every eighth batch at least is one. A crowd of requests may run several batches at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from qdlite.errors import InferenceError, QdliteError, RateLimited, ServiceError
from qdlite.inference.batches import Shape, batches
from qdlite.inference.bell import Bell
from qdlite.inference.crowd import Crowd
from qdlite.inference.embedders.base import BatchLimits, Embedder, Item, Prepared
from qdlite.inference.inputs import Call, DataKind, Mode
from qdlite.types import VectorArray

_OVERTAKING = 7
"""Batches of queries that may run in turn while inputs of updates wait."""
_CHOICE = 64
"""Parts, the oldest ones, among which the next batch is chosen; more would cost time and fit hardly better."""


class Job:
    """The inputs of one request, cut into batches of similar length, longest inputs first."""

    def __init__(self, prepared: Prepared, kind: DataKind, mode: Mode, limits: BatchLimits) -> None:
        self.items, self.sizes = prepared
        self.kind: DataKind = kind
        self.mode: Mode = mode
        self.batches = batches([Shape(1, size) for size in self.sizes], limits)
        self.vectors: dict[int, VectorArray] = {}
        self.error: Exception | None = None
        self.news = Bell()
        self.waits = False
        """Whether its thread waits for news and has not been told any, so that it could run a batch when told."""

    @property
    def done(self) -> bool:
        return self.error is not None or len(self.vectors) == len(self.items)

    @property
    def waiting(self) -> int:
        """The number of its inputs that no batch has taken."""
        return sum(map(len, self.batches))

    def tell(self) -> None:
        """Wakes its thread; called under the lane's lock."""
        self.waits = False
        self.news.ring()


class Part(NamedTuple):
    """Inputs of one job that run in one batch, longest first."""

    job: Job
    positions: list[int]

    @property
    def shape(self) -> Shape:
        return Shape(len(self.positions), self.job.sizes[self.positions[0]])


class Lane:
    """The queue of one loaded model; `max_waiting` inputs at most wait behind others. Without `crowd` one batch runs
    after the other."""

    def __init__(self, name: str, embedder: Embedder, max_waiting: int, crowd: Crowd | None = None) -> None:
        self._name = name
        self._embedder = embedder
        self._max_waiting = max_waiting
        self._crowd = crowd
        self._lock = threading.Lock()
        self._jobs: dict[Job, None] = {}
        """The requests that are here and not done, oldest first."""
        self._waiting = 0
        """The number of their inputs that no batch has taken."""
        self._running = 0
        """The number of batches that run now."""
        self._speed = 0.0
        """Inputs a second, of one batch."""
        self._overtaken = 0

    def run(self, items: Sequence[Item], kind: DataKind, call: Call) -> tuple[list[VectorArray], int]:
        """The vectors of the items, in order, and their tokens.

        Raises RateLimited when too many inputs wait, Timeout after the deadline, Cancelled when the client leaves.
        """
        prepared = self._embedder.prepare(items, kind, call.mode)
        job = Job(prepared, kind, call.mode, self._embedder.limits(kind))
        self._admit(job)
        try:
            while not job.done:
                self._step(job, call)
        finally:
            if job in self._jobs:  # it leaves before it is done
                self._withdraw(job)
        if job.error is not None:
            raise job.error
        return [job.vectors[position] for position in range(len(items))], sum(prepared.sizes)

    def _admit(self, job: Job) -> None:
        with self._lock:
            if self._waiting and self._waiting + len(job.items) > self._max_waiting:
                raise RateLimited(f"Too many inputs wait for the model {self._name}", self._seconds())
            self._jobs[job] = None
            self._waiting += len(job.items)
            if self._crowd and len(self._jobs) >= self._crowd.size:
                self._crowd.gather()

    def _seconds(self) -> int:
        speed = self._speed * max(1, self._running)
        return max(1, min(60, round(self._waiting / speed))) if speed else 1

    def _withdraw(self, job: Job) -> None:
        """Leaves the model to the next one who waits: this one may have been told, and has not run a batch."""
        with self._lock:
            self._let_go(job)
            self._tell_next()

    def _let_go(self, job: Job) -> None:
        """Its inputs, if some are left, go into no further batch."""
        if job in self._jobs:
            del self._jobs[job]
            self._waiting -= job.waiting

    def _tell_next(self) -> None:
        """Tells one who waits if there is a batch for it to run now."""
        if self._idle():
            following = next((job for job in self._jobs if job.waits and job.batches), None)
            if following:
                following.tell()

    def _idle(self) -> Embedder | None:
        """What may run a batch now: in a crowd the model for one thread, else the one with all threads."""
        crowd = self._crowd
        if crowd and crowd.embedder and len(self._jobs) >= crowd.size:
            return crowd.embedder if self._running < crowd.size else None
        return None if self._running else self._embedder

    def _step(self, job: Job, call: Call) -> None:
        """Runs one batch, or waits until there is news."""
        with self._lock:
            remaining = call.remaining()
            embedder = self._idle() if job.batches else None
            job.waits = embedder is None
            if embedder:
                parts = self._take(embedder)
                self._running += 1
                self._tell_next()
        if embedder:
            self._run(parts, embedder)
        else:
            with call.cancellation.calling(partial(self._wake, job)):
                job.news.wait(remaining)

    def _wake(self, job: Job) -> None:
        with self._lock:
            job.tell()

    def _run(self, parts: list[Part], embedder: Embedder) -> None:
        try:
            self._embed(parts, embedder)
        except BaseException:  # the program is being stopped; nobody may wait for these inputs
            self._fail(parts, ServiceError(f"Model {self._name} was interrupted"))
            raise
        finally:
            with self._lock:
                self._running -= 1
                done = [part.job for part in parts if part.job.done]
                for job in done:
                    self._let_go(job)
                self._tell_next()  # first, so that the model does not wait behind those who have their vectors
                for job in done:
                    job.tell()

    def _fail(self, parts: list[Part], error: Exception) -> None:
        with self._lock:
            for part in parts:
                self._let_go(part.job)
                part.job.error = error

    def _take(self, embedder: Embedder) -> list[Part]:
        """The next batch: the oldest part that waits, and those that share a batch with it at the least cost."""
        first: Mode = "search" if self._overtaken < _OVERTAKING else "update"
        jobs = sorted((job for job in self._jobs if job.batches), key=lambda job: job.mode != first)
        waiting = list(islice(_alike(jobs), _CHOICE))
        limits = embedder.limits(jobs[0].kind)
        cut = batches([part.shape for part in waiting], limits)
        parts = [waiting[at] for at in next(batch for batch in cut if 0 in batch)]
        for job, positions in parts:
            job.batches.remove(positions)
            self._waiting -= len(positions)
        overtaking = jobs[0].mode == "search" and jobs[-1].mode == "update"
        self._overtaken = self._overtaken + 1 if overtaking else 0
        return parts

    def _embed(self, parts: list[Part], embedder: Embedder) -> None:
        started = time.monotonic()
        try:
            self._run_together(parts, embedder)
        except Exception as error:
            if len(parts) == 1:
                self._fail(parts, self._explained(error))
                return
            for part in parts:  # so that an input that cannot be embedded fails only its own request
                self._embed([part], embedder)
            return
        self._speed = sum(len(part.positions) for part in parts) / max(time.monotonic() - started, 1e-4)

    def _run_together(self, parts: list[Part], embedder: Embedder) -> None:
        items = [part.job.items[position] for part in parts for position in part.positions]
        vectors = embedder.embed(items, parts[0].job.kind, parts[0].job.mode)
        if len(vectors) != len(items):
            raise ServiceError(f"Model {self._name} gave {len(vectors)} vectors for {len(items)} inputs")
        given = iter(vectors)
        for part in parts:
            part.job.vectors.update(zip(part.positions, given, strict=False))

    def _explained(self, error: Exception) -> Exception:
        if isinstance(error, QdliteError):
            return error
        if isinstance(error, MemoryError):
            return ServiceError(f"Model {self._name} ran out of memory")
        explained = InferenceError(f"Model {self._name} failed: {error}")
        explained.__cause__ = error
        return explained


def _alike(jobs: Sequence[Job]) -> Iterator[Part]:
    """The parts of all jobs that may share a batch with the first one."""
    for job in jobs:
        if (job.mode, job.kind) == (jobs[0].mode, jobs[0].kind):
            yield from (Part(job, positions) for positions in job.batches)
