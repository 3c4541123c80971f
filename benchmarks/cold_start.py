"""How long is it from the start of a process to the first answer? In this process, and of a server over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

from benchmarks.loopback import free_port
from benchmarks.results import Row
from benchmarks.timing import memory

QUESTION = "cold start"

_QDLITE = """
from qdlite import Database
from qdlite.models import collections, points, query
from qdlite.models.decoding import decode
database = Database()
vectors = b'{"vectors": {"size": 64, "distance": "Cosine"}}'
database.create_collection("c", decode(vectors, collections.CreateCollection))
made = [points.PointStruct(id=i, vector={"": [float(i + j) for j in range(64)]}) for i in range(100)]
database.upsert("c", points.UpsertPoints(points=made))
assert len(database.query("c", query.QueryRequest(query=[1.0] * 64)).points) == 10
"""

_EDGE = """
import tempfile
import qdrant_edge as edge
folder = tempfile.mkdtemp()
vectors = edge.EdgeVectorParams(size=64, distance=edge.Distance.Cosine)
shard = edge.EdgeShard.create(folder, edge.EdgeConfig(vectors={"": vectors}))
made = [edge.Point(i, [float(i + j) for j in range(64)], None) for i in range(100)]
shard.update(edge.UpdateOperation.upsert_points(made))
assert len(shard.query(edge.QueryRequest(limit=10, query=edge.Query.Nearest([1.0] * 64)))) == 10
"""

_CLIENT = """
from qdrant_client import QdrantClient, models
client = {make}
client.create_collection("c", vectors_config=models.VectorParams(size=64, distance=models.Distance.COSINE))
made = [models.PointStruct(id=i, vector=[float(i + j) for j in range(64)]) for i in range(100)]
client.upsert("c", made)
assert len(client.query_points("c", query=[1.0] * 64).points) == 10
"""

_SCRIPTS = {
    "qdlite": _QDLITE,
    "qdrant-edge": _EDGE,
    "qdrant-client :memory:": _CLIENT.format(make='QdrantClient(":memory:")'),
    "qdlite, stock client": "import qdlite\n" + _CLIENT.format(make="qdlite.client()"),
    "chroma": """
import chromadb
client = chromadb.EphemeralClient(chromadb.config.Settings(anonymized_telemetry=False))
found = client.create_collection("cold", embedding_function=None)
found.upsert(ids=[str(i) for i in range(100)], embeddings=[[float(i + j) for j in range(64)] for i in range(100)])
assert len(found.query(query_embeddings=[[1.0] * 64], n_results=10)["ids"][0]) == 10
""",
    "lancedb": """
import tempfile
import lancedb
made = [{"id": i, "vector": [float(i + j) for j in range(64)]} for i in range(100)]
table = lancedb.connect(tempfile.mkdtemp()).create_table("c", made)
assert len(table.search([1.0] * 64).limit(10).to_list()) == 10
""",
    "milvus-lite": """
import tempfile
from pymilvus import MilvusClient
client = MilvusClient(tempfile.mkdtemp() + "/cold.db")
client.create_collection("c", dimension=64)
client.insert("c", [{"id": i, "vector": [float(i + j) for j in range(64)]} for i in range(100)])
assert len(client.search("c", data=[[1.0] * 64], limit=10)[0]) == 10
""",
}
_REPORT = """
import time
print(time.monotonic())
print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
"""


def rows(engines: list[str], repeats: int) -> Iterator[Row]:
    """Collection made, 100 points of 64 dimensions stored, first search answered."""
    for engine in engines:
        for _ in range(repeats if engine in _SCRIPTS else 0):
            load, began = os.getloadavg()[0], time.monotonic()
            script = _SCRIPTS[engine] + _REPORT
            finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
            if finished.returncode:
                yield Row(QUESTION, "first answer", engine, {}, load, finished.stderr.strip().splitlines()[-1][:300])
                break
            end, resident = finished.stdout.split()[-2:]
            metrics = {"seconds": float(end) - began, "resident_mib": int(resident) / 1024}
            yield Row(QUESTION, "first answer", engine, metrics, load)
    if "qdlite" in engines:
        yield from (_server() for _ in range(repeats))


def _server() -> Row:
    port, load, began = free_port(), os.getloadavg()[0], time.monotonic()
    command = [sys.executable, "-m", "qdlite_server", "serve", "--port", str(port), "--log-level", "error"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/collections", timeout=5) as answer:
                    answer.read()
                break
            except OSError:
                if time.monotonic() - began > 30:
                    return Row(QUESTION, "server's first answer", "qdlite", {}, load, "no answer for 30 s")
                time.sleep(0.002)
        metrics = {"seconds": time.monotonic() - began, "resident_mib": memory(server.pid)["resident_mib"]}
        return Row(QUESTION, "server's first answer", "qdlite", metrics, load)
    finally:
        server.terminate()
        server.wait()
