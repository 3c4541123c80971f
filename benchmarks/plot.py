"""How does the page show growth? A panel a cost over the number of points, both logarithmic."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from benchmarks.results import Results

_PANELS = {
    "p50_us": "search with ef 64 (us)",
    "filtered_us": "search with a 10 % filter (us)",
    "load_seconds": "load (s)",
    "index_seconds": "index build (s)",
    "resident_mib": "memory (MiB)",
}
_COLUMNS = 3


def plot(results: Results, path: Path) -> Path | None:
    """Writes the picture; None without matplotlib or with fewer than two sizes."""
    sizes = sorted(int(case) for case in results.cases("growth") if case)
    try:
        matplotlib: Any = importlib.import_module("matplotlib")
        pyplot: Any = importlib.import_module("matplotlib.pyplot")
    except ImportError:
        return None
    if len(sizes) < 2:
        return None
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "qdlite", "font.size": 9})
    figure, axes = pyplot.subplots(2, _COLUMNS, figsize=(9.6, 5.4))
    panels = list(axes.flat)
    for axis, (metric, title) in zip(panels, _PANELS.items(), strict=False):
        _panel(axis, results, sizes, metric, title)
    handles, labels = panels[0].get_legend_handles_labels()
    panels[-1].axis("off")
    panels[-1].legend(handles, labels, loc="center", frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    return path


def _panel(axis: Any, results: Results, sizes: list[int], metric: str, title: str) -> None:
    """A line an engine, and from qdlite's first point on a line in proportion to the number of points."""
    for engine in results.engines_of("growth"):
        found = {size: results.median("growth", str(size), engine, metric) for size in sizes}
        known = {size: value for size, value in found.items() if value}
        axis.loglog(list(known), list(known.values()), marker="o", label=engine)
    first = results.median("growth", str(sizes[0]), "qdlite", metric)
    if first:
        steps = [first * size / sizes[0] for size in sizes]
        axis.loglog(sizes, steps, "--", color="grey", linewidth=0.8, label="in proportion to the points")
    axis.set_title(title)
    axis.set_xticks(sizes, [_short(size) for size in sizes])
    axis.minorticks_off()
    low, high = axis.get_ylim()
    axis.set_ylim(_decade(low, up=False), _decade(high, up=True))
    axis.grid(True, linewidth=0.3)


def _short(points: int) -> str:
    return f"{points // 1_000_000}M" if points >= 1_000_000 else f"{points // 1000}k"


def _decade(value: float, up: bool) -> float:
    """The next power of ten, so that every axis has at least two labels."""
    power = 1e-9
    while power * 10 <= value:
        power *= 10
    return power * 10 if up and power < value else power
