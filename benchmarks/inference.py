"""How fast is inference through qdlite, against calling fastembed directly with the same threads?

Runs one after the other in one process, best of several rounds each, and prints JSON, or adds it to the file of which
`benchmarks.inference_page` makes docs/inference-benchmarks.md:

* storing: texts of mixed lengths embedded by fastembed's own loop (as given, and in its default batches), by qdlite's
  service, and by an upsert through the stock client in this process;
* queries: one after the other by fastembed, by the service and through the client (there also with a vector, which
  is what the client and the search cost without inference);
* queries from 32 threads at once, beside the bound: fastembed with all of them at hand, in batches of 32, as they come
  and sorted by length. No queue of 32 that arrive one by one can fill its batches that well.

    python -m benchmarks.inference --models-dir ../shared/models
    python -m benchmarks.inference --models-dir ../shared/models --repeats 5 --output results.json
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from qdrant_client import QdrantClient, models

import qdlite
from benchmarks.results import note
from qdlite.database import Database, InferenceInput, InferenceSettings, Mode

MODEL = "sentence-transformers/all-minilm-l6-v2"
WORDS = (__doc__ or "").split()
REST = 0.1
"""Seconds before the clock starts: the threads of fastembed's session go on spinning for some 40 ms after a call, and
would take a core from whatever is measured next."""
BLOCK = 20
"""Queries of one way in turn."""


def mixed_texts(count: int, seed: int = 1) -> list[str]:
    """Texts as they come: most are short, some are long; between 3 and about 250 words."""
    chance = random.Random(seed)
    lengths = [min(250, max(3, round(chance.lognormvariate(3.2, 0.9)))) for _ in range(count)]
    return [" ".join(chance.choices(WORDS, k=length)) for length in lengths]


def short_queries(count: int, seed: int = 2) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(3, 8))) for _ in range(count)]


class Seconds:
    """Measures alternatives in turn, round by round, so that a disturbance of the machine meets all of them."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds

    def best(self, alternatives: dict[str, Callable[[], object]]) -> dict[str, float]:
        times: dict[str, list[float]] = {name: [] for name in alternatives}
        for _ in range(self._rounds):
            for name, run in alternatives.items():
                time.sleep(REST)
                started = time.perf_counter()
                run()
                times[name].append(time.perf_counter() - started)
        return {name: min(found) for name, found in times.items()}


def batch_sizes(run: Callable[[], object]) -> list[int]:
    """The number of texts in each batch that a model of fastembed gets meanwhile."""
    from fastembed.text.onnx_text_model import OnnxTextModel

    sizes: list[int] = []
    plain = OnnxTextModel._run_model

    def noted(model: Any, onnx_input: dict[str, Any], **options: Any) -> Any:
        sizes.append(len(onnx_input["input_ids"]))
        return plain(model, onnx_input, **options)

    with patch.object(OnnxTextModel, "_run_model", noted):
        run()
    return sizes


