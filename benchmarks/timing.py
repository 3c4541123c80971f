"""How is one call, or a run of calls, timed? Medians over passes, percentiles over calls, processor time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

_T = TypeVar("_T")
_SHORTEST_SECONDS = 0.5
Metrics = dict[str, float]


@dataclass(frozen=True)
class Effort:
    """How long one case may take: `passes` over all inputs, each of at most `seconds`."""

    passes: int = 3
    seconds: float = 5.0


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of an ascending, non-empty sequence."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def searches(ask: Callable[[Any], _T], inputs: Sequence[Any], effort: Effort) -> tuple[list[_T], Metrics]:
    """Answers of the first pass, and what the passes cost.

    `qps`: median of the passes, `qps_best`: the best of them, `cpu_us`: processor time of the whole process a call,
    the least of the passes; it hardly moves when other programs run beside this one.
    """
    _warm(ask, inputs, effort)
    answers: list[_T] = []
    rates, processor, latencies = [], [], []
    for number in range(effort.passes):
        began_cpu, began = time.process_time(), time.perf_counter()
        now, count = began, 0
        for given in inputs:
            answer = ask(given)
            then, now = now, time.perf_counter()
            latencies.append(now - then)
            count += 1
            if not number:
                answers.append(answer)
            if now - began > effort.seconds:
                break
        rates.append(count / (now - began))
        processor.append((time.process_time() - began_cpu) / count)
        if now - began > effort.seconds:
            break
    return answers, {**_summary(latencies), **_rates(rates), "cpu_us": min(processor) * 1e6, "calls": len(answers)}


def side_by_side(ask: Callable[[Any], object], inputs: Sequence[Any], threads: int, effort: Effort) -> Metrics:
    """Calls a second of several threads, each with its share of the inputs."""
    rates = []
    for _ in range(effort.passes):
        counts = [0] * threads
        deadline = time.perf_counter() + effort.seconds

        def work(thread: int, counts: list[int] = counts, deadline: float = deadline) -> None:
            for given in inputs[thread::threads]:
                ask(given)
                counts[thread] += 1
                if time.perf_counter() > deadline:
                    return

        workers = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
        began = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        rates.append(sum(counts) / (time.perf_counter() - began))
    return _rates(rates)


def repeated(call: Callable[[int], object], count: int, seconds: float = 3.0) -> Metrics:
    """Latencies of a small operation; `call` gets the number of the repetition."""
    call(0)
    latencies: list[float] = []
    began = time.perf_counter()
    for number in range(1, count):
        then = time.perf_counter()
        call(number)
        now = time.perf_counter()
        latencies.append(now - then)
        if now - began > seconds:
            break
    return {**_summary(latencies), "calls": len(latencies)}


def memory(pid: int | None = None) -> Metrics:
    """Resident memory of a process in MiB: all of it, what is not backed by files, and its peak."""
    wanted = {"VmRSS": "resident_mib", "RssAnon": "anonymous_mib", "VmHWM": "peak_mib"}
    status = Path(f"/proc/{pid or os.getpid()}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in status)
    return {name: int(fields[field].split()[0]) / 1024 for field, name in wanted.items()}


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used so far, by its clock (see clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


class Neighbours:
    """What do other programs use meanwhile? Processor time of the machine without that of this process."""

    def __init__(self) -> None:
        self._last = self._read()
        self._cores = 0.0

    def cores(self) -> float:
        """Mean number of cores that others kept busy since the last call, or the last value if that is just over:
        the system counts hundredths of a second."""
        now = self._read()
        wall, others = (after - before for after, before in zip(now, self._last, strict=True))
        if wall > _SHORTEST_SECONDS:
            self._last, self._cores = now, max(0.0, others / wall)
        return self._cores

    def _read(self) -> tuple[float, float]:
        user, nice, system, _idle, _waiting, interrupts, soft = map(int, Path("/proc/stat").read_text().split()[1:8])
        busy = (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
        return time.perf_counter(), busy - sum(os.times()[:4])


def _warm(ask: Callable[[Any], object], inputs: Sequence[Any], effort: Effort) -> None:
    began = time.perf_counter()
    for given in inputs[:3]:
        ask(given)
        if time.perf_counter() - began > effort.seconds:
            return


def _summary(latencies: list[float]) -> Metrics:
    ordered = sorted(latencies)
    return {"p50_us": percentile(ordered, 0.5) * 1e6, "p99_us": percentile(ordered, 0.99) * 1e6}


def _rates(rates: list[float]) -> Metrics:
    return {"qps": sorted(rates)[len(rates) // 2], "qps_best": max(rates)}
