"""Does the command `qdlite` do what it says? Real processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from qdlite.version import __version__
from qdlite_server.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, "-m", "qdlite_server"]


def environment(**extra: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("QDLITE_")}
    return {**inherited, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "server")]), **extra}


def run(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], env=environment(**extra), capture_output=True, text=True, timeout=60, check=False
    )


@contextmanager
def serving(*arguments: str, **extra: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process and its address, read from its log."""
    process = subprocess.Popen(
        [*COMMAND, "serve", *arguments], env=environment(**extra), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"listening on (http://\S+)", line)
        assert found, line + process.stderr.read()
        yield process, found[1]
    finally:
        process.kill()
        process.wait(10)
        process.stderr.close()


def test_version() -> None:
    assert run("--version").stdout == f"qdlite {__version__}\n"


def test_the_version_is_that_of_the_distribution() -> None:
    assert f'\nversion = "{__version__}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_and_stop(number: signal.Signals) -> None:
    with serving("--port", "0") as (process, url):
        assert httpx.get(url).json()["version"] == "1.19.0"
        httpx.put(f"{url}/collections/c", json={})
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr is not None
        output = process.stderr.read()
    assert "Traceback" not in output
    assert "method=PUT path=/collections/c status=200 ms=" in output


def test_every_option_has_an_environment_variable() -> None:
    extra = {
        "QDLITE_HOST": "127.0.0.1",
        "QDLITE_PORT": "0",
        "QDLITE_NO_INFERENCE": "1",
        "QDLITE_MAX_REQUEST_MB": "1",
    }
    with serving(**extra) as (_, url):
        httpx.put(f"{url}/collections/c", json={"sparse_vectors": {"s": {}}})
        document = {"text": "a", "model": "qdrant/bm25"}
        refused = httpx.post(f"{url}/collections/c/points/query", json={"query": document, "using": "s"})
        assert refused.status_code == 400
        assert "Inference is turned off" in refused.json()["status"]["error"]
        large = httpx.put(f"{url}/collections/d", content=b"{}" + b" " * 2**20)
        assert "limit: 1048576 bytes" in large.json()["status"]["error"]


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port))
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        f"qdlite: cannot listen on 127.0.0.1:{port}: Address already in use; is another server running there?"
    ]


@pytest.mark.parametrize("arguments", [["serve", "--port", "70000"], ["serve", "--host", "256.0.0.1"]])
def test_an_impossible_address_is_one_sentence(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("qdlite: cannot listen on ")


def test_a_bad_environment_is_one_sentence() -> None:
    result = run("serve", QDLITE_PORT="http")
    assert (result.returncode, result.stderr) == (1, "qdlite: QDLITE_PORT is 'http', it must be a whole number\n")


def test_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--offline"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["NAME", "KIND", "DIMENSIONS", "CONTEXT", "ON", "DISK"]
    assert any(line.lower().startswith("qdrant/bm25") and line.endswith("built in") for line in lines)


def test_models_in_a_folder_are_on_disk(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fastembed")
    assert main(["models", "--offline", "--models-dir", str(shared / "models")]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if "all-minilm-l6-v2" in line.lower()]
    assert rows
    assert rows[0].split()[1:] == ["dense", "384", "256", "yes"]


def test_pulling_an_unknown_model_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--offline", "pull", "no-such-model"]) == 1
    assert "Unknown model: no-such-model" in capsys.readouterr().err


def test_pulling_a_model_that_is_there(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fastembed")
    arguments = ["--offline", "--models-dir", str(shared / "models"), "pull", "sentence-transformers/all-MiniLM-L6-v2"]
    assert main(["models", *arguments]) == 0
    assert Path(capsys.readouterr().out.strip()).is_dir()
