"""Feature: BM25 ranks real texts as well as it should. The benchmark of the same name has the dense model too."""

from __future__ import annotations

from pathlib import Path

import pytest
from qdrant_client import models

import qdlite
from benchmarks.cranfield import BM25, judgements, ndcg, recall, sections, single


def test_bm25_on_cranfield(shared: Path) -> None:
    """0.350 and 0.729 were computed by hand from Qdrant's formula, outside of qdlite."""
    folder = shared / "data" / "cranfield"
    texts, queries = sections(folder / "cran.all.1400"), sections(folder / "cran.qry")
    gains = judgements(folder / "cranqrel")
    assert (len(texts), len(queries)) == (1400, 225)
    client = qdlite.client()
    sparse = {"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)}
    client.create_collection("cranfield", vectors_config={}, sparse_vectors_config=sparse)
    documents = [models.Document(text=text, model=BM25) for text in texts]
    client.upsert("cranfield", models.Batch(ids=list(range(1, 1401)), vectors={"bm25": [*documents]}))
    way = single("bm25", BM25)
    found = [(way(client, text, True), gains[number]) for number, text in enumerate(queries, 1) if gains.get(number)]
    client.close()
    assert sum(ndcg(*one) for one in found) / len(found) == pytest.approx(0.350, abs=0.002)
    assert sum(recall(*one) for one in found) / len(found) == pytest.approx(0.729, abs=0.002)
