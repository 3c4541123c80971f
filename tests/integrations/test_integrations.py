"""Do the products that speak to Qdrant work with qdlite? Each is a program that runs against a served database.

A program is skipped unless its package is installed; `requirements.txt` says which versions were tried, and why each
needs an environment of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from qdlite import Database
from qdlite_server.api import Api
from tests.faces import Served

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TIMEOUT = 300
"""Seconds that a program may take, most of which it spends on imports."""

PROGRAMS = {
    "with_agno": "agno",
    "with_crewai": "crewai",
    "with_dspy": "dspy-qdrant",
    "with_haystack": "qdrant-haystack",
    "with_langchain": "langchain-qdrant",
    "with_litellm": "litellm",
    "with_llama_index": "llama-index-vector-stores-qdrant",
    "with_mcp_server": "mcp-server-qdrant",
    "with_mem0": "mem0ai",
    "with_qdrant_client": "qdrant-client",
    "with_raw_calls": "httpx",
    "with_txtai": "qdrant-txtai",
}
"""Modules of this folder, and the distribution that each one tries."""

SCRIPTS = {"rest_client.mjs": "@qdrant/js-client-rest", "langchain.mjs": "@langchain/qdrant"}
"""Files of the folder js, and the package that each one tries."""


def play(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "server")])}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "ok"


@pytest.mark.parametrize("program", PROGRAMS)
def test_python(program: str, server: Served, database: Database) -> None:
    distribution = PROGRAMS[program]
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{distribution} is not installed")
    server.app.api = Api(database)
    play([sys.executable, "-m", f"tests.integrations.{program}", server.url], ROOT)


@pytest.mark.parametrize("script", SCRIPTS)
def test_node(script: str, server: Served, database: Database) -> None:
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    if not (HERE / "js" / "node_modules" / SCRIPTS[script]).is_dir():
        pytest.skip(f"{SCRIPTS[script]} is not installed (npm install in tests/integrations/js)")
    server.app.api = Api(database)
    play(["node", script, server.url], HERE / "js")
