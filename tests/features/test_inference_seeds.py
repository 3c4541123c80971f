"""Feature: the examples of Qdrant's documentation of inference, with its model names, work as they are written.

Tiny models stand for the large ones, servers on this machine for the providers.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from qdrant_client import QdrantClient, models

from qdlite import Database
from qdlite.database import InferenceSettings, ProviderSettings
from tests.features.inference_table import COLOURS, png
from tests.inference.stub import Answer, Received, Stub, json_answer

RECIPE = "Recipe for baking chocolate chip cookies"
EXAMPLE_PICTURE = "https://qdrant.tech/example.png"
PRINTED = {
    "indices": [112174620, 177304315, 662344706, 771857363, 1617337648],
    "values": [1.6697302, 1.6697302, 1.6697302, 1.6697302, 1.6697302],
}
"""The vector that the documentation prints for the recipe."""


def vector(size: int, about: str) -> list[float]:
    """One direction for what is about Mars or shows it, another for the rest."""
    mars = float("mars" in about.lower() or "example.png" in about)
    return [mars, 1.0 - mars, *([0.0] * (size - 2))]


def openai_form(request: Received) -> Answer:
    """OpenAI and Jina AI: the key is checked, `dimensions` obeyed, usage told."""
    body = request.json
    key = "sk-test" if body["model"].startswith("text-embedding") else "jina_test"
    if request.headers.get("authorization") != f"Bearer {key}":
        return json_answer({"error": {"message": "bad key"}, "detail": "bad key"}, 401)
    rows = [
        {"index": at, "embedding": vector(body.get("dimensions", 1024), str(item))}
        for at, item in enumerate(body["input"])
    ]
    return json_answer({"data": rows, "usage": {"total_tokens": 5 * len(rows)}})


def cohere(request: Received) -> Answer:
    body = request.json
    if request.headers.get("authorization") != "Bearer co-test":
        return json_answer({"message": "invalid api token"}, 401)
    items = body.get("texts") or [item["content"][0]["image_url"]["url"] for item in body["inputs"]]
    assert all("texts" in body or item.startswith("data:image/png;base64,") for item in items)
    assert body["input_type"] in ("search_document", "search_query")
    floats = [vector(body["output_dimension"], "mars") for _ in items]
    return json_answer({"embeddings": {"float": floats}, "meta": {"billed_units": {"input_tokens": 3}}})


@pytest.fixture
def providers(stub: Callable[[Callable[[Received], Answer]], Stub]) -> dict[str, Stub]:
    return {"openai": stub(openai_form), "cohere": stub(cohere), "jinaai": stub(openai_form)}


@pytest.fixture
def database(tiny_models: Path, providers: dict[str, Stub], monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("qdlite.inference.images.fetch", fetch)
    urls = {prefix: f"{server.url}/v1" for prefix, server in providers.items()}
    settings = InferenceSettings(
        models_dirs=(tiny_models,), offline=True, threads=1, providers=ProviderSettings(base_urls=urls)
    )
    with Database(settings) as database:
        yield database


def fetch(url: str, *others: Any) -> bytes:
    """What the address in the example shows: a red planet."""
    assert url == EXAMPLE_PICTURE
    return base64.b64decode(png(COLOURS["red"]))


def create(client: QdrantClient, size: int) -> None:
    params = models.VectorParams(size=size, distance=models.Distance.COSINE)
    client.create_collection("your-collection", vectors_config=params)


@pytest.mark.parametrize("model", ["sentence-transformers/all-minilm-l6-v2", "all-MiniLM-L6-v2", "all-minilm-l6-v2"])
def test_text(client: QdrantClient, model: str) -> None:
    create(client, 384)
    points = [
        models.PointStruct(
            id=1,
            payload={"topic": "cooking", "type": "dessert"},
            vector=models.Document(text=RECIPE, model=model),
        )
    ]
    client.upsert(collection_name="your-collection", points=points)
    result = client.query_points(
        collection_name="your-collection", query=models.Document(text="How to bake cookies?", model=model)
    )
    assert [(point.id, point.payload) for point in result.points] == [(1, points[0].payload)]
    assert result.points[0].score > 0.3


def test_text_over_plain_http(client: QdrantClient, http: httpx.Client) -> None:
    create(client, 384)
    model = "sentence-transformers/all-minilm-l6-v2"
    body: dict[str, Any] = {
        "points": [
            {
                "id": 1,
                "payload": {"topic": "cooking", "type": "dessert"},
                "vector": {"text": RECIPE, "model": model},
            }
        ]
    }
    stored = http.put("/collections/your-collection/points?wait=true", json=body).json()
    assert stored["usage"]["inference"]["models"][model]["tokens"] == 8
    query = {"text": "How to bake cookies?", "model": model}
    for form in (query, {"nearest": query}):
        found = http.post("/collections/your-collection/points/query", json={"query": form}).json()
        assert [point["id"] for point in found["result"]["points"]] == [1]
        assert list(found["usage"]["inference"]["models"]) == [model]


def test_picture_and_text_of_clip(client: QdrantClient) -> None:
    create(client, 512)
    picture = models.Image(image=EXAMPLE_PICTURE, model="qdrant/clip-vit-b-32-vision")
    other = models.Image(image=png(COLOURS["blue"]), model="qdrant/clip-vit-b-32-vision")
    client.upsert(
        "your-collection",
        [
            models.PointStruct(id=1, vector=picture, payload={"title": "Example Image"}),
            models.PointStruct(id=2, vector=other),
        ],
    )
    mission = models.Document(text="Mission to Mars", model="qdrant/clip-vit-b-32-text")
    assert {point.id for point in client.query_points("your-collection", query=mission).points} == {1, 2}
    red = models.Document(text="a red planet", model="qdrant/clip-vit-b-32-text")
    assert client.query_points("your-collection", query=red).points[0].payload == {"title": "Example Image"}


@pytest.mark.parametrize("model", ["qdrant/bm25", "bm25"])
def test_bm25(client: QdrantClient, model: str) -> None:
    client.create_collection(
        "c",
        vectors_config={},
        sparse_vectors_config={"my-bm25-vector": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    client.upsert("c", [models.PointStruct(id=1, vector={"my-bm25-vector": models.Document(text=RECIPE, model=model)})])
    stored = client.retrieve("c", [1], with_vectors=True)[0].vector
    assert isinstance(stored, dict) and isinstance(stored["my-bm25-vector"], models.SparseVector)
    assert stored["my-bm25-vector"].model_dump() == PRINTED
    question = models.Document(text="How to bake cookies?", model=model)
    assert [point.id for point in client.query_points("c", query=question, using="my-bm25-vector").points] == [1]


def test_splade_by_the_name_on_the_product_page(client: QdrantClient) -> None:
    client.create_collection("c", vectors_config={}, sparse_vectors_config={"s": models.SparseVectorParams()})
    client.upsert("c", [models.PointStruct(id=1, vector={"s": models.Document(text=RECIPE, model="splade-pp-en-v1")})])
    question = models.Document(text="bake cookies", model="prithivida/splade_pp_en_v1")
    assert [point.id for point in client.query_points("c", query=question, using="s").points] == [1]


def test_openai(client: QdrantClient, providers: dict[str, Stub]) -> None:
    create(client, 512)
    options = {"openai-api-key": "sk-test", "dimensions": 512}
    model = "openai/text-embedding-3-large"
    recipe = models.Document(text=RECIPE, model=model, options=options)
    client.upsert("your-collection", [models.PointStruct(id=1, vector=recipe)])
    question = models.Document(text="How to bake cookies?", model=model, options=options)
    assert client.query_points("your-collection", query=question).points[0].id == 1
    sent = providers["openai"].received[0]
    assert (sent.path, sent.json) == (
        "/v1/embeddings",
        {"model": "text-embedding-3-large", "input": [RECIPE], "dimensions": 512, "encoding_format": "float"},
    )


def test_cohere(client: QdrantClient, providers: dict[str, Stub]) -> None:
    create(client, 512)
    options = {"cohere-api-key": "co-test", "output_dimension": 512}
    picture = f"data:image/png;base64,{png(COLOURS['red'])}"
    stored = models.Image(image=picture, model="cohere/embed-v4.0", options=options)
    client.upsert("your-collection", [models.PointStruct(id=1, vector=stored)])
    question = models.Document(text="Mission to Mars", model="cohere/embed-v4.0", options=options)
    assert client.query_points("your-collection", query=question).points[0].id == 1
    assert [one.json["input_type"] for one in providers["cohere"].received] == ["search_document", "search_query"]
    assert all(one.path == "/v1/embed" and one.json["output_dimension"] == 512 for one in providers["cohere"].received)


def test_jina(client: QdrantClient, providers: dict[str, Stub]) -> None:
    create(client, 512)
    options = {"jina-api-key": "jina_test", "dimensions": 512}
    stored = models.Image(image=EXAMPLE_PICTURE, model="jinaai/jina-clip-v2", options=options)
    client.upsert("your-collection", [models.PointStruct(id=1, vector=stored)])
    question = models.Document(text="Mission to Mars", model="jinaai/jina-clip-v2", options=options)
    assert client.query_points("your-collection", query=question).points[0].score == pytest.approx(1)
    sent = [one.json for one in providers["jinaai"].received]
    assert [body["input"] for body in sent] == [[{"image": EXAMPLE_PICTURE}], [{"text": "Mission to Mars"}]]
    assert all(body["model"] == "jina-clip-v2" and body["dimensions"] == 512 for body in sent)


def test_keys_in_headers(face: Any, http: httpx.Client, client: QdrantClient) -> None:
    create(client, 512)
    document = {"text": RECIPE, "model": "openai/text-embedding-3-large", "options": {"dimensions": 512}}
    body = {"points": [{"id": 1, "vector": document}]}
    path = "/collections/your-collection/points"
    assert http.put(path, json=body, headers={"openai-api-key": "sk-test"}).status_code == 200
    refused = http.put(path, json=body, headers={"openai-api-key": "sk-wrong"})
    assert refused.status_code == 400
    assert "refused the API key" in refused.json()["status"]["error"]
    assert "sk-wrong" not in refused.text


def test_several_sources_in_one_request(client: QdrantClient, http: httpx.Client, providers: dict[str, Stub]) -> None:
    def dense(size: int) -> models.VectorParams:
        return models.VectorParams(size=size, distance=models.Distance.COSINE)

    client.create_collection(
        "c",
        vectors_config={"image": dense(512), "text": dense(384)},
        sparse_vectors_config={"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    jina = {"model": "jinaai/jina-clip-v2", "options": {"jina-api-key": "jina_test", "dimensions": 512}}
    words = "Mars, the red planet"
    vectors = {
        "image": {"image": EXAMPLE_PICTURE, **jina},
        "text": {"text": words, "model": "sentence-transformers/all-minilm-l6-v2"},
        "bm25": {"text": words, "model": "bm25"},
    }
    stored = http.put("/collections/c/points?wait=true", json={"points": [{"id": 1, "vector": vectors}]}).json()
    used = stored["usage"]["inference"]["models"]
    assert used.keys() == {"jinaai/jina-clip-v2", "sentence-transformers/all-minilm-l6-v2"}  # BM25 is never counted
    assert used["jinaai/jina-clip-v2"] == {"tokens": 5}
    record = client.retrieve("c", [1], with_vectors=True)[0].vector
    assert isinstance(record, dict) and record.keys() == {"image", "text", "bm25"}
    prefetch = [
        {"query": {"text": "Mission to Mars", **jina}, "using": "image"},
        {"query": {"text": "red planet", "model": "sentence-transformers/all-minilm-l6-v2"}, "using": "text"},
        {"query": {"text": "planet", "model": "qdrant/bm25"}, "using": "bm25"},
    ]
    found = http.post("/collections/c/points/query", json={"prefetch": prefetch, "query": {"fusion": "rrf"}}).json()
    assert [point["id"] for point in found["result"]["points"]] == [1]
    assert found["usage"]["inference"]["models"].keys() == used.keys()
    assert len(providers["jinaai"].received) == 2


def test_one_call_for_two_sizes(client: QdrantClient, providers: dict[str, Stub]) -> None:
    """Matryoshka: inputs that differ in `mrl` only share one embedding."""
    client.create_collection(
        "c",
        vectors_config={
            name: models.VectorParams(size=size, distance=models.Distance.COSINE)
            for name, size in (("large", 1024), ("small", 256))
        },
    )
    key = {"openai-api-key": "sk-test"}
    model = "openai/text-embedding-3-small"
    large = models.Document(text=RECIPE, model=model, options=key)
    small = models.Document(text=RECIPE, model=model, options={**key, "mrl": 256})
    client.upsert("c", [models.PointStruct(id=1, vector={"large": large, "small": small})])
    assert len(providers["openai"].received) == 1
    found = client.query_points("c", prefetch=models.Prefetch(query=small, using="small"), query=large, using="large")
    assert [point.id for point in found.points] == [1]
    assert len(providers["openai"].received) == 2
