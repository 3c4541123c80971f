"""What does the server spend on a request beyond the engine? Processor time of both, measured in turns.

The engine answers the same requests, decoded before, in a process of its own with the same points. Only the least of
many short passes counts: other programs can only add to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.data import Shape, prepared
from benchmarks.loopback import Connection
from benchmarks.results import Row
from benchmarks.served_requests import loading, requests_of
from benchmarks.timing import processor_seconds

QUESTION = "served cost"
PASSES = 20
CALLS = 60
Kinds = dict[str, list[bytes]]


def costs(port: int, pid: int, kinds: Kinds, points: int) -> Iterator[Row]:
    """Microseconds of processor time a request of the server, of the engine, and the difference."""
    with _engine(points) as engine, Connection(port) as connection:
        for kind, requests in kinds.items():
            calls, load = min(CALLS, len(requests)), os.getloadavg()[0]

            def served(requests: list[bytes] = requests[:calls]) -> float:
                began = processor_seconds(pid)
                for request in requests:
                    connection.ask(request)
                return processor_seconds(pid) - began

            passes = [(served(), engine(kind)) for _ in range(PASSES)]
            server, own = (min(one) / calls * 1e6 for one in zip(*passes, strict=True))
            metrics = {"server_cpu_us": server, "engine_cpu_us": own, "added_cpu_us": server - own}
            yield Row(QUESTION, kind, "qdlite", metrics, load)


@contextmanager
def _engine(points: int) -> Iterator[Callable[[str], float]]:
    """A process with a loaded engine, as a function from a kind to the processor seconds of one pass."""
    command = [sys.executable, "-m", "benchmarks.served_cost", str(points)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        given, answered = process.stdin, process.stdout
        assert given is not None
        assert answered is not None

        def one_pass(kind: str) -> float:
            given.write(kind + "\n")
            given.flush()
            return float(answered.readline())

        yield one_pass
        given.close()


def main() -> None:
    """Reads kinds of requests, a line each; answers each with the processor seconds that the engine needed."""
    from qdlite.database import Database
    from qdlite_server.api import Api
    from qdlite_server.endpoint import Request

    def request(sent: bytes) -> Request:
        head, _, body = sent.partition(b"\r\n\r\n")
        method, address, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        path, _, query = address.partition("?")
        return Request(method, path, query, body)

    with Database() as database:
        api, data = Api(database), prepared(Shape(int(sys.argv[1])))
        for sent in loading(data):
            api.answer(request(sent))
        database.wait_until_indexed()
        kinds = requests_of(data)
        for line in sys.stdin:
            asked = [request(sent) for sent in kinds[line.strip()][:CALLS]]
            route = api.find(asked[0])
            assert route is not None
            calls = [api.call(route, one, {}) for one in asked]
            began = time.process_time()
            for call in calls:
                route.endpoint.handler(database, call)
            print(time.process_time() - began, flush=True)


if __name__ == "__main__":
    main()
