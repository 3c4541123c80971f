"""How do concurrent requests share one model?

Requests put their inputs into the model's lane. Whoever finds the model idle runs the next batch, for whomever it
is; so a lone query starts at once, without a worker thread or a waiting time, and inputs that arrive while the
model is busy travel together in the next batch. Queries go before inputs of updates, of which every eighth batch
at least is one.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from qdlite.errors import InferenceError, QdliteError, RateLimited, ServiceError, Timeout
from qdlite.inference.embedders.base import BatchLimits, Embedder, Item
from qdlite.inference.inputs import Call, DataKind, Mode
from qdlite.types import VectorArray

_OVERTAKING = 7
"""Batches of queries that may run in turn while inputs of updates wait."""


class Job:
    """The inputs of one request, cut into batches of similar length, longest inputs first."""

    def __init__(
        self, items: Sequence[Item], sizes: Sequence[int], kind: DataKind, mode: Mode, limits: BatchLimits
    ) -> None:
        self.items = items
        self.sizes = sizes
        self.kind: DataKind = kind
        self.mode: Mode = mode
        self.batches = deque(batches(sizes, limits))
        self.vectors: dict[int, VectorArray] = {}
        self.error: Exception | None = None

    @property
    def done(self) -> bool:
        return self.error is not None or len(self.vectors) == len(self.items)

    def fail(self, error: Exception) -> None:
        self.error = error
        self.batches.clear()


class Part(NamedTuple):
    """Those inputs of a job that take part in the batch being run."""

    job: Job
    positions: list[int]


def batches(sizes: Sequence[int], limits: BatchLimits) -> list[list[int]]:
    """Cuts positions, sorted by size, into batches within the limits; equal sizes stay in order."""
    result: list[list[int]] = []
    for position in sorted(range(len(sizes)), key=lambda at: -sizes[at]):
        if result and _fits(result[-1], sizes[position], sizes[result[-1][0]], limits):
            result[-1].append(position)
        else:
            result.append([position])
    return result


def _fits(batch: list[int], size: int, longest: int, limits: BatchLimits) -> bool:
    count = len(batch) + 1
    return (
        count <= limits.items and count * max(size, longest) <= limits.tokens and not (limits.even and size != longest)
    )


class Lane:
    """The queue of one loaded model; `max_waiting` inputs at most wait behind others."""

    def __init__(self, name: str, embedder: Embedder, max_waiting: int) -> None:
        self._name = name
        self._embedder = embedder
        self._max_waiting = max_waiting
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._busy = False
        self._speed = 0.0
        self._overtaken = 0

    def run(self, items: Sequence[Item], kind: DataKind, call: Call) -> tuple[list[VectorArray], int]:
        """The vectors of the items, in order, and their tokens.

        Raises RateLimited when too many inputs wait, Timeout after the deadline, Cancelled when the client leaves.
        """
        limits = self._embedder.limits(kind)
        sizes = self._embedder.sizes(items, kind, call.mode)
        job = Job(items, sizes, kind, call.mode, limits)
        self._admit(job)
        try:
            with call.cancellation.calling(self._wake):
                while not job.done:
                    self._step(job, call)
        finally:
            self._withdraw(job)
        if job.error is not None:
            raise job.error
        return [job.vectors[position] for position in range(len(items))], sum(sizes)

    def _admit(self, job: Job) -> None:
        with self._changed:
            waiting = sum(len(batch) for other in self._jobs for batch in other.batches)
            if waiting and waiting + len(job.items) > self._max_waiting:
                raise RateLimited(f"Too many inputs wait for the model {self._name}", self._seconds(waiting))
            self._jobs.append(job)

    def _seconds(self, waiting: int) -> int:
        return max(1, min(60, round(waiting / self._speed))) if self._speed else 1

    def _withdraw(self, job: Job) -> None:
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)

    def _step(self, job: Job, call: Call) -> None:
        """Runs one batch, or waits until another thread has run one."""
        with self._changed:
            if self._busy:
                if not self._changed.wait_for(lambda: self._news_for(job, call), call.remaining()):
                    raise Timeout("Inference did not finish within the request's timeout")
                return
            call.remaining()
            parts = [] if job.done else self._take()
            self._busy = bool(parts)
        if parts:
            self._run(parts)

    def _news_for(self, job: Job, call: Call) -> bool:
        return job.done or not self._busy or call.cancellation.cancelled

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _run(self, parts: list[Part]) -> None:
        try:
            self._embed(parts)
        except BaseException:  # the program is being stopped; nobody may wait for these inputs
            for part in parts:
                part.job.fail(ServiceError(f"Model {self._name} was interrupted"))
            raise
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _take(self) -> list[Part]:
        """The next batch, filled up with batches of other jobs as far as they fit."""
        first: Mode = "search" if self._overtaken < _OVERTAKING else "update"
        jobs = sorted((job for job in self._jobs if job.batches), key=lambda job: job.mode != first)
        parts: list[Part] = []
        count = longest = 0
        for job in jobs:
            limits = self._embedder.limits(job.kind)
            while job.batches and _compatible(parts, job):
                size = job.sizes[job.batches[0][0]]
                total, widest = count + len(job.batches[0]), max(longest, size)
                uneven = limits.even and longest not in (0, size)
                if parts and (total > limits.items or total * widest > limits.tokens or uneven):
                    break
                parts.append(Part(job, job.batches.popleft()))
                count, longest = total, widest
        waiting = any(job.mode == "update" for job in jobs)
        searched = bool(parts) and parts[0].job.mode == "search"
        self._overtaken = self._overtaken + 1 if waiting and searched else 0
        return parts

    def _embed(self, parts: list[Part]) -> None:
        started = time.monotonic()
        try:
            self._run_together(parts)
        except Exception as error:
            if len(parts) == 1:
                parts[0].job.fail(self._explained(error))
                return
            for part in parts:  # so that an input that cannot be embedded fails only its own request
                self._embed([part])
            return
        self._speed = sum(len(part.positions) for part in parts) / max(time.monotonic() - started, 1e-4)

    def _run_together(self, parts: list[Part]) -> None:
        items = [part.job.items[position] for part in parts for position in part.positions]
        vectors = self._embedder.embed(items, parts[0].job.kind, parts[0].job.mode)
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


def _compatible(parts: list[Part], job: Job) -> bool:
    return not parts or (parts[0].job.mode, parts[0].job.kind) == (job.mode, job.kind)
