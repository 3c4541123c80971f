"""What does the process of one engine do? It answers the questions of one group and writes rows to a file.

Started by `benchmarks.run`; nothing of another engine is ever loaded here.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.data import prepared
from benchmarks.engines.base import NotOffered
from benchmarks.engines.registry import ENGINES
from benchmarks.questions.registry import FORMS, QUESTIONS, Group
from benchmarks.questions.subject import Subject
from benchmarks.results import NOT_OFFERED, Row
from benchmarks.timing import Effort, Neighbours


def answers(group: Group, subject: Subject) -> Iterator[Row]:
    """The rows of a group. A question that fails leaves a row with the error, and the next one goes on."""
    neighbours = Neighbours()
    for question in group.questions:
        load = os.getloadavg()[0]
        name = subject.engine.name
        try:
            for case, metrics in QUESTIONS[question](subject):
                yield Row(question, _titled(group, question, case), name, metrics, load, others=neighbours.cores())
        except NotOffered:
            yield Row(question, "", name, {}, load, NOT_OFFERED)
        except Exception as error:  # one failing measurement must not lose the others
            yield Row(question, "", name, {}, load, f"{type(error).__name__}: {error}"[:300])


def _titled(group: Group, question: str, case: str) -> str:
    return group.title + case if question == "load" else case


def main() -> None:
    engine, form_name, group_name, passes, seconds, output = sys.argv[1:7]
    group = FORMS[form_name].groups()[group_name]
    effort = Effort(int(passes), float(seconds))
    with tempfile.TemporaryDirectory(prefix="qdlite-bench-") as folder, Path(output).open("w") as rows:
        subject = Subject(ENGINES[engine](folder), prepared(group.shape), effort)
        for row in answers(group, subject):
            rows.write(json.dumps(asdict(row)) + "\n")
            rows.flush()
    sys.stdout.flush()
    os._exit(0)  # engines with threads of their own need not hold this up


if __name__ == "__main__":
    main()
