"""Renders docs/conformance.md from the result of a run of the reference suites.

    python tests/conformance/page.py SUMMARY.json >> docs/conformance.md

SUMMARY.json maps each test of Qdrant's `tests/openapi` and of qdrant-client's own suite to its outcome. Items that did
not pass need a reason here; one that has none is shown as open.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

NO_GRPC = "speaks gRPC, which qdlite does not have yet"
CLUSTER = "needs a cluster; qdlite answers as a standalone node"
REASONS = {
    "test_shard_key.py": "skipped by the suite itself on a standalone node",
    "test_stopwords.py": NO_GRPC,
    "test_update_queue.py": "skipped by the suite itself: needs a staging build of Qdrant",
    "test_wait_timeout.py": "skipped by the suite itself: needs a staging build of Qdrant",
    "test_query_invalid_vector_type": f"expects a gRPC error: {NO_GRPC}",
    "test_client_close": f"its second half {NO_GRPC}",
    "test_grpc_options": NO_GRPC,
    "test_async_auth_token_provider": NO_GRPC,
    "test_timeout_propagation": "wants creating a collection to take longer than 10 ms; it takes less",
    "test_custom_sharding": CLUSTER,
    "test_cluster_collection_update": CLUSTER,
    "test_cluster_methods": CLUSTER,
    "test_values_count": "client 1.18 does not count a missing field as 0 values; Qdrant 1.19 and client 1.20 do",
    "test_remote_inference.py": "skipped by the suite itself: needs a hosted model",
}


def reason(test: str) -> str:
    """Why a test does not pass; empty if nobody has said."""
    file, _, name = test.partition("::")
    return REASONS.get(name.split("[")[0], REASONS.get(Path(file).name, ""))


def by_file(tests: dict[str, Any], suite: str) -> dict[str, list[tuple[str, str]]]:
    """(test, outcome) of one suite by file."""
    files: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for item, result in tests.items():
        if item.startswith(f"{suite}:"):
            test = item.removeprefix(f"{suite}:")
            files[test.partition("::")[0]].append((test, result["outcome"]))
    return files


def suite_lines(summary: dict[str, Any], suite: str) -> list[str]:
    """A heading, the totals, what did not pass with its reason, and every item by file."""
    files = by_file(summary["tests"], suite)
    outcomes = [outcome for items in files.values() for _, outcome in items]
    passed = outcomes.count("passed")
    lines = [f"### {suite}: {passed} of {len(outcomes)} items passed", ""]
    rest = [(test, outcome) for items in files.values() for test, outcome in items if outcome != "passed"]
    if rest:
        lines += ["| not passed | outcome | reason |", "|---|---|---|"]
        lines += [f"| `{test}` | {outcome} | {reason(test) or '**open**'} |" for test, outcome in rest]
        lines.append("")
    for file, items in files.items():
        names = [test.partition("::")[2] or test for test, outcome in items if outcome == "passed"]
        lines.append(f"- `{file}`: {len(names)} of {len(items)}" + (f": {', '.join(names)}" if names else ""))
    return [*lines, ""]


def page(summary: dict[str, Any]) -> str:
    """The section about one run, in Markdown."""
    return "\n".join(line for suite in summary["suites"] for line in suite_lines(summary, suite))


if __name__ == "__main__":
    print(page(json.loads(Path(sys.argv[1]).read_text())))
