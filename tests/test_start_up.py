"""What does a start load? Nothing slow, nothing optional, nothing that only later answers need: every start pays for
it."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from qdlite.lazily import Late, offered
from qdlite.models import collections

ROOT = Path(__file__).resolve().parent.parent

HEAVY = ["PIL", "fastembed", "hnswlib", "onnxruntime", "qdrant_client", "qdrant_edge", "scipy"]

LATER = [
    "bisect",
    "concurrent.futures",
    "email",
    "hashlib",
    "http.client",
    "importlib.resources",
    "logging",
    "mmh3",
    "msgpack",
    "numpy.ma",
    "pathlib",
    "py_rust_stemmers",
    "random",
    "regex",
    "shutil",
    "ssl",
    "tempfile",
    "urllib.request",
    "qdlite.collection.capture",
    "qdlite.collection.limits.memory",
    "qdlite.collection.limits.verify",
    "qdlite.collection.scroll",
    "qdlite.filters.compile",
    "qdlite.inference.model",
    "qdlite.inference.service",
    "qdlite.models.groups",
    "qdlite.models.matrix",
    "qdlite.models.snapshots",
    "qdlite.payload.column",
    "qdlite.payload.entries",
    "qdlite.payload.indexes",
    "qdlite.persistence.archive",
    "qdlite.persistence.snapshots",
    "qdlite.queries.formula",
    "qdlite.queries.fusion",
    "qdlite.queries.groups",
    "qdlite.queries.scoring",
    "qdlite.text.options",
    "qdlite.vectors.sparse",
]
"""What the first answer of the engine does without."""

LATER_IN_SERVERS = [
    "click",
    "email",
    "multiprocessing",
    "numpy.ma",
    "regex",
    "starlette",
    "uvicorn",
    "qdlite.collection.limits.verify",
    "qdlite.filters.compile",
    "qdlite.inference.service",
    "qdlite.payload.column",
    "qdlite.persistence.archive",
    "qdlite.text.options",
    "qdlite_server.measures",
    "qdlite_server.memory",
    "qdlite_server.metrics",
    "qdlite_server.process",
]
"""The same for a server."""

DEPENDENCIES = "import msgspec, numpy, orjson"
"""What these load by themselves, which differs between versions, is not ours to put off."""

FIRST_ANSWER = """
from qdlite import Database
from qdlite.models import collections, points, query
from qdlite.models.decoding import decode
database = Database()
body = decode(b'{"vectors": {"size": 2, "distance": "Cosine"}}', collections.CreateCollection)
database.create_collection("c", body)
made = [points.PointStruct(id=i, vector={"": [1.0, i]}) for i in range(100)]
database.upsert("c", points.UpsertPoints(points=made))
assert len(database.query("c", query.QueryRequest(query=[1.0, 0.0])).points) == 10
database.close()
"""

FIRST_SERVED = """
import os, signal, socket, threading
from qdlite_server import cli, serving
listening, found = threading.Event(), []
listen = serving.listen

def noticed(host, port):
    listener = listen(host, port)
    found.append(listener.getsockname())
    listening.set()
    return listener

def ask():
    listening.wait()
    with socket.create_connection(found[0]) as connection:
        connection.sendall(b"GET /collections HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
        found.append(connection.makefile("rb").read())
    os.kill(os.getpid(), signal.SIGTERM)

serving.listen = noticed
threading.Thread(target=ask).start()
assert cli.main(["serve", "--port", "0", "--log-level", "error"]) == 0
assert found[1].startswith(b"HTTP/1.1 200 "), found
"""


@cache
def loaded(statement: str) -> frozenset[str]:
    """The modules that a fresh interpreter has loaded after `statement`."""
    return frozenset(run(f"{statement}\nimport sys; print(*sys.modules)").split())


def run(script: str, **settings: str) -> str:
    """What a fresh interpreter prints."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "server")])
    finished = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize("statement", ["import qdlite", "import qdlite.database", "import qdlite_server.app"])
def test_importing_loads_nothing_heavy(statement: str) -> None:
    assert sorted(loaded(statement) & set(HEAVY)) == []


def test_a_heavy_import_is_noticed() -> None:
    assert "scipy" in loaded("import types, sys; sys.modules['scipy'] = types.ModuleType('scipy')")


def test_importing_qdlite_does_not_load_numpy() -> None:
    assert "numpy" not in loaded("import qdlite")


BUSY = """
import os, time
from qdlite import Database
time.sleep(0.1)
print(os.environ["OPENBLAS_THREAD_TIMEOUT"], time.process_time() - time.thread_time())
"""


@pytest.mark.parametrize("settings", [{}, {"OPENBLAS_THREAD_TIMEOUT": "20"}])
def test_threads_of_blas_do_not_wait_in_a_busy_loop(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_THREAD_TIMEOUT", raising=False)
    ticks, seconds = run(BUSY, **settings).split()
    assert ticks == settings.get("OPENBLAS_THREAD_TIMEOUT", "16")
    assert float(seconds) < 0.01


def test_the_first_answer_of_the_engine_loads_what_it_needs() -> None:
    assert sorted((loaded(FIRST_ANSWER) - loaded(DEPENDENCIES)) & {*HEAVY, *LATER}) == []


@pytest.mark.skipif(sys.platform == "win32", reason="the server is stopped by a signal")
def test_the_first_answer_of_a_server_loads_what_it_needs() -> None:
    found = loaded(FIRST_SERVED) - loaded(f"{DEPENDENCIES}, asyncio, httptools, uvloop")
    assert "qdlite_server.running" in found
    assert sorted(found & {*HEAVY, *LATER_IN_SERVERS}) == []


AGES = """
import gc
from qdlite import Database
print(gc.isenabled(), gc.get_freeze_count(), *gc.get_count())
"""


def test_what_was_loaded_is_not_looked_at_for_garbage_soon() -> None:
    enabled, frozen, young, *older = run(AGES).split()
    assert (enabled, frozen, older) == ("True", "0", ["0", "0"])
    assert int(young) < 500


def test_the_first_decoder_reads_no_annotations_from_text() -> None:
    for model in (collections.CreateCollection, *collections.CreateCollection.__mro__):
        assert not any(isinstance(hint, str) for hint in getattr(model, "__annotations__", {}).values())


def test_what_comes_later_exists() -> None:
    """Names in the lists above that no module has would be no guard."""
    for name in {*LATER, *LATER_IN_SERVERS}:
        import_module(name)


@pytest.mark.parametrize(
    "package",
    [
        *("collection", "collection.limits", "database", "filters", "inference", "payload"),
        *("persistence", "queries", "vectors"),
    ],
)
def test_packages_offer_what_they_say(package: str) -> None:
    module = import_module(f"qdlite.{package}")
    assert sorted(name for names in module._HOMES.values() for name in names) == sorted(module.__all__)
    for home, names in module._HOMES.items():
        for name in names:
            assert getattr(module, name) is getattr(import_module(home), name)
            assert not hasattr(import_module(f"qdlite.{package}"), "nonsense")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'here' has no attribute 'x'"):
        offered("here", {"there": ("y",)})("x")


def test_late_things_are_made_once() -> None:
    made: list[int] = []

    def make() -> list[int]:
        made.append(1)
        return made

    late = Late(make)
    assert late.made is None
    assert late() is late() is late.made
    assert made == [1]
