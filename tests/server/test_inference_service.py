"""qdlite as the inference service of others: Qdrant's protocol, OpenAI's shape, and figures about models."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from qdlite import Database, errors
from qdlite.database import InferenceInput, InferenceSettings, ProviderSettings
from qdlite.inference.embedders.fastembed import FastembedEmbedder
from qdlite_server.api import Api
from qdlite_server.app import App
from qdlite_server.endpoint import Request
from qdlite_server.inprocess import InProcessTransport
from qdlite_server.routes.inference import Service
from tests.faces import running
from tests.inference.stub import Answer, Received, Stub, json_answer

MINILM = "sentence-transformers/all-minilm-l6-v2"
RECIPE = "Recipe for baking chocolate chip cookies"
StartStub = Callable[[Callable[[Received], Answer]], Stub]


def an(data: Any, model: str, kind: str = "text", options: dict[str, Any] | None = None) -> dict[str, Any]:
    """One input as a Qdrant node sends it."""
    return {"data": data, "data_type": kind, "model": model, "options": options}


def ask(*inputs: dict[str, Any], mode: str = "update", token: str | None = None) -> dict[str, Any]:
    return {"inputs": list(inputs), "inference": mode, "token": token}


@pytest.fixture
def tiny_database(tiny_models: Path) -> Iterator[Database]:
    with Database(InferenceSettings(models_dirs=(tiny_models,), offline=True, threads=1)) as database:
        yield database


@pytest.fixture
def tiny_http(tiny_database: Database) -> Iterator[httpx.Client]:
    with httpx.Client(base_url="http://q", transport=InProcessTransport(tiny_database)) as client:
        yield client


def guarded(database: Database, service: Service) -> Callable[[str, str, Any, dict[str, str]], Any]:
    """Asks an API with the service configured as given."""
    import json

    api = Api(database, service=service)

    def send(method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        answer = api.answer(Request(method, path, body=json.dumps(body).encode(), headers=headers))
        return answer.status, json.loads(answer.body or b"null")

    return send


def test_all_kinds_of_vectors(tiny_http: httpx.Client, tiny_database: Database) -> None:
    colbert = "colbert-ir/colbertv2.0"
    inputs = [an(RECIPE, MINILM), an(RECIPE, "BM25"), an(RECIPE, colbert), an(RECIPE, MINILM, options={"mrl": 8})]
    answer = tiny_http.post("/infer", json=ask(*inputs))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    dense, sparse, multi, short = answer.json()["embeddings"]
    assert (len(dense), len(short)) == (384, 8)
    assert sparse["indices"][0] == 112174620 and sparse["values"][0] == pytest.approx(1.6697302)
    assert {len(row) for row in multi} == {128}
    assert answer.json()["usage"]["models"].keys() == {MINILM, colbert}
    direct = tiny_database.inference.infer([InferenceInput(RECIPE, "text", MINILM)], "update").embeddings[0]
    np.testing.assert_array_equal(np.array(dense, dtype=np.float32), direct)
    queries = tiny_http.post("/infer", json=ask(an(RECIPE, colbert), mode="search")).json()["embeddings"]
    assert len(queries[0]) == 32


def test_without_usage_and_without_inputs(tiny_http: httpx.Client) -> None:
    assert tiny_http.post("/infer", json=ask(an("a", "bm25"))).json()["usage"] is None
    assert tiny_http.post("/infer", json=ask()).json() == {"embeddings": [], "usage": None}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (ask(an("a", "no/model")), "Unknown model: no/model"),
        (ask(an("a", MINILM, "image")), "embeds text, not image"),
        (ask(an("a", MINILM), an("", MINILM)), "`inputs[1]`: The text for model"),
        (ask(an("a", "bm25", options={"b": 2})), "b must be finite"),
        (ask(an("a", MINILM), mode="store"), "Format error in JSON body"),
        ({"inputs": [{"data": "a"}], "inference": "update"}, "Format error in JSON body"),
        ("text", "Format error in JSON body"),
    ],
)
def test_what_the_caller_can_repair_is_a_400_with_one_text(tiny_http: httpx.Client, body: Any, words: str) -> None:
    answer = tiny_http.post("/infer", json=body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"] and words in answer.json()["error"]


def test_token_and_path(tiny_database: Database) -> None:
    send = guarded(tiny_database, Service(path="/models/embed", token="secret"))
    body = ask(an("a dog", MINILM), token="secret")
    assert send("POST", "/models/embed", body, {})[0] == 200
    for token in (None, "", "Secret"):
        status, told = send("POST", "/models/embed", {**body, "token": token}, {})
        assert (status, told) == (401, {"error": "The token is missing or wrong"})
    assert send("POST", "/infer", body, {})[0] == 404
    openai = {"input": "a dog", "model": MINILM}
    assert send("POST", "/v1/embeddings", openai, {"authorization": "Bearer secret"})[0] == 200
    status, told = send("POST", "/v1/embeddings", openai, {"authorization": "Bearer wrong"})
    assert (status, told["error"]["type"]) == (401, "authentication_error")
    assert send("GET", "/v1/models", None, {})[0] == 401


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (errors.RateLimited("full", 7), 429, "7"),
        (errors.ModelLoading("not yet"), 503, "5"),
        (errors.Timeout("too slow"), 504, None),
        (errors.ServiceError("broken"), 500, None),
        (ZeroDivisionError("broken"), 500, None),
    ],
)
def test_statuses(
    tiny_http: httpx.Client,
    tiny_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    retry: str | None,
) -> None:
    def infer(*args: Any, **options: Any) -> Any:
        raise error

    monkeypatch.setattr(tiny_database.inference, "infer", infer)
    answer = tiny_http.post("/infer", json=ask(an("a", MINILM)))
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry)
    assert list(answer.json()) == ["error"]
    openai = tiny_http.post("/v1/embeddings", json={"input": "a", "model": MINILM})
    assert (openai.status_code, openai.headers.get("retry-after")) == (status, retry)
    kind = "rate_limit_error" if status == 429 else "server_error"
    assert openai.json()["error"]["type"] == kind


def test_keys_of_providers_arrive_with_the_headers(stub: StartStub, monkeypatch: pytest.MonkeyPatch) -> None:
    def openai(request: Received) -> Answer:
        good = request.headers["authorization"] == "Bearer sk-1"
        answer = {"data": [{"index": 0, "embedding": [1.0, 2.0]}], "usage": {"total_tokens": 3}}
        return json_answer(answer) if good else json_answer({"error": {"message": "who?"}}, 401)

    monkeypatch.setenv("NO_PROXY", "*")
    server = stub(openai)
    settings = InferenceSettings(providers=ProviderSettings(base_urls={"openai": server.url}))
    with Database(settings) as database:
        send = guarded(database, Service())
        body = ask(an("a", "openai/m"))
        answer = send("POST", "/infer", body, {"openai-api-key": "sk-1"})
        assert answer == (200, {"embeddings": [[1.0, 2.0]], "usage": {"models": {"openai/m": {"tokens": 3}}}})
        status, told = send("POST", "/infer", body, {"openai-api-key": "sk-2"})
        assert status == 400 and "refused the API key" in told["error"]
        dimensions = {"input": "a", "model": "openai/m", "dimensions": 2}
        assert send("POST", "/v1/embeddings", dimensions, {"openai-api-key": "sk-1"})[0] == 200
        assert server.received[-1].json["dimensions"] == 2
        remote = send("GET", "/inference/models", None, {})[1]["result"]["models"][-1]
        assert (remote["name"], remote["kind"], remote["state"]) == ("openai/m", "external", "remote")
        assert (remote["usage"]["tokens"], remote["usage"]["requests"]) == (6, 2)


def test_a_body_larger_than_a_request_of_a_client_may_be(tiny_database: Database) -> None:
    app = App(Api(tiny_database, max_body=20_000))
    with running(app) as url:
        inputs = [an(f"dog {at}", MINILM) for at in range(400)]
        body = ask(*inputs)
        answer = httpx.post(f"{url}/infer", json=body, timeout=30)
        assert len(answer.request.content) > 40_000
        assert (answer.status_code, len(answer.json()["embeddings"])) == (200, 400)
        refused = httpx.post(f"{url}/infer", json=ask(*inputs * 3), timeout=30)
        assert refused.status_code == 400
        assert "larger than allowed (limit: 80000 bytes)" in refused.json()["error"]
        assert httpx.put(f"{url}/collections/c", content=b" " * 30_000, timeout=30).status_code == 400


def test_one_qdlite_uses_another(tiny_database: Database) -> None:
    """Both directions of the protocol: a node without models, and the service it asks."""
    with running(App(Api(tiny_database, service=Service(token="t")))) as url:
        settings = InferenceSettings(inference_url=f"{url}/infer", inference_token="t")
        with Database(settings) as node:
            inputs = [InferenceInput(RECIPE, "text", model) for model in (MINILM, "prithivida/splade_pp_en_v1", "bm25")]
            there = node.inference.infer(inputs, "update")
            here = tiny_database.inference.infer(inputs, "update")
            for ours, theirs in zip(here.embeddings, there.embeddings, strict=True):
                np.testing.assert_array_equal(
                    np.concatenate(np.atleast_2d(ours)), np.concatenate(np.atleast_2d(theirs))
                )
            assert there.usage == here.usage
            with pytest.raises(errors.BadRequest, match="Inference request validation failed: Unknown model"):
                node.inference.infer([InferenceInput("a", "text", "x/y")], "update")


def test_openai_shape(tiny_http: httpx.Client) -> None:
    one = tiny_http.post("/v1/embeddings", json={"input": RECIPE, "model": MINILM}).json()
    assert (one["object"], one["model"], one["usage"]) == ("list", MINILM, {"prompt_tokens": 8, "total_tokens": 8})
    assert [(row["object"], row["index"], len(row["embedding"])) for row in one["data"]] == [("embedding", 0, 384)]
    listed = {"input": [RECIPE], "model": MINILM, "encoding_format": None}
    assert tiny_http.post("/v1/embeddings", json=listed).json() == one
    body = {"input": [RECIPE, "dog"], "model": MINILM, "encoding_format": "base64", "dimensions": 16, "user": "u"}
    two = tiny_http.post("/v1/embeddings", json=body).json()
    vectors = [np.frombuffer(base64.b64decode(row["embedding"]), dtype="<f4") for row in two["data"]]
    assert [vector.shape for vector in vectors] == [(16,), (16,)]
    full = np.array(one["data"][0]["embedding"][:16])
    np.testing.assert_allclose(vectors[0], full / np.linalg.norm(full), rtol=1e-5)


def test_openai_models_are_those_that_can_be_used(tiny_http: httpx.Client) -> None:
    answer = tiny_http.get("/v1/models").json()
    ids = [model["id"] for model in answer["data"]]
    assert answer["object"] == "list"
    assert "sentence-transformers/all-MiniLM-L6-v2" in ids and "Qdrant/clip-ViT-B-32-text" in ids
    assert "colbert-ir/colbertv2.0" not in ids and "thenlper/gte-base" not in ids


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"input": "", "model": MINILM}, "is empty"),
        ({"input": ["a", ""], "model": MINILM}, "`input[1]`: The text for model"),
        ({"input": "a", "model": MINILM, "dimensions": 0}, "`dimensions` must be a positive integer, got 0"),
        ({"input": [], "model": MINILM}, "`input` is empty"),
        ({"input": [1, 2], "model": MINILM}, "token numbers"),
        ({"input": [[1, 2]], "model": MINILM}, "token numbers"),
        ({"input": "a", "model": "bm25"}, "sparse vectors"),
        ({"input": "a", "model": "colbert-ir/colbertv2.0"}, "a vector for each token"),
        ({"input": "a", "model": MINILM, "dimensions": 999}, "`dimensions` is 999, but sentence-transf"),
        ({"input": "a", "model": MINILM, "encoding_format": "int8"}, "encoding_format"),
        ({"input": "a"}, "missing required field"),
    ],
)
def test_openai_errors(tiny_http: httpx.Client, body: dict[str, Any], words: str) -> None:
    answer = tiny_http.post("/v1/embeddings", json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error" and words in error["message"]
    assert error.keys() == {"message", "type", "param", "code"}


def test_openai_unknown_model(tiny_http: httpx.Client) -> None:
    """As OpenAI tells it, so that its clients raise NotFoundError."""
    answer = tiny_http.post("/v1/embeddings", json={"input": "a", "model": "no/model"})
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["message"].startswith("Unknown model: no/model")
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, "model_not_found")


def test_report_and_metrics(tiny_http: httpx.Client) -> None:
    def row(name: str) -> Any:
        models = tiny_http.get("/inference/models").json()["result"]["models"]
        return next(model for model in models if model["name"] == name)

    name = "sentence-transformers/all-MiniLM-L6-v2"
    assert row(name)["state"] == "on disk"
    assert row(name)["usage"] == {"tokens": 0, "requests": 0, "seconds": 0}
    tiny_http.post("/infer", json=ask(an("dog", MINILM), an("the dog", MINILM.upper()), an("dog", "bm25")))
    tiny_http.post("/v1/embeddings", json={"input": "dog", "model": MINILM})
    known = row(name)
    assert (known["kind"], known["modality"], known["dimensions"]) == ("dense", ["text"], 384)
    assert (known["context_window"], known["state"]) == (64, "loaded")
    assert (known["usage"]["tokens"], known["usage"]["requests"]) == (3 + 4 + 3, 3)
    assert known["usage"]["seconds"] > 0
    assert row("thenlper/gte-base")["state"] == "not downloaded"
    assert row("qdrant/bm25")["usage"]["requests"] == 1
    assert row("Qdrant/clip-ViT-B-32-vision")["modality"] == ["image"]
    metrics = tiny_http.get("/metrics").text
    assert f'inference_tokens_total{{model="{name}"}} 10' in metrics
    assert f'inference_requests_total{{model="{name}"}} 3' in metrics
    assert 'inference_requests_total{model="qdrant/bm25"} 1' in metrics
    assert f'inference_duration_seconds_total{{model="{name}"}} 0.' in metrics


class Held:
    """A provider whose answers wait until they are let go."""

    def __init__(self, stub: StartStub) -> None:
        self.free = threading.Event()
        self.server = stub(self.answer)

    def answer(self, request: Received) -> Answer:
        self.free.wait(30)
        rows = [{"index": at, "embedding": [1.0, 0.0]} for at, _ in enumerate(request.json["input"])]
        return json_answer({"data": rows, "usage": {"total_tokens": 1}})

    def reached(self, count: int) -> bool:
        end = time.monotonic() + 20
        while len(self.server.received) < count and time.monotonic() < end:
            time.sleep(0.005)
        return len(self.server.received) >= count


@pytest.fixture
def held(stub: StartStub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    monkeypatch.setenv("NO_PROXY", "*")
    made = Held(stub)
    yield made
    made.free.set()


@pytest.fixture
def slow(held: Held) -> Iterator[tuple[App, str]]:
    """A server whose only model is the held provider, with a collection and a point."""
    providers = ProviderSettings(base_urls={"openai": held.server.url})
    with Database(InferenceSettings(providers=providers)) as database:
        app = App(Api(database))
        with running(app) as url:
            httpx.put(f"{url}/collections/c", json={"vectors": {"size": 2, "distance": "Dot"}})
            httpx.put(f"{url}/collections/c/points?wait=true", json={"points": [{"id": 1, "vector": [1.0, 0.0]}]})
            yield app, url


DOCUMENT = {"text": "a", "model": "openai/slow"}


def test_slow_inference_holds_up_no_other_request(slow: tuple[App, str], held: Held) -> None:
    """More requests wait for a model than there are threads for plain ones."""
    _, url = slow
    count = 50
    with ThreadPoolExecutor(count) as pool, httpx.Client(base_url=url, timeout=30) as http:
        path = "/collections/c/points/query"
        bodies = [{"query": {**DOCUMENT, "text": f"text {at}"}} for at in range(count)]
        waiting = [pool.submit(httpx.post, f"{url}{path}", json=body, timeout=60) for body in bodies]
        assert held.reached(count)
        assert http.post(path, json={"query": [1.0, 0.0]}).json()["result"]["points"][0]["id"] == 1
        written = http.put("/collections/c/points?wait=true", json={"points": [{"id": 2, "vector": [0.0, 1.0]}]})
        assert written.status_code == 200
        assert not any(future.done() for future in waiting)
        held.free.set()
        assert {future.result().status_code for future in waiting} == {200}


def test_a_provider_that_does_not_answer_holds_up_no_model_that_is_here(
    slow: tuple[App, str], held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, url = slow
    monkeypatch.setattr(app._elsewhere_workers, "_limit", 2)
    path = f"{url}/collections/c/points/query"
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(httpx.post, path, json={"query": DOCUMENT}, timeout=60) for _ in range(3)]
        assert held.reached(2)
        assert httpx.post(f"{url}/infer", json=ask(an("a", "bm25")), timeout=30).status_code == 200
        held.free.set()
        assert {future.result().status_code for future in waiting} == {200}


def test_inference_ends_when_the_client_leaves(slow: tuple[App, str], held: Held) -> None:
    app, url = slow
    body = {"points": [{"id": 5, "vector": DOCUMENT}]}
    with pytest.raises(httpx.ReadTimeout):
        httpx.put(f"{url}/collections/c/points?wait=true", json=body, timeout=httpx.Timeout(30, read=0.3))
    assert held.reached(1)
    end = time.monotonic() + 10
    while app.busy and time.monotonic() < end:
        time.sleep(0.01)
    assert not app.busy  # though the provider has not answered
    held.free.set()
    assert httpx.get(f"{url}/collections/c/points/5").status_code == 404
    assert 'status="499"' in httpx.get(f"{url}/metrics").text


def test_timeout_of_a_request(slow: tuple[App, str], held: Held) -> None:
    _, url = slow
    answer = httpx.post(f"{url}/collections/c/points/query?timeout=1", json={"query": DOCUMENT}, timeout=30)
    assert answer.status_code == 408
    assert "timeout" in answer.json()["status"]["error"].lower()


def test_too_many_requests_are_told_to_come_back(
    slow: tuple[App, str], held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qdlite_server.app.MAX_INFERENCE", 2)
    _, url = slow
    path = f"{url}/collections/c/points/query"
    with ThreadPoolExecutor(2) as pool:
        waiting = [
            pool.submit(httpx.post, path, json={"query": {**DOCUMENT, "text": text}}, timeout=60) for text in "ab"
        ]
        assert held.reached(2)
        refused = httpx.post(path, json={"query": DOCUMENT}, timeout=30)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        infer = httpx.post(f"{url}/infer", json=ask(an("a", DOCUMENT["model"])), timeout=30)
        assert (infer.status_code, list(infer.json())) == (429, ["error"])
        assert httpx.post(f"{url}/infer", json=ask(an("a", "bm25")), timeout=30).status_code == 200
        held.free.set()
        assert {future.result().status_code for future in waiting} == {200}
    assert httpx.post(path, json={"query": DOCUMENT}, timeout=30).status_code == 200


def test_a_full_queue_of_a_model(tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One input may wait: while the rest of a long request does, another is refused, and told when to come back."""
    begun, release, embed = threading.Event(), threading.Event(), FastembedEmbedder.embed

    def held(embedder: FastembedEmbedder, *given: Any) -> Any:
        begun.set()
        assert release.wait(20)
        return embed(embedder, *given)

    settings = InferenceSettings(models_dirs=(tiny_models,), offline=True, threads=1, max_waiting=1)
    with Database(settings) as database, running(App(Api(database))) as url, ThreadPoolExecutor(1) as pool:
        database.inference.infer([InferenceInput("a", "text", MINILM)], "update")
        monkeypatch.setattr(FastembedEmbedder, "embed", held)
        long = ask(*(an(f"dog {at}", MINILM) for at in range(3000)))
        busy = pool.submit(httpx.post, f"{url}/infer", json=long, timeout=60)
        assert begun.wait(20)
        refused = httpx.post(f"{url}/infer", json=ask(an("a", MINILM), an("cat", MINILM)), timeout=30)
        release.set()
        assert busy.result().status_code == 200
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert "Too many inputs wait for the model" in refused.json()["error"]
