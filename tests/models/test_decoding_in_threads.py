"""Can many threads decode their first bodies at once? A process of its own, because the failure is a crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

SCRIPT = """
import sys, threading
from qdlite.models.decoding import decode
from qdlite.models.query import QueryRequest, QueryRequestBatch

sys.setswitchinterval(1e-6)
start = threading.Barrier(16)
query = b'{"query": {"text": "a", "model": "m"}, "filter": {"must": [{"key": "a", "match": {"value": 1}}]}}'

def work():
    start.wait()
    for _ in range(20):
        decode(query, QueryRequest)
    decode(b'{"searches": [' + query + b']}', QueryRequestBatch)

threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_decoders_are_made_by_one_thread_at_a_time() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
