"""How good is retrieval through the public API? nDCG@10 and recall@100 on the Cranfield collection, as JSON.

1,400 texts and 225 judged queries; BM25, a dense model, and both fused by reciprocal ranks (100 + 100 candidates),
through the stock client in this process, with exact search and as the index chooses.

    python -m benchmarks.cranfield --data ../shared/data/cranfield --models-dir ../shared/models
    python -m benchmarks.cranfield --data ../shared/data/cranfield --models-dir ../shared/models --output results.json
"""

from __future__ import annotations

import argparse
import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient, models

import qdlite
from benchmarks.results import note
from qdlite.database import Database, InferenceSettings

MODEL = "sentence-transformers/all-minilm-l6-v2"
BM25 = "qdrant/bm25"
DEPTH = 100
Ranking = list[int]
Way = Callable[[QdrantClient, str, bool], Ranking]


def sections(file: Path) -> list[str]:
    """The text (`.W`) of each record, in order."""
    records = re.split(r"^\.I \d+\s*$", file.read_text(encoding="latin-1"), flags=re.MULTILINE)[1:]
    return [" ".join(record.partition("\n.W\n")[2].split()) for record in records]


def judgements(file: Path) -> dict[int, dict[int, int]]:
    """Gains by query number and document number: 5 - grade for the grades 1 to 4."""
    gains: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for line in file.read_text().splitlines():
        query, document, grade = (int(part) for part in line.split()[:3])
        if 1 <= grade <= 4:
            gains[query][document] = max(5 - grade, gains[query].get(document, 0))
    return dict(gains)


def ndcg(ranking: Ranking, gains: Mapping[int, int], depth: int = 10) -> float:
    """Discounted gains of the first results over those of the best possible order."""

    def total(values: list[int]) -> float:
        return sum(gain / math.log2(at + 2) for at, gain in enumerate(values[:depth]))

    ideal = total(sorted(gains.values(), reverse=True))
    return total([gains.get(document, 0) for document in ranking]) / ideal if ideal else 0.0


def recall(ranking: Ranking, gains: Mapping[int, int]) -> float:
    return len(gains.keys() & set(ranking[:DEPTH])) / len(gains) if gains else 0.0


def store(client: QdrantClient, texts: list[str]) -> None:
    """All texts with both vectors; empty ones have BM25 alone."""
    client.create_collection(
        "cranfield",
        vectors_config={"dense": models.VectorParams(size=384, distance=models.Distance.COSINE)},
        sparse_vectors_config={"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        optimizers_config=models.OptimizersConfigDiff(indexing_threshold=1),
        hnsw_config=models.HnswConfigDiff(full_scan_threshold=10),  # so small a collection would be scanned otherwise
    )
    for start in range(0, len(texts), DEPTH):
        points = []
        for number, text in enumerate(texts[start : start + DEPTH], start + 1):
            named: dict[str, Any] = {"bm25": models.Document(text=text, model=BM25)}
            if text:
                named["dense"] = models.Document(text=text, model=MODEL)
            points.append(models.PointStruct(id=number, vector=named))
        client.upsert("cranfield", points, wait=True)


def _ids(answer: models.QueryResponse) -> Ranking:
    return [int(point.id) for point in answer.points]


def single(name: str, model: str) -> Way:
    def way(client: QdrantClient, text: str, exact: bool) -> Ranking:
        query = models.Document(text=text, model=model)
        parameters = models.SearchParams(exact=exact)
        return _ids(client.query_points("cranfield", query=query, using=name, limit=DEPTH, search_params=parameters))

    return way


def fused(k: int) -> Way:
    def way(client: QdrantClient, text: str, exact: bool) -> Ranking:
        prefetch = [
            models.Prefetch(
                query=models.Document(text=text, model=model),
                using=name,
                limit=DEPTH,
                params=models.SearchParams(exact=exact),
            )
            for name, model in (("bm25", BM25), ("dense", MODEL))
        ]
        query = models.RrfQuery(rrf=models.Rrf(k=k))
        return _ids(client.query_points("cranfield", prefetch=prefetch, query=query, limit=DEPTH))

    return way


WAYS: dict[str, Way] = {
    "bm25": single("bm25", BM25),
    "dense": single("dense", MODEL),
    "rrf, k = 2": fused(2),
    "rrf, k = 60": fused(60),
}

BY_HAND = {"bm25": 0.350, "dense": 0.374, "rrf, k = 2": 0.398, "rrf, k = 60": 0.408}
"""nDCG@10 by the same models, of scores and ranks computed without any index."""


def measure(
    client: QdrantClient, queries: list[str], gains: dict[int, dict[int, int]], exact: bool
) -> dict[str, dict[str, float]]:
    table = {}
    for name, way in WAYS.items():
        found = [
            (way(client, text, exact), gains[number]) for number, text in enumerate(queries, 1) if gains.get(number)
        ]
        table[name] = {
            "ndcg@10": round(sum(ndcg(*one) for one in found) / len(found), 4),
            "recall@100": round(sum(recall(*one) for one in found) / len(found), 4),
        }
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models-dir", type=Path, required=True)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    texts, queries = sections(options.data / "cran.all.1400"), sections(options.data / "cran.qry")
    gains = judgements(options.data / "cranqrel")
    settings = InferenceSettings(models_dirs=(options.models_dir,), offline=True, embedding_cache_bytes=50_000_000)
    with Database(settings) as database:
        client: QdrantClient = qdlite.client(database, timeout=600)
        store(client, texts)
        database.wait_until_indexed()
        report = {
            "texts": len(texts),
            "queries": len(queries),
            "by_hand": BY_HAND,
            "exact": measure(client, queries, gains, exact=True),
            "by choice": measure(client, queries, gains, exact=False),
        }
    note(options.output, "quality", report)


if __name__ == "__main__":
    main()
