"""Runs the benchmarks: every engine in its own process on the same data, one after the other, close in time.

    python -m benchmarks --quick                      # minutes: 20,000 points
    python -m benchmarks                              # hours: 100,000 points three times, growth to 1,000,000
    python -m benchmarks --only main sparse --engines qdlite qdrant-edge --output results.json
    python -m benchmarks --only main --engines chroma --repeats 1 --passes 1 --output results.json

Results go to one JSON file; `python -m benchmarks.render` makes docs/benchmarks.md of it. A file that exists is added
to: what an engine answers in a group takes the place of what it answered there in an earlier run, or counts as another
repeat with `--again`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import cold_start, served
from benchmarks.data import prepared
from benchmarks.engines.registry import ENGINES
from benchmarks.questions.registry import FORMS, FULL, QUICK, Form
from benchmarks.results import Results, Row, machine
from benchmarks.timing import Effort

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "benchmarks" / "results"
COLD_START = "cold start"
SERVED = "served"
_TIMEOUT_SECONDS = 3600


class Part(NamedTuple):
    """What one process measures: the smallest thing that a run can be made of."""

    repeat: int
    group: str
    engine: str


def main() -> None:
    options = _options()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "server")])  # for the processes it starts
    form_name = "quick" if options.quick else "full"
    form = FORMS[form_name]
    effort = Effort(options.passes or form.effort.passes, options.seconds or form.effort.seconds)
    engines = {name: found for name in options.engines if (found := ENGINES[name].installed())}
    deadline = time.monotonic() + 60 * options.minutes
    for part in parts(form, options.only, list(engines), options.repeats or form.repeats):
        if time.monotonic() > deadline:
            break
        rows = _measured(form, form_name, effort, part)
        results = _so_far(options.output, form_name, engines)
        results.add(part.group, part.engine, rows, time.strftime("%Y-%m-%d %H:%M"), not (part.repeat or options.again))
        results.write(options.output)
        for row in rows:
            _say(row)
    print(options.output)


def parts(form: Form, only: list[str] | None, engines: list[str], repeats: int) -> Iterator[Part]:
    """In the order in which they are measured: engines beside each other, repeats of everything after everything.
    Growth is measured once."""
    groups = {name: group.engines for name, group in form.groups().items()}
    groups |= {COLD_START: tuple(engines), SERVED: ("qdlite",)}
    for repeat in range(repeats):
        for group in only or groups:
            for engine in groups[group] if not (repeat and group.startswith("growth")) else ():
                if engine in engines:
                    yield Part(repeat, group, engine)


def _so_far(output: Path, form_name: str, engines: dict[str, str]) -> Results:
    """What the file holds by now, if there is one, with what is known of the machine."""
    earlier = Results.read(output) if output.exists() else Results({}, {})
    known = {**earlier.engines, **engines}
    return Results(machine(form_name), {name: known[name] for name in ENGINES if name in known}, earlier.rows)


def _measured(form: Form, form_name: str, effort: Effort, part: Part) -> list[Row]:
    if part.group == COLD_START:
        return list(cold_start.rows([part.engine], form.cold_starts))
    if part.group == SERVED:
        return list(served.rows(form.points, form.served_seconds))
    prepared(form.groups()[part.group].shape)
    return _from_child(form_name, effort, part)


def _from_child(form_name: str, effort: Effort, part: Part) -> list[Row]:
    """The rows of one engine for one group, from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        output, load = Path(folder) / "rows", os.getloadavg()[0]
        given = [part.engine, form_name, part.group, str(effort.passes), str(effort.seconds), str(output)]
        try:
            command = [sys.executable, "-m", "benchmarks.child", *given]
            subprocess.run(command, cwd=ROOT, timeout=_TIMEOUT_SECONDS, check=True)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
            failed = [Row(part.group, "", part.engine, {}, load, str(error)[:300])]
        else:
            failed = []
        lines = output.read_text().splitlines() if output.exists() else []
        return [*(Row(**json.loads(line)) for line in lines), *failed]


def _say(row: Row) -> None:
    shown = ", ".join(f"{name} {value:.4g}" for name, value in row.metrics.items())
    print(f"{time.strftime('%H:%M:%S')} {row.engine} | {row.question} | {row.case} | {row.error or shown}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small data, minutes in all")
    parser.add_argument("--only", nargs="+", choices=[*FULL.groups(), *QUICK.groups(), COLD_START, SERVED])
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--repeats", type=int, help="how often everything is measured")
    parser.add_argument("--again", action="store_true", help="a further repeat of what the output has already")
    parser.add_argument("--passes", type=int, help="passes over all searches of a case")
    parser.add_argument("--seconds", type=float, help="longest time of a pass")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin nothing new after this time")
    parser.add_argument("--output", type=Path, default=OUTPUT / f"{time.strftime('%Y-%m-%d-%H%M')}.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
