"""Sets two files of results side by side: what became faster or slower?

python -m benchmarks.compare before.json after.json
python -m benchmarks.compare before.json after.json --metric cpu_us --threshold 0.1
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.results import Results

METRICS = {
    "qps": True,
    "cpu_us": False,
    "p50_us": False,
    "p99_us": False,
    "seconds": False,
    "resident_mib": False,
    "recall": True,
}
"""Metrics that are compared, and whether larger is better."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--engine", default="qdlite")
    parser.add_argument("--metric", choices=list(METRICS), action="append")
    parser.add_argument("--threshold", type=float, default=0.0, help="show only changes by more than this share")
    options = parser.parse_args()
    before, after = Results.read(options.before), Results.read(options.after)
    for line in differences(before, after, options.engine, options.metric or list(METRICS), options.threshold):
        print(line)


def differences(before: Results, after: Results, engine: str, metrics: list[str], threshold: float) -> list[str]:
    """A line for each metric of each case that both files know."""
    cases = dict.fromkeys((row.question, row.case) for row in after.rows if row.engine == engine)
    lines = []
    for question, case in cases:
        for metric in metrics:
            old = before.median(question, case, engine, metric)
            new = after.median(question, case, engine, metric)
            if old and new is not None and abs(new / old - 1) >= threshold:
                better = (new > old) == METRICS[metric] or new == old
                mark = "better" if better else "worse "
                lines.append(f"{mark} {new / old:6.2f}x  {old:12,.4g} -> {new:12,.4g}  {metric:13} {question} | {case}")
    return lines


if __name__ == "__main__":
    main()
