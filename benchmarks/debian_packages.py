"""Does hybrid search over tens of thousands of real texts give the right answers, and how long does it take?

Loads the package descriptions of Debian (`apt-cache dumpavail`) through the stock client: every point is sent as
text and becomes a BM25 vector and a dense vector on the server, with section, maintainer and size as payload. Then
answers hybrid queries (dense + BM25, fused by reciprocal ranks), some with a filter on the section.

    python benchmarks/debian_packages.py                       # in this process, model from --models-dir
    python benchmarks/debian_packages.py --url http://127.0.0.1:6333
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient, models

COLLECTION = "debian"
MODEL = "sentence-transformers/all-minilm-l6-v2"
BM25 = "qdrant/bm25"
QUERIES: list[tuple[str, list[str]]] = [
    ("terminal file manager with two panes", ["utils", "misc", "x11"]),
    ("convert images from the command line", ["graphics"]),
    ("play chess against the computer", ["games"]),
    ("edit audio recordings", ["sound"]),
    ("check websites for broken links", ["web", "net"]),
    ("backup files encrypted to a remote server", []),
    ("Python library for linear algebra", ["python"]),
]


def stanzas() -> Iterator[dict[str, str]]:
    """Debian's list of available packages, a dict for each."""
    listing = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    for block in listing.split("\n\n"):
        fields = (line.split(": ", 1) for line in block.splitlines() if line[:1].strip() and ": " in line)
        stanza = dict(fields)
        if "Package" in stanza and "Description" in stanza:
            yield stanza


def payload(stanza: dict[str, str]) -> dict[str, Any]:
    """What is stored beside the vectors."""
    return {
        "package": stanza["Package"],
        "description": stanza["Description"],
        "section": stanza.get("Section", "unknown").split("/")[-1],
        "maintainer": stanza.get("Maintainer", ""),
        "installed_kib": int(stanza.get("Installed-Size", 0)),
    }


def text(point: dict[str, Any]) -> str:
    return f"{point['package']}: {point['description']}"


def create(client: QdrantClient) -> None:
    if client.collection_exists(COLLECTION):
        client.delete_collection(COLLECTION)
    client.create_collection(
        COLLECTION,
        vectors_config={"dense": models.VectorParams(size=384, distance=models.Distance.COSINE)},
        sparse_vectors_config={"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    client.create_payload_index(COLLECTION, "section", models.PayloadSchemaType.KEYWORD)


def load(client: QdrantClient, points: list[dict[str, Any]], batch: int) -> float:
    """Sends all points as text; returns the seconds until the last one is stored."""
    started = time.perf_counter()
    for start in range(0, len(points), batch):
        client.upsert(
            COLLECTION,
            [
                models.PointStruct(
                    id=start + row,
                    vector={
                        "dense": models.Document(text=text(point), model=MODEL),
                        "bm25": models.Document(text=text(point), model=BM25, options={"avg_len": 10}),
                    },
                    payload=point,
                )
                for row, point in enumerate(points[start : start + batch])
            ],
        )
    return time.perf_counter() - started


def search(client: QdrantClient, query: str, sections: list[str], limit: int = 5) -> list[models.ScoredPoint]:
    """Both searches on the server, fused by reciprocal ranks."""
    among = models.FieldCondition(key="section", match=models.MatchAny(any=sections)) if sections else None
    return client.query_points(
        COLLECTION,
        prefetch=[
            models.Prefetch(query=models.Document(text=query, model=MODEL), using="dense", limit=50),
            models.Prefetch(query=models.Document(text=query, model=BM25), using="bm25", limit=50),
        ],
        query=models.FusionQuery(fusion=models.Fusion.RRF),
        query_filter=models.Filter(must=[among]) if among else None,
        limit=limit,
    ).points


def connect(arguments: argparse.Namespace) -> QdrantClient:
    if arguments.url:
        return QdrantClient(url=arguments.url, cloud_inference=True, timeout=600)
    import qdlite
    from qdlite.inference import InferenceSettings

    settings = InferenceSettings(models_dirs=tuple(Path(folder) for folder in arguments.models_dir), offline=True)
    return qdlite.client(qdlite.Database(settings))


def query_times(client: QdrantClient, rounds: int) -> list[float]:
    """Milliseconds of each query, after one round to warm up."""
    times = []
    for turn in range(rounds + 1):
        for query, sections in QUERIES:
            started = time.perf_counter()
            search(client, query, sections)
            if turn:
                times.append((time.perf_counter() - started) * 1000)
    return sorted(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a running server; without it, everything happens in this process")
    parser.add_argument("--models-dir", action="append", default=[], help="where the dense model is found")
    parser.add_argument("--points", type=int, default=20_000, help="how many packages to load (default 20,000)")
    parser.add_argument("--batch", type=int, default=256, help="points per upsert")
    parser.add_argument("--rounds", type=int, default=5, help="how often each query is timed")
    parser.add_argument("--out", type=Path, help="write the measurements as JSON")
    arguments = parser.parse_args()

    points = [payload(stanza) for stanza in stanzas()]
    step = max(1, len(points) // arguments.points)  # spread over all sections, not only the first letters
    points = points[::step][: arguments.points] if step > 1 else points[: arguments.points]
    client = connect(arguments)
    create(client)
    seconds = load(client, points, arguments.batch)
    print(f"{len(points):,} packages loaded in {seconds:.1f} s ({len(points) / seconds:,.0f} a second)\n")
    for query, sections in QUERIES:
        among = f"  [section: {', '.join(sections)}]" if sections else ""
        print(f"{query}{among}")
        for hit in search(client, query, sections):
            stored = hit.payload or {}
            print(f"  {hit.score:.3f}  {stored['package']:<28} {stored['description'][:70]}")
        print()
    times = query_times(client, arguments.rounds)
    median, worst = statistics.median(times), times[int(len(times) * 0.99)]
    print(f"{len(times)} hybrid queries: median {median:.1f} ms, 99th percentile {worst:.1f} ms")
    if arguments.out:
        result = {"points": len(points), "load_s": seconds, "query_p50_ms": median, "query_p99_ms": worst}
        arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    client.close()


if __name__ == "__main__":
    main()
