"""Makes docs/inference-benchmarks.md of one file of results and of nothing else.

python -m benchmarks.inference_page benchmarks/results/inference-<date>.json
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.tables import markdown, number

DOCS = Path(__file__).resolve().parent.parent / "docs"
Report = Mapping[str, Any]

_INTRODUCTION = """# Benchmarks of inference

Made by `python -m benchmarks.inference_page` from `{source}`; nothing here is written by hand.
`python -m benchmarks.inference` and `python -m benchmarks.cranfield` measure again.

Machine: {cores} cores of {processor}, {memory_gib} GiB, {system}, Python {python}; {date}. Packages: {packages}.
"""

_SPEED = """## Speed

The same model, {model}, called directly with fastembed and through qdlite, each with {threads} threads, in turn in one
process. Numbers are medians of {repeats} repeats, with the lowest and the highest in brackets. The largest difference
between the vectors of both ways is {largest_difference:.1g}.
"""

_QUALITY = """## Quality of retrieval

Cranfield: {texts:,} texts and {queries} judged queries, text field only, through the public API of the stock client,
beside what the same models give when scored by hand. The fusions take 100 + 100 candidates. Once as exact search, once
as the index chooses: it has a graph, but among so few texts a scan costs less.
"""

_STORING = {
    "fastembed, its own loop": "storing.fastembed_per_second",
    "qdlite's service": "storing.service_per_second",
    "upsert by the stock client": "storing.upsert_per_second",
    "upsert against fastembed": "storing.upsert_vs_fastembed",
}
_ALONE = {
    "fastembed (ms)": "alone.fastembed_ms",
    "qdlite's service (ms)": "alone.service_ms",
    "query by the stock client (ms)": "alone.query_ms",
    "the same with a vector, without inference (ms)": "alone.query_with_vector_ms",
    "service against fastembed": "alone.service_vs_fastembed",
    "query against fastembed": "alone.query_vs_fastembed",
}
_AT_ONCE = {
    "one by one, fastembed": "concurrent.fastembed_one_by_one_per_second",
    "one by one, qdlite's service": "concurrent.one_by_one_per_second",
    "all at hand, sorted batches, fastembed: the bound": "concurrent.fastembed_sorted_batches_per_second",
    "at once, qdlite's service": "concurrent.service_at_once_per_second",
    "at once, query by the stock client": "concurrent.query_at_once_per_second",
    "at once against one by one": "concurrent.at_once_vs_one_by_one",
    "bound against one by one": "concurrent.bound_vs_one_by_one",
    "inputs in a batch": "concurrent.inputs_per_batch",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--output", type=Path, default=DOCS / "inference-benchmarks.md")
    options = parser.parse_args()
    options.output.write_text(page(json.loads(options.results.read_text()), options.results.name))
    print(options.output)


def page(results: Report, source: str) -> str:
    machine = results["machine"]
    packages = ", ".join(f"{name} {found}" for name, found in machine["packages"].items())
    parts = [_INTRODUCTION.format(**{**machine, "packages": packages, "source": source})]
    if "speed" in results:
        parts.append(_speed(results["speed"]))
    if "quality" in results:
        parts.append(_quality(results["quality"]))
    return "\n".join(parts)


def _speed(report: Report) -> str:
    repeats = report["repeats"]
    storing, alone, concurrent = (repeats[0][question] for question in ("storing", "alone", "concurrent"))
    titles = {
        f"{storing['documents']:,} texts of mixed lengths stored (texts/s)": _STORING,
        f"{alone['queries']:,} short queries, one after the other": _ALONE,
        f"{concurrent['queries']:,} short queries, {concurrent['clients']} clients (queries/s)": _AT_ONCE,
    }
    parts = [_SPEED.format(**{**report, "repeats": len(repeats)})]
    for title, rows in titles.items():
        lines = [[name, _spread([_at(repeat, path) for repeat in repeats])] for name, path in rows.items()]
        parts.append(f"### {title}\n\n{markdown(['', 'median'], lines)}")
    return "\n".join(parts)


def _quality(report: Report) -> str:
    header = [
        "",
        "nDCG@10, by hand",
        "nDCG@10, exact",
        "nDCG@10, by choice",
        "recall@100, exact",
        "recall@100, by choice",
    ]
    rows = [
        [
            way,
            f"{hand:.3f}",
            *(f"{report[search][way][metric]:.4f}" for metric in ("ndcg@10", "recall@100") for search in _SEARCHES),
        ]
        for way, hand in report["by_hand"].items()
    ]
    return f"{_QUALITY.format(**report)}\n{markdown(header, rows)}"


_SEARCHES = ("exact", "by choice")


def _at(repeat: Report, path: str) -> float:
    question, name = path.split(".")
    return float(repeat[question][name])


def _spread(values: list[float]) -> str:
    middle = number(statistics.median(values))
    return f"{middle} ({number(min(values))} to {number(max(values))})" if len(values) > 1 else middle


if __name__ == "__main__":
    main()
