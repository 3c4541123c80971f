"""How much has each model done since the service was made?"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

MAX_MODELS = 1000
"""Models with totals of their own; names may come from requests, so there must be an end."""
OTHERS = "(others)"


@dataclass
class ModelTotals:
    """`tokens` read, `requests` that used the model, and the `seconds` they spent in it or waiting for it."""

    tokens: int = 0
    requests: int = 0
    seconds: float = 0.0


class Totals:
    """Totals by model, whatever the letter case. Safe to use from many threads."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[str, ModelTotals]] = {}
        self._lock = threading.Lock()

    def add(self, model: str, tokens: int, seconds: float) -> None:
        """Counts one request."""
        with self._lock:
            row = self._row(model)
            row.tokens += tokens
            row.requests += 1
            row.seconds += seconds

    def _row(self, model: str) -> ModelTotals:
        found = self._rows.get(model.lower())
        if found is None:
            if len(self._rows) >= MAX_MODELS:
                model = OTHERS
            found = self._rows.setdefault(model.lower(), (model, ModelTotals()))
        return found[1]

    def rows(self) -> dict[str, ModelTotals]:
        """Copies of the totals, by the name each model was first called by."""
        with self._lock:
            return {name: replace(row) for name, row in self._rows.values()}
