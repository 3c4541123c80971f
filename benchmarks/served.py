"""What does the server add? Requests a second and latency over HTTP, by the stock client and a raw connection."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.data import TOP, Data, Shape, prepared
from benchmarks.loopback import Connection, encoded, free_port
from benchmarks.results import Row
from benchmarks.served_cost import costs
from benchmarks.served_requests import PATH, filter_of, loading, points_of, requests_of
from benchmarks.timing import Metrics, percentile, processor_seconds

QUESTION = "served"
CONNECTIONS = (1, 8, 32)
Call = Callable[[int], object]


def rows(points: int, seconds: float) -> Iterator[Row]:
    """What the server adds to the engine's processor time; requests of each kind from 1, 8 and 32 connections; one
    connection beside another's long work. With two seconds a case all takes about three minutes."""
    data = prepared(Shape(points))
    with _server() as (port, pid):
        _load(port, data)
        kinds = requests_of(data)
        yield from costs(port, pid, kinds, points)
        for kind, requests in kinds.items():
            for connections in CONNECTIONS:
                load = os.getloadavg()[0]
                metrics = _raw(port, pid, requests, connections, seconds)
                yield Row(QUESTION, f"{kind}, raw, {connections}", "qdlite", metrics, load)
                metrics = _stock(port, pid, data, kind, connections, seconds)
                yield Row(QUESTION, f"{kind}, client, {connections}", "qdlite", metrics, load)
        yield from _beside(port, pid, kinds, data, seconds)


@contextmanager
def _server() -> Iterator[tuple[int, int]]:
    port = free_port()
    command = [sys.executable, "-m", "qdlite_server", "serve", "--port", str(port), "--log-level", "error"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(1000):
            try:
                with Connection(port) as connection:
                    connection.ask(encoded("GET", "/collections"))
                break
            except OSError:
                time.sleep(0.01)
        yield port, server.pid
    finally:
        server.terminate()
        server.wait()


def _load(port: int, data: Data) -> None:
    with Connection(port) as connection:
        for request in loading(data):
            connection.ask(request)
        while b'"status":"green"' not in connection.ask(encoded("GET", PATH)):
            time.sleep(0.1)


def _raw(port: int, pid: int, requests: list[bytes], connections: int, seconds: float) -> Metrics:
    opened = [Connection(port) for _ in range(connections)]
    calls: list[Call] = [
        lambda number, connection=connection: connection.ask(requests[number % len(requests)])  # type: ignore[misc]
        for connection in opened
    ]
    try:
        return _measured(calls, pid, seconds)
    finally:
        for connection in opened:
            connection.__exit__(None, None, None)


def _stock(port: int, pid: int, data: Data, kind: str, connections: int, seconds: float) -> Metrics:
    """One `QdrantClient` for all threads, as programs use it."""
    from qdrant_client import QdrantClient, models

    client = QdrantClient(url=f"http://127.0.0.1:{port}", check_compatibility=False, timeout=60)
    vectors, condition = data.queries.tolist(), models.Filter.model_validate(filter_of(data))
    points = [models.PointStruct(**point) for point in points_of(data, range(100))]
    count = len(vectors)
    calls: dict[str, Call] = {
        "query": lambda i: client.query_points("bench", query=vectors[i % count], limit=TOP, with_payload=False),
        "filtered query": lambda i: client.query_points(
            "bench", query=vectors[i % count], limit=TOP, query_filter=condition, with_payload=False
        ),
        "retrieve": lambda i: client.retrieve("bench", [i % count]),
        "upsert of 1": lambda i: client.upsert("bench", [points[i % 100]]),
        "upsert of 100": lambda i: client.upsert("bench", points),
    }
    try:
        return _measured([calls[kind]] * connections, pid, seconds)
    finally:
        client.close()


def _measured(calls: list[Call], pid: int, seconds: float) -> Metrics:
    """Each call in a thread of its own, over and over. `server_cpu_us` is the server's processor time a request."""
    for call in calls:
        call(0)
    latencies: list[list[float]] = [[] for _ in calls]
    deadline = time.perf_counter() + seconds

    def work(thread: int) -> None:
        number, then = thread * 31, time.perf_counter()
        while then < deadline:
            calls[thread](number)
            now = time.perf_counter()
            latencies[thread].append(now - then)
            then, number = now, number + 1

    workers = [threading.Thread(target=work, args=(thread,)) for thread in range(len(calls))]
    processor, began = processor_seconds(pid), time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    spent, processor = time.perf_counter() - began, processor_seconds(pid) - processor
    ordered = sorted(latency for one in latencies for latency in one)
    return {
        "qps": len(ordered) / spent,
        "p50_us": percentile(ordered, 0.5) * 1e6,
        "p99_us": percentile(ordered, 0.99) * 1e6,
        "server_cpu_us": processor / len(ordered) * 1e6,
    }


def _beside(port: int, pid: int, kinds: dict[str, list[bytes]], data: Data, seconds: float) -> Iterator[Row]:
    """Retrieval of one point by one connection while others do long work without a pause."""
    exact = {"query": data.queries[0].tolist(), "limit": 1000, "params": {"exact": True}, "with_vector": True}
    long_work = {
        "nothing": [],
        "exact searches for 1000 with vectors": [encoded("POST", f"{PATH}/points/query", exact)],
        "upserts of 100": kinds["upsert of 100"],
    }
    for name, requests in long_work.items():
        load, done = os.getloadavg()[0], threading.Event()
        worker = threading.Thread(target=_until, args=(port, requests, done))
        worker.start()
        metrics = _raw(port, pid, kinds["retrieve"], 1, seconds)
        done.set()
        worker.join()
        yield Row("served beside", f"retrieve beside {name}", "qdlite", metrics, load)


def _until(port: int, requests: list[bytes], done: threading.Event) -> None:
    with Connection(port) as connection:
        number = 0
        while requests and not done.is_set():
            connection.ask(requests[number % len(requests)])
            number += 1
