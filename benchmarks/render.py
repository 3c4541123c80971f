"""Makes docs/benchmarks.md, and its plot if matplotlib is there, of one file of results and of nothing else.

python -m benchmarks.render benchmarks/results/<file>.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.plot import plot
from benchmarks.results import NOT_OFFERED, Results, median
from benchmarks.served import CONNECTIONS
from benchmarks.tables import TABLES, ahead, markdown, number, rendered

DOCS = Path(__file__).resolve().parent.parent / "docs"
_INTRODUCTION = """# Benchmarks

Made by `python -m benchmarks.render` from `{source}`; nothing here is written by hand. `python -m benchmarks` measures
again, `python -m benchmarks.compare` sets two runs side by side.

Every engine runs in a process of its own on the same generated data, one after the other. Numbers in brackets are
ratios to qdrant-edge (Qdrant's engine in Rust, in the same process), without filters to the faster of its two
configurations. Searches are called one at a time through each engine's own API, top 10, and use the narrowest graph
search that finds 99 % of the true neighbours; a cell says what an engine finds if it does not get there. Vectors are
given in the form that an engine takes soonest: arrays to qdlite, lists to the others (qdrant-edge needs 5 us for a list
and 25 for an array). Rates are medians of the passes of all repeats. Processor time is that of the whole process; where
other programs were running it says more than rates.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--output", type=Path, default=DOCS / "benchmarks.md")
    options = parser.parse_args()
    results = Results.read(options.results)
    picture = plot(results, options.output.with_name(f"{options.output.stem}-growth.svg"))
    options.output.write_text(page(results, options.results.name, picture))
    print(options.output)


def page(results: Results, source: str, picture: Path | None) -> str:
    parts = [_INTRODUCTION.format(source=source), _machine(results)]
    parts += [text for table in TABLES if (text := rendered(table, results))]
    if picture is not None:
        parts.append(f"![cost by number of points]({picture.name})\n")
    parts += [text for section in _SECTIONS if (text := section(results))]
    return "\n".join(parts)


def _machine(results: Results) -> str:
    machine = results.machine
    engines = ", ".join(f"{name} {found}" for name, found in results.engines.items())
    packages = ", ".join(f"{name} {found}" for name, found in machine["packages"].items())
    settings = ", ".join(f"{name}={value}" for name, value in machine["environment"].items())
    note = f"**{machine['note']}**\n\n" if "note" in machine else ""
    return (
        f"Machine: {machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {machine['python']}; {machine['date']}, {machine['form']} form.\n\n"
        f"{note}Engines: {engines}. Packages: {packages}.{f' Environment: {settings}.' if settings else ''}\n"
    )


def _served(results: Results) -> str:
    """Requests a second, latencies and the server's processor time a request, by kind and number of connections."""
    kinds = dict.fromkeys(case.rsplit(", ", 1)[0] for case in results.cases("served") if case)
    rows = []
    for kind in kinds:
        for connections in CONNECTIONS:
            names = ("qps", "p50_us", "p99_us", "server_cpu_us")
            case = f"{kind}, {connections}"
            rows.append([kind, str(connections), *(number(results.median("served", case, "qdlite", n)) for n in names)])
    if not rows:
        return ""
    header = ["request", "connections", "requests/s", "p50 us", "p99 us", "server's processor us"]
    return f"### Served over HTTP\n\n{markdown(header, rows)}"


def _cost(results: Results) -> str:
    names = ("server_cpu_us", "engine_cpu_us", "added_cpu_us")
    cases = results.cases("served cost")
    rows = [[case, *(number(results.median("served cost", case, "qdlite", name)) for name in names)] for case in cases]
    if not rows:
        return ""
    header = ["request", "server's processor us", "engine's", "difference"]
    return f"### What serving adds\n\n{markdown(header, rows)}"


def _beside(results: Results) -> str:
    cases = [case for case in results.cases("served beside") if case]
    names = ("qps", "p50_us", "p99_us")
    rows = [[case, *(number(results.median("served beside", case, "qdlite", n)) for n in names)] for case in cases]
    if not rows:
        return ""
    return f"### Beside long work\n\n{markdown(['one connection', 'requests/s', 'p50 us', 'p99 us'], rows)}"


def _circumstances(results: Results) -> str:
    """Which numbers were disturbed by other programs?"""
    rows = []
    for name in results.engines:
        if any(row.engine == name for row in results.rows):
            first, last, others = results.circumstances(name)
            rows.append([name, first, last, number(median(others), 2), number(max(others, default=None), 2)])
    header = ["engine", "measured from", "to", "cores used by other programs: median", "highest"]
    return f"### When and beside what\n\n{markdown(header, rows)}"


def _not_offered(results: Results) -> str:
    missing = dict.fromkeys((row.engine, row.question) for row in results.rows if row.error == NOT_OFFERED)
    if not missing:
        return ""
    return f"### Not offered\n\n{markdown(['engine', 'question'], [list(row) for row in missing])}"


def _failures(results: Results) -> str:
    errors = [row for row in results.rows if row.error not in ("", NOT_OFFERED)]
    failed = dict.fromkeys((row.engine, row.question, row.error) for row in errors)
    if not failed:
        return ""
    return f"### Failed\n\n{markdown(['engine', 'question', 'error'], [list(row) for row in failed])}"


_SECTIONS = (_served, _cost, _beside, ahead, _circumstances, _not_offered, _failures)


if __name__ == "__main__":
    main()
