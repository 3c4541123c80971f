"""How do models look in a terminal? The table of `qdlite models`, and the bar of a download."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TextIO

from qdlite.database import ModelDescription

_HEAD = ("NAME", "KIND", "DIMENSIONS", "CONTEXT", "ON DISK")
_WIDTH = 40


def table(models: Sequence[ModelDescription]) -> str:
    """One line a model; `-` where a figure does not apply or is not known."""
    rows = [_HEAD, *(_row(model) for model in models)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _row(model: ModelDescription) -> tuple[str, ...]:
    dimensions = "-" if model.dimensions is None else str(model.dimensions)
    context = "-" if model.context is None else str(model.context)
    on_disk = "yes" if model.on_disk else "no"
    return model.name, model.kind, dimensions, context, model.state if model.state == "built in" else on_disk


class ProgressBar:
    """A line that is drawn over and over; quiet where there is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = False

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def show(self, done: int, total: int, unit: str) -> None:
        """`total` 0 means that it is not known yet; units are "B" (bytes) and "files"."""
        if not self._stream.isatty():
            return
        filled = round(_WIDTH * min(done / total, 1.0)) if total else 0
        text = f"{_amount(done, unit)} of {_amount(total, unit)}" if total else _amount(done, unit)
        self._stream.write(f"\r[{'#' * filled}{' ' * (_WIDTH - filled)}] {text:<30}")
        self._stream.flush()
        self._drawn = True

    def close(self) -> None:
        """Ends the line, if there is one."""
        if self._drawn:
            self._stream.write("\n")
            self._drawn = False


def _amount(number: int, unit: str) -> str:
    return f"{number / 1e6:.1f} MB" if unit == "B" else f"{number} {unit}"
