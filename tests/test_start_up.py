"""What does `import qdlite` load? Nothing slow, nothing optional: every start pays for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

HEAVY = ["PIL", "fastembed", "hnswlib", "onnxruntime", "qdrant_client", "qdrant_edge", "scipy"]


def loaded(statement: str) -> list[str]:
    """Those of `HEAVY` that a fresh interpreter has loaded after `statement`."""
    script = f"{statement}; import sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "server")])}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


@pytest.mark.parametrize("statement", ["import qdlite", "import qdlite.database", "import qdlite_server.app"])
def test_importing_loads_nothing_heavy(statement: str) -> None:
    assert loaded(statement) == []


def test_a_heavy_import_is_noticed() -> None:
    assert loaded("import types, sys; sys.modules['scipy'] = types.ModuleType('scipy')") == ["scipy"]
