"""Do the figures about requests add up?"""

from __future__ import annotations

import pytest

from qdlite_server import statistics
from qdlite_server.statistics import Statistics


def test_totals_are_sums_over_collections() -> None:
    figures = Statistics()
    figures.add("GET /x", "a", 200, 0.002, now=10.0)
    figures.add("GET /x", "b", 200, 0.004, now=20.0)
    figures.add("GET /x", "b", 404, 0.1, now=30.0)
    totals = {(label, status): durations for label, status, durations in figures.totals()}
    good = totals["GET /x", 200]
    assert (good.count, good.shortest, good.longest, good.last) == (2, 0.002, 0.004, 20.0)
    assert good.histogram[1] == 2
    assert totals["GET /x", 404].count == 1
    assert good.describe() == {
        "count": 2,
        "avg_duration_micros": pytest.approx(3000.0),
        "min_duration_micros": 2000.0,
        "max_duration_micros": 4000.0,
        "total_duration_micros": 6000,
        "last_responded": "1970-01-01T00:00:20.000+00:00",
    }


def test_made_up_names_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "MAX_COLLECTIONS", 3)
    figures = Statistics()
    for number in range(50):
        figures.add("GET /x", f"c{number}", 404, 0.001, now=0.0)
    rows = list(figures.rows())
    assert len(rows) == 4
    assert sum(durations.count for *_, durations in rows) == 50
