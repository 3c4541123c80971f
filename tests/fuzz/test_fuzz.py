"""Do some hundred random requests get answers that the OpenAPI file allows? The small form of `tests/fuzz/run.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests import openapi

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.skipif(find_spec("schemathesis") is None, reason="schemathesis is not installed")
@pytest.mark.skipif(not openapi.FILE.is_file(), reason="needs the OpenAPI file in ../shared")
def test_some_hundred_requests() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "server")])}
    command = [sys.executable, "-m", "tests.fuzz.run", "--requests", "400", "--minutes", "5"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
