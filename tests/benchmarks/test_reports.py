"""Are tables, page and comparison made of the results alone? The measuring itself is not tested: it takes minutes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import inference_page
from benchmarks.compare import differences
from benchmarks.data import Shape, best_positions, prepared
from benchmarks.questions.registry import FULL, QUESTIONS, QUICK
from benchmarks.questions.subject import recall
from benchmarks.render import page
from benchmarks.results import NOT_OFFERED, Results, Row, machine, note
from benchmarks.run import parts
from benchmarks.tables import PLAIN, REFERENCE


def results(speed: float = 1.0) -> Results:
    rows = [
        Row("dense", "one thread", "qdlite", {"qps": 3000.0 * speed, "recall": 0.991}, 0.5),
        Row("dense", "one thread", "qdlite", {"qps": 1000.0 * speed, "recall": 0.991}, 0.5),
        Row("dense", "one thread", "qdlite", {"qps": 2000.0 * speed, "recall": 0.991}, 0.5),
        Row("dense", "one thread", REFERENCE, {"qps": 500.0}, 0.5),
        Row("dense", "one thread", PLAIN, {"qps": 1000.0}, 0.5),
        Row("sparse", "", "other", {}, 0.5, "ImportError: none"),
    ]
    return Results(machine("quick"), {"qdlite": "1", REFERENCE: "2", PLAIN: "2", "other": "3"}, rows)


def test_medians_and_ratios_to_the_faster_reference() -> None:
    text = page(results(), "some.json", None)
    assert "| one thread | 2,000 (2x) | 500 | 1,000 | 0.991 |" in text
    assert "some.json" in text
    assert "| other | sparse | ImportError: none |" in text
    assert "Sparse search" not in text


def test_results_survive_the_file(tmp_path: Path) -> None:
    written = results()
    written.write(tmp_path / "deep" / "results.json")
    assert Results.read(tmp_path / "deep" / "results.json") == written


def test_a_later_run_takes_the_place_of_an_earlier_one() -> None:
    found = Results(machine("quick"), {"qdlite": "1"})
    slow, fast = (Row("load", "all", "qdlite", {"seconds": seconds}) for seconds in (9.0, 1.0))
    found.add("main", "qdlite", [slow], "10:00", replace=True)
    found.add("sparse", "qdlite", [slow], "10:01", replace=True)
    found.add("main", "qdlite", [fast], "10:02", replace=True)
    found.add("main", "qdlite", [fast], "10:03", replace=False)
    assert [(row.group, row.at) for row in found.rows] == [("sparse", "10:01"), ("main", "10:02"), ("main", "10:03")]
    assert found.median("load", "all", "qdlite", "seconds") == 1.0


def test_parts_of_a_run() -> None:
    planned = list(parts(QUICK, ["growth 10000", "served", "main"], ["qdlite", "chroma"], 2))
    growth, served, *main = planned
    assert growth == (0, "growth 10000", "qdlite")
    assert served == (0, "served", "qdlite")
    assert main == [
        (0, "main", "qdlite"),
        (0, "main", "chroma"),
        (1, "served", "qdlite"),
        (1, "main", "qdlite"),
        (1, "main", "chroma"),
    ]


def test_what_is_short_of_the_recall_or_ahead_or_not_offered_is_said() -> None:
    found = results()
    found.rows += [
        Row("dense", "one thread", "other", {"qps": 4000.0, "recall": 0.5}, others=0.5),
        Row("exact", "", "other", {}, error=NOT_OFFERED),
    ]
    text = page(found, "some.json", None)
    assert "| 4,000 (4x, recall 0.500) |" in text
    assert "| Dense search at recall 0.99 | one thread | other | 4,000 | 2,000 |" in text
    assert "| other | exact |\n" in text
    assert NOT_OFFERED not in text


def test_differences_between_two_runs() -> None:
    (line,) = differences(results(), results(1.5), "qdlite", ["qps", "recall"], 0.1)
    assert line.split()[:2] == ["better", "1.50x"]
    assert "dense | one thread" in line


def test_truth_and_recall(tmp_path: Path) -> None:
    data = prepared(Shape(3000, 16, 20), tmp_path)
    vectors = data.vectors(0, 3000)
    scores = data.queries @ vectors.T
    np.testing.assert_array_equal(data.truth[:, 0], scores.argmax(axis=1))
    assert recall(data.truth.tolist(), data.truth) == 1.0
    assert recall([[] for _ in data.truth], data.truth) == 0.0
    narrow = data.filtered()["category 10.0%"]
    assert narrow.share == pytest.approx(0.1, abs=0.03)
    assert all(data.payload(int(row))["category"] == narrow.condition.value for row in narrow.truth[:, 0])


def test_too_few_points_are_filled_up() -> None:
    assert best_positions(np.array([[1.0, 3.0]], np.float32), 4).tolist() == [[1, 0, -1, -1]]


def test_every_group_asks_known_questions() -> None:
    for form in (QUICK, FULL):
        for group in form.groups().values():
            assert set(group.questions) <= set(QUESTIONS)


def test_the_page_of_inference_shows_medians_and_their_spread(tmp_path: Path) -> None:
    file = tmp_path / "inference.json"
    for question, report in (("speed", speed(400.0, 900.0, 500.0)), ("quality", QUALITY)):
        note(file, question, report)
    text = inference_page.page(json.loads(file.read_text()), file.name)
    assert "| at once, qdlite's service | 500 (400 to 900) |" in text
    assert "medians of 3 repeats" in text
    assert "| bm25 | 0.360 | 0.3500 | 0.3400 | 0.7000 | 0.6900 |" in text
    assert file.name in text


def test_answers_about_inference_are_printed_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    note(None, "quality", QUALITY)
    assert json.loads(capsys.readouterr().out) == QUALITY


QUALITY = {
    "texts": 1400,
    "queries": 225,
    "by_hand": {"bm25": 0.36},
    "exact": {"bm25": {"ndcg@10": 0.35, "recall@100": 0.7}},
    "by choice": {"bm25": {"ndcg@10": 0.34, "recall@100": 0.69}},
}


def speed(*at_once: float) -> dict[str, object]:
    """A report with one rate that differs; everything else is 1."""
    paths = [*inference_page._STORING.values(), *inference_page._ALONE.values(), *inference_page._AT_ONCE.values()]
    parts: dict[str, dict[str, float]] = {"storing": {"documents": 4}, "alone": {"queries": 5}}
    parts["concurrent"] = {"queries": 6, "clients": 7}
    for path in paths:
        question, name = path.split(".")
        parts[question][name] = 1.0
    repeats = [{**parts, "concurrent": {**parts["concurrent"], "service_at_once_per_second": rate}} for rate in at_once]
    return {"model": "m", "threads": 2, "largest_difference": 1e-7, "repeats": repeats}
