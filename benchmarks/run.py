"""Runs the benchmarks: every engine in its own process on the same data, one after the other, close in time.

    python -m benchmarks --quick                      # minutes: 20,000 points
    python -m benchmarks                              # hours: 100,000 points three times, growth to 1,000,000
    python -m benchmarks --only main sparse --engines qdlite qdrant-edge --output results.json

Results go to one JSON file; `python -m benchmarks.render` makes docs/benchmarks.md of it.
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

from benchmarks import cold_start, served
from benchmarks.data import prepared
from benchmarks.engines.registry import ENGINES
from benchmarks.questions.registry import FULL, QUICK, Form
from benchmarks.results import Results, Row, machine

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "benchmarks" / "results"
PARENT_GROUPS = ("cold start", "served")
_TIMEOUT_SECONDS = 3600


def main() -> None:
    options = _options()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "server")])  # for the processes it starts
    form_name = "quick" if options.quick else "full"
    form = QUICK if options.quick else FULL
    engines = {name: found for name in options.engines if (found := ENGINES[name].installed())}
    results = Results(machine(form_name), engines)
    if options.output.exists() and options.add:
        results.rows.extend(Results.read(options.output).rows)
    groups = options.only or [*form.groups(), *PARENT_GROUPS]
    for repeat in range(1 if options.once else form.repeats):
        for group in groups:
            for row in _rows(form, form_name, group, list(engines), repeat):
                results.rows.append(row)
                results.write(options.output)
                _say(row)
    print(options.output)


def _rows(form: Form, form_name: str, group: str, engines: list[str], repeat: int) -> Iterator[Row]:
    if group == "cold start":
        yield from cold_start.rows(engines, form.cold_starts if not repeat else 0)
    elif group == "served":
        yield from served.rows(form.points, form.served_seconds)
    elif not (repeat and group.startswith("growth")):
        prepared(form.groups()[group].shape)
        for engine in form.groups()[group].engines:
            if engine in engines:
                yield from _measured(engine, form_name, group)


def _measured(engine: str, form_name: str, group: str) -> list[Row]:
    """The rows of one engine for one group, from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        output, load = Path(folder) / "rows", os.getloadavg()[0]
        command = [sys.executable, "-m", "benchmarks.child", engine, form_name, group, str(output)]
        try:
            subprocess.run(command, cwd=ROOT, timeout=_TIMEOUT_SECONDS, check=True)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
            failed = [Row(group, "", engine, {}, load, str(error)[:300])]
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
    parser.add_argument("--once", action="store_true", help="no repeats of the full form")
    parser.add_argument("--only", nargs="+", choices=[*FULL.groups(), *QUICK.groups(), *PARENT_GROUPS])
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--output", type=Path, default=OUTPUT / f"{time.strftime('%Y-%m-%d-%H%M')}.json")
    parser.add_argument("--add", action="store_true", help="keep the rows that the output file has already")
    return parser.parse_args()


if __name__ == "__main__":
    main()
