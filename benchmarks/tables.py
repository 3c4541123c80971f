"""Which tables does the page of benchmarks show? A row a case, a column an engine, ratios to the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.questions.subject import RECALL
from benchmarks.results import Results

SUBJECT = "qdlite"
SUBJECT_CLIENT = "qdlite, stock client"
REFERENCE = "qdrant-edge"
PLAIN = "qdrant-edge, no payload index"


@dataclass(frozen=True)
class Table:
    """A question, how it is asked, the metric that counts, and the further ones that are shown for qdlite."""

    question: str
    title: str
    metric: str
    unit: str
    larger_is_better: bool = False
    scale: float = 1.0
    further: tuple[str, ...] = ()
    only: str = ""
    """Text that the cases must contain."""


TABLES = (
    Table("dense", "Dense search at recall 0.99", "qps", "searches/s", True, 1.0, ("recall", "ef"), "thread"),
    Table("dense", "Dense search at recall 0.99: processor time", "cpu_us", "us a search", only="thread"),
    Table("filtered", "Filtered dense search at recall 0.99", "qps", "searches/s", True, 1.0, ("recall", "ef")),
    Table("filtered", "Filtered dense search: processor time", "cpu_us", "us a search"),
    Table("sparse", "Sparse search", "qps", "searches/s", True, 1.0, ("recall",)),
    Table("sparse", "Sparse search: processor time", "cpu_us", "us a search"),
    Table("hybrid", "Hybrid search: dense and sparse, fused by rank", "qps", "searches/s", True),
    Table("hybrid", "Hybrid search: processor time", "cpu_us", "us a search"),
    Table("exact", "Exact search", "qps", "searches/s", True, 1.0, ("recall",)),
    Table("exact", "Exact search: processor time", "cpu_us", "us a search"),
    Table("load", "Loading", "seconds", "s"),
    Table("load", "Memory after loading", "resident_mib", "MiB", only="memory"),
    Table("loading", "Search while loading: median", "p50_us", "us"),
    Table("loading", "Search while loading: 99th percentile", "p99_us", "us"),
    Table("small operations", "Small operations: median", "p50_us", "us"),
    Table("cold start", "Cold start: process start to first answer", "seconds", "s"),
    Table("cold start", "Memory after the first answer", "resident_mib", "MiB"),
    Table("churn", "Churn: rounds that replace a fifth of the points", "p50_us", "us a search", further=("recall",)),
    Table("churn", "Churn: processor time", "cpu_us", "us a search", further=("resident_mib",)),
    Table("growth", "Growth: search with ef 64", "p50_us", "us a search", further=("recall",)),
    Table("growth", "Growth: search with a filter of 10 % and ef 64", "filtered_us", "us a search"),
    Table("growth", "Growth: until the calls returned", "load_seconds", "s"),
    Table("growth", "Growth: until the index was ready, from then", "index_seconds", "s"),
    Table("growth", "Growth: processor time of loading and indexing", "build_cpu_seconds", "s"),
    Table("growth", "Growth: memory", "resident_mib", "MiB"),
)  # fmt: skip


def rendered(table: Table, results: Results) -> str:
    """The table in Markdown; empty if nothing of it was measured."""
    engines = results.engines_of(table.question)
    cases = [case for case in results.cases(table.question) if case and table.only in case]
    rows = [_row(table, results, case, engines) for case in cases]
    shown = [row for row in rows if any(cell != "-" for cell in row[1:])]
    if not shown:
        return ""
    header = ["case", *engines, *(f"qdlite: {name}" for name in table.further)]
    return f"### {table.title} ({table.unit})\n\n{markdown(header, shown)}\n"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def number(value: float | None, digits: int = 3) -> str:
    """With so many significant digits."""
    if value is None:
        return "-"
    if value and abs(value) < 10 ** (digits - 1):
        return f"{value:.{digits}g}"
    return f"{value:,.0f}"


def reference(table: Table, results: Results, case: str) -> float | None:
    """What a case is compared with: without filters the faster of the two configurations of the reference."""
    candidates = [results.median(table.question, case, name, table.metric) for name in (REFERENCE, PLAIN)]
    found = [value for value in candidates if value is not None]
    if not found:
        return None
    return max(found) if table.larger_is_better else min(found)


def ahead(results: Results) -> str:
    """In which cases is qdlite not the fastest, or not the smallest? Processor time is left out: it is shown beside."""
    rows = [
        [table.title, case, name, number(value), number(own)]
        for table in TABLES
        if table.metric not in ("cpu_us", "build_cpu_seconds")
        for case in results.cases(table.question)
        if case and table.only in case and (own := results.median(table.question, case, SUBJECT, table.metric))
        for name in results.engines_of(table.question)
        if name not in (SUBJECT, SUBJECT_CLIENT)
        and (value := results.median(table.question, case, name, table.metric)) is not None
        and (value > own if table.larger_is_better else value < own)
    ]
    header = ["table", "case", "engine", "its number", "qdlite"]
    return f"### Where another engine is ahead of qdlite\n\n{markdown(header, rows)}" if rows else ""


def _row(table: Table, results: Results, case: str, engines: Sequence[str]) -> list[str]:
    base = reference(table, results, case)
    cells = [_cell(table, results, case, name, base) for name in engines]
    extra = [number(results.median(table.question, case, SUBJECT, name), 4) for name in table.further]
    return [case, *cells, *extra]


def _cell(table: Table, results: Results, case: str, engine: str, base: float | None) -> str:
    """A number, its ratio to the reference, and the recall where it is short of what was to be reached."""
    value = results.median(table.question, case, engine, table.metric)
    notes = []
    if value is not None and base and engine not in (REFERENCE, PLAIN):
        notes.append(f"{number(value / base, 2)}x")
    found = results.median(table.question, case, engine, "recall")
    if table.question in ("dense", "filtered") and found is not None and found < RECALL:
        notes.append(f"recall {found:.3f}")
    return f"{number(value)} ({', '.join(notes)})" if notes else number(value)
