"""What does a run of the benchmarks leave behind? One JSON file: the machine, and a row for every measured case."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = ("numpy", "hnswlib", "msgspec", "uvicorn", "httptools", "uvloop", "qdrant-client")
_INFERENCE_PACKAGES = ("numpy", "fastembed", "onnxruntime", "tokenizers", "qdrant-client")
NOT_OFFERED = "not offered"
"""The error of a row that says that the engine cannot answer the question."""


@dataclass(frozen=True)
class Row:
    """One case of one question, measured once for one engine.

    `load`: the machine's load average before it; `others`: cores that other programs used meanwhile, where that was
    measured; `group`: the run it was part of; `at`: when it was done.
    """

    question: str
    case: str
    engine: str
    metrics: dict[str, float]
    load: float = 0.0
    error: str = ""
    others: float | None = None
    group: str = ""
    at: str = ""


@dataclass
class Results:
    machine: dict[str, Any]
    engines: dict[str, str]
    rows: list[Row] = field(default_factory=list)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Results:
        stored = json.loads(path.read_text())
        return cls(stored["machine"], stored["engines"], [Row(**row) for row in stored["rows"]])

    def add(self, group: str, engine: str, rows: Iterable[Row], at: str, replace: bool) -> None:
        """What an engine answered in a group, instead of what it answered in an earlier run or beside it."""
        if replace:
            self.rows = [row for row in self.rows if (row.group, row.engine) != (group, engine)]
        self.rows += [dataclasses.replace(row, group=group, at=at) for row in rows]

    def cases(self, question: str) -> list[str]:
        """The cases of a question in the order in which they were measured."""
        return list(dict.fromkeys(row.case for row in self.rows if row.question == question))

    def engines_of(self, question: str) -> list[str]:
        present = {row.engine for row in self.rows if row.question == question}
        return [name for name in self.engines if name in present]

    def median(self, question: str, case: str, engine: str, metric: str) -> float | None:
        """The median of a metric over all runs; None if it was never measured."""
        return median(
            row.metrics[metric]
            for row in self.rows
            if (row.question, row.case, row.engine) == (question, case, engine) and metric in row.metrics
        )

    def circumstances(self, engine: str) -> tuple[str, str, list[float]]:
        """First and last time at which cases of an engine were measured, and how many cores others used then."""
        rows = [row for row in self.rows if row.engine == engine]
        times = [row.at for row in rows]
        return min(times), max(times), [row.others for row in rows if row.others is not None]


def median(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.median(found) if found else None


def machine(form: str, packages: Sequence[str] = _PACKAGES) -> dict[str, Any]:
    """Where and when the run happened."""
    return {
        "form": form,
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: found for name in packages if (found := installed(name))},
        "environment": {name: value for name, value in os.environ.items() if name.startswith(("OPENBLAS", "OMP_"))},
    }


def note(path: Path | None, question: str, report: Any) -> None:
    """Prints what was found about inference or, if there is a file, puts it there beside the answers to other
    questions."""
    if path is None:
        print(json.dumps(report, indent=2))
        return
    found = json.loads(path.read_text()) if path.exists() else {}
    found |= {"machine": machine("full", _INFERENCE_PACKAGES), question: report}
    path.write_text(json.dumps(found, indent=1) + "\n")


def installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
