"""Feature: what cannot be embedded is refused in words that help, and nothing is written."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from qdlite import Database
from qdlite.database import ImageSettings, InferenceSettings, ProviderSettings
from tests.features.inference_table import CLIP_VISION, COLBERT, COLOURS, MINILM, SPLADE, png
from tests.inference.stub import Answer, Received, Stub, json_answer

StartStub = Callable[[Callable[[Received], Answer]], Stub]
Vector = dict[str, Any]
POINTS = "/collections/c/points"


@pytest.fixture
def provider(stub: StartStub) -> Stub:
    """Takes what it is asked and gives one vector too few."""

    def short(request: Received) -> Answer:
        if request.path.startswith("/loop"):
            return Answer(302, headers={"Location": "/loop"})
        if request.path.startswith("/huge"):
            return Answer(200, b"x" * 3_000_000)
        rows = [{"index": at, "embedding": [1.0, 0.0]} for at, _ in enumerate(request.json["input"][1:])]
        return json_answer({"data": rows, "usage": {"total_tokens": 1}})

    return stub(short)


@pytest.fixture
def database(tiny_models: Path, provider: Stub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    for name in ("OPENAI_API_KEY", "COHERE_API_KEY", "CO_API_KEY", "JINA_API_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    nobody = "http://127.0.0.1:9"  # the discard port, where nothing listens
    settings = InferenceSettings(
        models_dirs=(tiny_models,),
        offline=True,
        threads=1,
        allowed_models=(MINILM, "qdrant/*", SPLADE, COLBERT, "openai/*", "cohere/*", "jinaai/*", "x/*"),
        images=ImageSettings(max_bytes=2_000_000, max_pixels=1_000_000),
        providers=ProviderSettings(base_urls={"openai": provider.url, "cohere": nobody}, retries=0),
    )  # fmt: skip
    with Database(settings) as database:
        yield database


@pytest.fixture
def http(http: httpx.Client) -> httpx.Client:
    """A client of a server with a collection of every kind of vector, and one point."""
    multi = {"size": 128, "distance": "Cosine", "multivector_config": {"comparator": "max_sim"}}
    dense = {name: {"size": size, "distance": "Cosine"} for name, size in (("dense", 384), ("clip", 512), ("two", 2))}
    body = {"vectors": {**dense, "multi": multi}, "sparse_vectors": {"sparse": {}}}
    assert http.put("/collections/c", json=body).status_code == 200
    assert http.put(f"{POINTS}?wait=true", json={"points": [{"id": 1, "vector": {}}]}).status_code == 200
    return http


def text(data: Any, model: str, **options: Any) -> Vector:
    return {"text": data, "model": model, **({"options": options} if options else {})}


def image(data: Any, model: str = CLIP_VISION) -> Vector:
    return {"image": data, "model": model}


def bomb() -> str:
    """A picture of far more pixels than bytes."""
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


REFUSED: dict[str, tuple[str, Callable[[str], Vector], int, str]] = {
    "unknown model": ("dense", lambda url: text("a", "x/none"), 400, "Unknown model: x/none"),
    "model that is not allowed": ("dense", lambda url: text("a", "baai/bge-small-en"), 400, "not among the models"),
    "dense in sparse": ("sparse", lambda url: text("a", MINILM), 400, 'one of `vectors` with "size": 384'),
    "sparse in dense": ("dense", lambda url: text("bake", SPLADE), 400, "name one of `sparse_vectors`"),
    "BM25 in dense": ("dense", lambda url: text("bake", "qdrant/bm25"), 400, "name one of `sparse_vectors`"),
    "multi in dense": ("dense", lambda url: text("bake", COLBERT), 400, "a `multivector_config`"),
    "wrong size": ("clip", lambda url: text("a", MINILM), 400, 'the vector needs "size": 384'),
    "wrong size after mrl": ("dense", lambda url: text("a", MINILM, mrl=100), 400, 'the vector needs "size": 100'),
    "mrl too large": ("dense", lambda url: text("a", MINILM, mrl=385), 400, "has 384 dimensions"),
    "unknown option": ("dense", lambda url: text("a", MINILM, pooling="max"), 400, "does not know the option pooling"),
    "image for a text model": ("dense", lambda url: image(png(COLOURS["red"]), MINILM), 400, "embeds text, not image"),
    "text for an image model": ("clip", lambda url: text("a", CLIP_VISION), 400, "embeds image, not text"),
    "object": ("dense", lambda url: {"object": {"a": 1}, "model": MINILM}, 400, "embeds text, not object"),
    "image for BM25": ("sparse", lambda url: image("a", "bm25"), 400, "Only text input is supported for bm25"),
    "empty text": ("dense", lambda url: text(" \n", MINILM), 400, "is empty"),
    "10 MB of text": ("dense", lambda url: text("word " * 2_000_000, MINILM), 400, "more than the 1000000 allowed"),
    "broken image": ("clip", lambda url: image(base64.b64encode(b"\x89PNG nothing").decode()), 400, "cannot be read"),
    "no base64": ("clip", lambda url: image("a picture of a dog"), 400, "a data URL or base64"),
    "image that is a number": ("clip", lambda url: image(5), 400, "must be a string"),
    "decompression bomb": ("clip", lambda url: image(bomb()), 400, "more than the 1000000 allowed"),
    "large image": ("clip", lambda url: image("A" * 4_000_000), 400, "larger than the 2000000 bytes"),
    "private address": ("clip", lambda url: image(f"{url}/a.png"), 400, "not a public address"),
    "loopback by name": ("clip", lambda url: image("http://localhost:1/a.png"), 400, "not a public address"),
    "file": ("clip", lambda url: image("file:///etc/passwd"), 400, "a data URL or base64"),
    "provider down": ("two", lambda url: text("a", "cohere/embed-v4.0"), 500, "could not be reached"),
    "too few vectors": ("two", lambda url: text("a", "openai/text-embedding-3-small"), 500, "0 vectors for 1 inputs"),
    "no key": ("two", lambda url: text("a", "jinaai/jina-clip-v2"), 400, "send it as header or option `jina-api-key`"),
    "empty text for a provider": ("two", lambda url: text("", "openai/text-embedding-3-small"), 400, "is empty"),
    "BM25 option": ("sparse", lambda url: text("a", "bm25", b=1.5), 400, "b must be finite and in [0.0, 1.0]"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_and_nothing_written(http: httpx.Client, provider: Stub, case: str) -> None:
    name, make, status, words = REFUSED[case]
    vector = make(provider.url)
    good = {"id": 7, "vector": {"dense": text("a good one", MINILM)}}
    bad = {"id": 8, "vector": {name: vector}}
    writes = {
        "upsert": (http.put, POINTS, {"points": [good, bad]}),
        "columns": (http.put, POINTS, {"batch": {"ids": [8], "vectors": {name: [vector]}}}),
        "vectors": (http.put, f"{POINTS}/vectors", {"points": [{"id": 1, "vector": {name: vector}}]}),
        "batch": (http.post, f"{POINTS}/batch", {"operations": [{"upsert": {"points": [bad]}}]}),
    }
    for send, path, body in writes.values():
        answer = send(f"{path}?wait=true", json=body)
        assert answer.status_code == status, answer.text
        assert words in answer.json()["status"]["error"]
    found = http.post(f"{POINTS}/scroll", json={"with_vector": True}).json()["result"]["points"]
    assert [(point["id"], point["vector"]) for point in found] == [(1, {})]
    query = http.post(f"{POINTS}/query", json={"query": vector, "using": name})
    assert query.status_code in (status, 400), query.text  # a query that does not fit its vector has Qdrant's words


def test_redirect_loop_and_size_of_what_is_fetched(database: Database, http: httpx.Client, provider: Stub) -> None:
    settings = database.inference.settings
    open_to_all = ImageSettings(allow_private_addresses=True, max_bytes=2_000_000)
    object.__setattr__(settings, "images", open_to_all)
    for path, words in (("loop", "too many redirects"), ("huge", "larger than the 2000000 bytes")):
        body = {"points": [{"id": 8, "vector": {"clip": image(f"{provider.url}/{path}")}}]}
        answer = http.put(POINTS, json=body)
        assert (answer.status_code, words in answer.json()["status"]["error"]) == (400, True), answer.text


def test_the_one_among_many_is_named(http: httpx.Client) -> None:
    fine = text("a good one", MINILM)
    good = {"id": 7, "vector": {"dense": fine}}
    for name, vector in (("dense", text("", MINILM)), ("clip", image("?")), ("dense", text("a", "x/none"))):
        bad = {"id": 8, "vector": {name: vector}}
        columns = {"ids": [7, 8], "vectors": {name: [fine, vector]}}
        asked = (("", {"points": [good, bad]}), ("", {"batch": columns}), ("/vectors", {"points": [good, bad]}))
        for path, body in asked:
            answer = http.put(f"{POINTS}{path}", json=body)
            assert answer.json()["status"]["error"].startswith(f"Point 8, vector `{name}`: ")
    alone = http.put(POINTS, json={"points": [{"id": 8, "vector": {"dense": text("", MINILM)}}]})
    assert alone.json()["status"]["error"].startswith("The text for model")
    http.put("/collections/plain", json={"vectors": {"size": 384, "distance": "Dot"}})
    points = [{"id": number, "vector": text(words, MINILM)} for number, words in enumerate(["a", " ", "b"])]
    unnamed = http.put("/collections/plain/points", json={"points": points})
    assert unnamed.json()["status"]["error"].startswith("Point 1: The text for model")


@pytest.mark.parametrize("kind", ["Document", "Image", "Object"])
def test_unnamed_columns_and_updates_take_no_objects(http: httpx.Client, kind: str) -> None:
    vector = {
        "Document": text("a", MINILM),
        "Image": image("a"),
        "Object": {"object": 1, "model": MINILM},
    }[kind]
    columns = http.put(POINTS, json={"batch": {"ids": [8], "vectors": [vector]}})
    words = f"Direct {kind} processing is not supported in top-level batch vectors. Use named vectors."
    assert (columns.status_code, columns.json()["status"]["error"]) == (400, words)
    update = http.put(f"{POINTS}/vectors", json={"points": [{"id": 1, "vector": vector}]})
    words = f"Direct {kind} processing not supported for PointVectors. Use named vectors."
    assert (update.status_code, words in update.json()["status"]["error"]) == (400, True)


@pytest.mark.parametrize("vectors", [{"size": 2, "distance": "Dot"}, {"v": {"size": 2, "distance": "Dot"}}, {}])
def test_sparse_vectors_need_a_name(http: httpx.Client, vectors: dict[str, Any]) -> None:
    http.put("/collections/plain", json={"vectors": vectors})
    answer = http.put("/collections/plain/points", json={"points": [{"id": 1, "vector": text("a dog", "bm25")}]})
    words = "Bad request: Sparse vector from document inference should be named"
    assert (answer.status_code, answer.json()["status"]["error"]) == (400, words)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("search", {"vector": {"name": "dense", "vector": text("a", MINILM)}, "limit": 1}),
        ("search", {"vector": text("a", MINILM), "limit": 1}),
        ("recommend", {"positive": [text("a", MINILM)], "limit": 1}),
        ("search/batch", {"searches": [{"vector": text("a", MINILM), "limit": 1}]}),
        ("search/groups", {"vector": text("a", MINILM), "limit": 1, "group_by": "a", "group_size": 1}),
        ("recommend/batch", {"searches": [{"positive": [1], "negative": [text("a", MINILM)], "limit": 1}]}),
        ("recommend/groups", {"positive": [text("a", MINILM)], "limit": 1, "group_by": "a", "group_size": 1}),
        ("discover", {"target": text("a", MINILM), "limit": 1}),
        ("discover", {"context": [{"positive": 1, "negative": text("a", MINILM)}], "limit": 1}),
        (
            "discover/batch",
            {"searches": [{"target": 1, "context": [{"positive": image("a"), "negative": 1}], "limit": 1}]},
        ),
    ],
)
def test_deprecated_endpoints_take_no_objects(http: httpx.Client, path: str, body: dict[str, Any]) -> None:
    answer = http.post(f"{POINTS}/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["status"]["error"].startswith("Format error in JSON body: ")


def test_a_model_needs_a_name(http: httpx.Client) -> None:
    query = http.post(f"{POINTS}/query", json={"query": text("a", ""), "using": "dense"})
    assert query.status_code == 422
    upsert = http.put(POINTS, json={"points": [{"id": 8, "vector": {"dense": text("a", "")}}]})
    assert upsert.status_code == 400
    missing = http.post(f"{POINTS}/query", json={"query": {"text": "a"}, "using": "dense"})
    assert missing.status_code == 400


def test_inference_before_the_failure_is_told(http: httpx.Client) -> None:
    """An error answer carries the usage of what had been embedded by then."""
    misfit = http.put(POINTS, json={"points": [{"id": 8, "vector": {"clip": text("dog cat", MINILM)}}]})
    assert misfit.status_code == 400
    assert misfit.json()["usage"] == {"inference": {"models": {MINILM: {"tokens": 4}}}}
    nowhere = http.post("/collections/none/points/query", json={"query": text("dog cat", MINILM)})
    assert nowhere.status_code == 404
    assert nowhere.json()["usage"] == {"inference": {"models": {MINILM: {"tokens": 4}}}}
    upserts = [
        {"upsert": {"points": [{"id": 9, "vector": {name: text("a dog", MINILM)}}]}} for name in ("dense", "clip")
    ]
    batch = http.post(f"{POINTS}/batch?wait=true", json={"operations": upserts})
    assert batch.status_code == 400
    assert batch.json()["usage"] == {"inference": {"models": {MINILM: {"tokens": 8}}}}
    assert http.get(f"{POINTS}/9").status_code == 200  # earlier operations of a batch stay
    refused = http.put(POINTS, json={"points": [{"id": 8, "vector": {"dense": text("", MINILM)}}]})
    assert "usage" not in refused.json()


def test_usage_in_every_answer_that_carries_it(http: httpx.Client) -> None:
    one, two = text("the dog", MINILM), text("a cat", MINILM)
    point = {"id": 8, "vector": {"dense": one}, "payload": {"topic": "a"}}
    search = {"query": one, "using": "dense"}
    nested = {"prefetch": [{**search, "limit": 5}, {"query": two, "using": "dense"}], "query": {"fusion": "rrf"}}
    asked: list[tuple[Any, str, Any, int]] = [
        (http.put, "", {"points": [point, {**point, "id": 9}]}, 4),
        (http.put, "", {"batch": {"ids": [8], "vectors": {"dense": [two]}}}, 4),
        (http.put, "/vectors", {"points": [{"id": 8, "vector": {"dense": one}}]}, 4),
        (http.post, "/batch", {"operations": [{"upsert": {"points": [point]}}] * 2}, 8),
        (http.post, "/query", search, 4),
        (http.post, "/query", nested, 8),
        (http.post, "/query/batch", {"searches": [search, nested]}, 8),
        (http.post, "/query/groups", {**search, "group_by": "topic"}, 4),
    ]
    for send, path, body, tokens in asked:
        answer = send(f"{POINTS}{path}", json=body).json()
        assert answer["usage"] == {"inference": {"models": {MINILM: {"tokens": tokens}}}}, path
    assert "usage" not in http.post(f"{POINTS}/query", json={"query": 8, "using": "dense"}).json()
    bm25 = http.post(f"{POINTS}/query", json={"query": text("a", "bm25"), "using": "sparse"}).json()
    assert "usage" not in bm25