class Bench:
    """The same model twice: in fastembed's class, and in qdlite."""

    def __init__(self, directory: Path, threads: int, rounds: int) -> None:
        from fastembed import TextEmbedding

        folder = next(path.parent for path in sorted(directory.rglob("model.onnx")))
        self.direct = TextEmbedding(MODEL, specific_model_path=str(folder), threads=threads, cuda=False)
        self.database = Database(InferenceSettings(models_dirs=(directory,), offline=True, threads=threads))
        self.client: QdrantClient = qdlite.client(self.database)
        self.seconds = Seconds(rounds)

    def infer(self, texts: Sequence[str], mode: Mode) -> list[Any]:
        return self.database.inference.infer([InferenceInput(text, "text", MODEL) for text in texts], mode).embeddings

    def check(self) -> float:
        """The largest difference between the vectors of both ways."""
        texts = mixed_texts(20)
        direct = np.stack(list(self.direct.embed(texts)))
        return float(np.abs(direct - np.stack(self.infer(texts, "update"))).max())

    def storing(self, count: int) -> dict[str, Any]:
        texts = mixed_texts(count)
        points = [
            models.PointStruct(id=at, vector=models.Document(text=text, model=MODEL)) for at, text in enumerate(texts)
        ]
        self._collection()
        best = self.seconds.best(
            {
                "fastembed": lambda: list(self.direct.embed(texts)),
                "service": lambda: self.infer(texts, "update"),
                "upsert": lambda: self.client.upsert("bench", points, wait=True),
            }
        )
        rates = {f"{name}_per_second": round(count / seconds, 1) for name, seconds in best.items()}
        return {"documents": count, **rates, "upsert_vs_fastembed": round(best["fastembed"] / best["upsert"], 2)}

    def lone_queries(self, count: int) -> dict[str, Any]:
        queries = short_queries(count)
        documents = [models.Document(text=text, model=MODEL) for text in queries]
        vectors = [vector.tolist() for vector in self.infer(queries, "search")]
        ways: dict[str, Callable[[Any], object]] = {
            "fastembed": lambda text: list(self.direct.query_embed(text)),
            "service": lambda text: self.infer([text], "search"),
            "query": lambda document: self.client.query_points("bench", query=document, limit=1),
            "query_with_vector": lambda vector: self.client.query_points("bench", query=vector, limit=1),
        }
        items: dict[str, Sequence[Any]] = {
            "fastembed": queries,
            "service": queries,
            "query": documents,
            "query_with_vector": vectors,
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for start in range(0, count, BLOCK):
            for name, run in ways.items():
                time.sleep(REST)
                for item in items[name][start : start + BLOCK]:
                    started = time.perf_counter()
                    run(item)
                    times[name].append(time.perf_counter() - started)
        middle = {name: statistics.median(found) for name, found in times.items()}
        return {
            "queries": count,
            **{f"{name}_ms": round(seconds * 1e3, 3) for name, seconds in middle.items()},
            "service_vs_fastembed": round(middle["service"] / middle["fastembed"], 3),
            "query_vs_fastembed": round(middle["query"] / middle["fastembed"], 3),
        }

    def concurrent_queries(self, count: int, clients: int) -> dict[str, Any]:
        queries = short_queries(count)
        documents = [models.Document(text=text, model=MODEL) for text in queries]

        def through(run: Callable[[Any], object], items: Sequence[Any]) -> Callable[[], object]:
            def all_at_once() -> object:
                with ThreadPoolExecutor(clients) as pool:
                    return list(pool.map(run, items))

            return all_at_once

        service_at_once = through(lambda text: self.infer([text], "search"), queries)
        by_length = sorted(queries, key=self.direct.token_count)
        best = self.seconds.best(
            {
                "one_by_one": lambda: [self.infer([text], "search") for text in queries],
                "fastembed_one_by_one": lambda: [list(self.direct.query_embed(text)) for text in queries],
                "fastembed_batches": lambda: list(self.direct.embed(queries, batch_size=clients)),
                "fastembed_sorted_batches": lambda: list(self.direct.embed(by_length, batch_size=clients)),
                "service_at_once": service_at_once,
                "query_at_once": through(
                    lambda item: self.client.query_points("bench", query=item, limit=1), documents
                ),
            }
        )
        rates = {f"{name}_per_second": round(count / seconds, 1) for name, seconds in best.items()}
        return {
            "queries": count,
            "clients": clients,
            "inputs_per_batch": round(statistics.mean(batch_sizes(service_at_once)), 1),
            **rates,
            "at_once_vs_one_by_one": round(best["one_by_one"] / best["service_at_once"], 2),
            "bound_vs_one_by_one": round(best["one_by_one"] / best["fastembed_sorted_batches"], 2),
        }

    def _collection(self) -> None:
        self.client.delete_collection("bench")
        params = models.VectorParams(size=384, distance=models.Distance.COSINE)
        self.client.create_collection("bench", vectors_config=params)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models-dir", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--queries", type=int, default=200, help="one after the other")
    parser.add_argument("--queries-at-once", type=int, default=1000, help="so many that beginning and end count little")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    bench = Bench(options.models_dir, options.threads, options.rounds)
    with bench.database:
        report = {
            "model": MODEL,
            "threads": options.threads,
            "largest_difference": bench.check(),
            "repeats": [
                {
                    "storing": bench.storing(options.documents),
                    "alone": bench.lone_queries(options.queries),
                    "concurrent": bench.concurrent_queries(options.queries_at_once, options.clients),
                }
                for _ in range(options.repeats)
            ],
        }
    note(options.output, "speed", report)


if __name__ == "__main__":
    main()
