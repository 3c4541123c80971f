"""Feature: texts are stored and searched; the database makes the vectors."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

TEXTS = [
    "Chocolate chip cookies with brown sugar and butter",
    "How to change the tyre of a bicycle",
    "The history of the Roman empire",
]
BM25 = "qdrant/bm25"
HASHING = "hashing/128"


def document(text: str, model: str, **options: Any) -> models.Document:
    return models.Document(text=text, model=model, options=options or None)


@pytest.fixture
def client(client: QdrantClient) -> QdrantClient:
    client.create_collection(
        "c",
        vectors_config={"d": models.VectorParams(size=128, distance=models.Distance.COSINE)},
        sparse_vectors_config={"s": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    points = [
        models.PointStruct(id=n, vector={"d": document(text, HASHING), "s": document(text, BM25)}, payload={"n": n})
        for n, text in enumerate(TEXTS)
    ]
    client.upsert("c", points, wait=True)
    return client


@pytest.mark.parametrize(("using", "model"), [("d", HASHING), ("s", BM25), ("s", "BM25"), ("s", "Qdrant/bm25")])
def test_a_text_finds_texts(client: QdrantClient, using: str, model: str) -> None:
    response = client.query_points("c", query=document("recipe for cookies with butter", model), using=using)
    assert response.points[0].id == 0


def test_hybrid_search_over_texts(client: QdrantClient) -> None:
    prefetch = [
        models.Prefetch(query=document("bicycle tyre", model), using=using)
        for using, model in (("d", HASHING), ("s", BM25))
    ]
    rrf = models.FusionQuery(fusion=models.Fusion.RRF)
    assert client.query_points("c", prefetch=prefetch, query=rrf).points[0].id == 1
    assert len(client.query_batch_points("c", [models.QueryRequest(prefetch=prefetch, query=rrf)] * 2)) == 2


def test_the_text_itself_is_not_stored(client: QdrantClient) -> None:
    (record,) = client.retrieve("c", [0], with_vectors=True)
    assert record.payload == {"n": 0}
    assert isinstance(record.vector, dict)
    assert len(record.vector["d"]) == 128  # type: ignore[arg-type]
    assert isinstance(record.vector["s"], models.SparseVector)


def test_texts_in_columns_and_in_vector_updates(client: QdrantClient) -> None:
    batch = models.Batch(ids=[7], vectors={"s": [document("a whale in the ocean", BM25)]})
    client.upsert("c", batch, wait=True)
    client.update_vectors("c", [models.PointVectors(id=7, vector={"d": document("a whale", HASHING)})], wait=True)
    for using, model in (("d", HASHING), ("s", BM25)):
        assert client.query_points("c", query=document("whale", model), using=using, limit=1).points[0].id == 7


def test_options_change_the_vector(client: QdrantClient) -> None:
    german = document("Die Katzen", BM25, language="german")
    client.upsert("c", [models.PointStruct(id=8, vector={"s": german})], wait=True)
    found = client.query_points("c", query=document("katze", BM25, language="german"), using="s")
    assert [point.id for point in found.points] == [8]


def test_what_was_read_is_reported(http: httpx.Client) -> None:
    http.put("/collections/c", json={"vectors": {"size": 16, "distance": "Cosine"}})
    vector = {"text": "two words", "model": "hashing/16"}
    written = http.put("/collections/c/points?wait=true", json={"points": [{"id": 1, "vector": vector}]}).json()
    assert list(written) == ["result", "status", "time", "usage"]
    assert written["usage"]["inference"]["models"]["hashing/16"]["tokens"] > 0
    assert "usage" not in http.post("/collections/c/points/query", json={"query": 1}).json()


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (document("a", "no-such-model"), "Unknown model: no-such-model"),
        (document("a", BM25, tokenizer="klingon"), "klingon"),
        (models.Image(image="https://example.org/a.png", model=BM25), "Only text input is supported"),
        (document("a", "hashing/64"), "expected dim: 128, got 64"),
    ],
)
def test_what_cannot_be_embedded_is_refused(client: QdrantClient, query: Any, text: str) -> None:
    using = "d" if "hashing" in query.model else "s"
    with pytest.raises(UnexpectedResponse, match=text) as caught:
        client.query_points("c", query=query, using=using)
    assert caught.value.status_code == 400
    assert client.count("c").count == 3
