"""An external inference service in Qdrant's protocol: what is sent, what each answer becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qdlite.errors import BadRequest, InferenceError, QdliteError, RateLimited, ServiceError, Timeout
from qdlite.inference import AddedModel, InferenceInput, InferenceService, InferenceSettings
from qdlite.types import SparseArray
from tests.inference.stub import Answer, Received, Stub, json_answer

StartStub = Callable[[Callable[[Received], Answer]], Stub]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def service(url: str, **settings: Any) -> InferenceService:
    return InferenceService(InferenceSettings(inference_url=url, **settings))


def numbers(request: Received) -> Answer:
    """Vector [n] for the n-th input."""
    count = len(request.json["inputs"])
    usage = {"models": {"a/b": {"tokens": 10 * count}}}
    return json_answer({"embeddings": [[float(n)] for n in range(count)], "usage": usage, "more": 1})


def test_one_call_for_all_distinct_inputs(stub: StartStub) -> None:
    server = stub(numbers)
    inputs = [
        InferenceInput("t", "text", "a/b"),
        InferenceInput("t", "text", "BM25"),
        InferenceInput({"url": 1}, "image", "C/d", {"mrl": 2, "x-api-key": "k"}),
        InferenceInput([1], "object", "C/d", {}),
        InferenceInput("t", "text", "a/b"),
        InferenceInput("t", "text", "hashing/2"),
        InferenceInput("t", "text", "openai/m"),
    ]
    headers = {"OpenAI-Api-Key": "k1", "x-api-key": "k2", "api-key": "mine", "Authorization": "Bearer mine"}
    result = service(f"{server.url}/embed?x=1", inference_token="secret").infer(inputs, "search", headers=headers)
    (request,) = server.received
    assert (request.method, request.path) == ("POST", "/embed?x=1")
    assert request.json == {
        "inputs": [
            {"data": "t", "data_type": "text", "model": "a/b", "options": None},
            {"data": {"url": 1}, "data_type": "image", "model": "C/d", "options": {"mrl": 2, "x-api-key": "k"}},
            {"data": [1], "data_type": "object", "model": "C/d", "options": {}},
            {"data": "t", "data_type": "text", "model": "openai/m", "options": None},
        ],
        "inference": "search",
        "token": "secret",
    }
    assert request.headers["openai-api-key"] == "k1" and request.headers["x-api-key"] == "k2"
    assert "api-key" not in request.headers and "authorization" not in request.headers
    places = [result.embeddings[n] for n in (0, 2, 3, 4, 6)]
    assert [vector.tolist() for vector in places] == [[0], [1], [2], [0], [3]]  # type: ignore[union-attr]
    assert result.usage == {"a/b": 40, "hashing/2": 1}


def test_shapes(stub: StartStub) -> None:
    embeddings = [[1, 2.5], {"indices": [7, 3], "values": [1.0, 2.0]}, [[1.0, 2.0], [3.0, 4.0]], []]
    server = stub(lambda request: json_answer({"embeddings": embeddings, "usage": None}))
    inputs = [InferenceInput(str(n), "text", "m") for n in range(4)]
    dense, sparse, multi, empty = service(server.url).infer(inputs, "update").embeddings
    assert isinstance(dense, np.ndarray) and dense.dtype == np.float32 and dense.tolist() == [1, 2.5]
    assert isinstance(sparse, SparseArray)
    assert (sparse.indices.tolist(), sparse.values.tolist()) == ([3, 7], [2.0, 1.0])
    assert isinstance(multi, np.ndarray) and multi.shape == (2, 2)
    assert isinstance(empty, np.ndarray) and empty.shape == (0,)


def test_more_vectors_than_inputs(stub: StartStub) -> None:
    server = stub(lambda request: json_answer({"embeddings": [[1], [2]]}))
    assert service(server.url).infer([InferenceInput("t", "text", "m")], "update").usage == {}


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (json_answer({"error": "m"}, 400), BadRequest, "Bad request: Inference request validation failed: m"),
        (Answer(400, b"what"), BadRequest, "Bad request: Invalid inference request: what"),
        (
            Answer(401, b"no"),
            ServiceError,
            "Service internal error: Authentication failed for inference service (401 Unauthorized): no",
        ),
        (
            Answer(403, b"no"),
            ServiceError,
            "Service internal error: Authentication failed for inference service (403 Forbidden): no",
        ),
        (
            Answer(429, b"no"),
            RateLimited,
            "Rate limiting exceeded: Too many requests for inference service (429 Too Many Requests): no",
        ),
        (
            Answer(503, b"no"),
            ServiceError,
            "Service internal error: Inference service error (503 Service Unavailable): no",
        ),
        (Answer(404, b"no"), BadRequest, "Bad request: Inference can't process request (404 Not Found): no"),
        (Answer(202, b"no"), ServiceError, "Service internal error: Unexpected inference error (202 Accepted): no"),
        (
            json_answer({"embeddings": []}),
            ServiceError,
            "Service internal error: Inference service returned no vectors. Check if models are properly loaded.",
        ),
        (json_answer({"embeddings": [[1.0]]}), InferenceError, "Missing inferred vector for image"),
    ],
)
def test_refusals(stub: StartStub, answer: Answer, error: type[QdliteError], text: str) -> None:
    """Texts as in Qdrant 1.19 (src/common/inference/service.rs)."""
    server = stub(lambda request: answer)
    inputs = [InferenceInput("t", "text", "m"), InferenceInput("t", "image", "m")]
    with pytest.raises(error) as refused:
        service(server.url).infer(inputs, "update")
    assert type(refused.value) is error
    assert str(refused.value) == text


@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"[]",
        b"{}",
        b'{"embeddings": [1]}',
        b'{"embeddings": [["a"]]}',
        b'{"embeddings": [[1e39]]}',
        b'{"embeddings": [[[[1]]]]}',
        b'{"embeddings": [{"indices": [1, 1], "values": [1, 1]}]}',
        b'{"embeddings": [{"indices": [-1], "values": [1]}]}',
        b'{"embeddings": [{"indices": [1.5], "values": [1]}]}',
        b'{"embeddings": [{"indices": [1], "values": [1e39]}]}',
        b'{"embeddings": [[1]], "usage": {"models": {"m": {}}}}',
    ],
)
def test_unreadable_answers(stub: StartStub, body: bytes) -> None:
    server = stub(lambda request: Answer(body=body))
    with pytest.raises(ServiceError, match="Failed to parse"):
        service(server.url).infer([InferenceInput("t", "text", "m")], "update")


@pytest.mark.parametrize(
    ("header", "seconds"), [("5", 5), ("1.2", 2), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("soon", None), ("", None)]
)
def test_retry_after(stub: StartStub, header: str, seconds: int | None) -> None:
    server = stub(lambda request: Answer(429, headers={"Retry-After": header}))
    with pytest.raises(RateLimited) as refused:
        service(server.url).infer([InferenceInput("t", "text", "m")], "update")
    assert refused.value.retry_after == seconds


def test_unreachable_and_slow(stub: StartStub) -> None:
    import threading

    release = threading.Event()

    def slow(request: Received) -> Answer:
        release.wait(5)
        return numbers(request)

    server = stub(slow)
    made = service(server.url)
    with pytest.raises(Timeout):
        made.infer([InferenceInput("t", "text", "m")], "update", timeout=0.1)
    with pytest.raises(ServiceError, match="Failed to send inference request"):
        service(server.url, inference_timeout=0.1).infer([InferenceInput("t", "text", "m")], "update")
    release.set()
    server.close()
    with pytest.raises(ServiceError, match="Failed to send inference request"):
        made.infer([InferenceInput("t", "text", "m")], "update")


def test_bad_local_options_cost_no_call(stub: StartStub) -> None:
    server = stub(numbers)
    inputs = [InferenceInput("t", "text", "m"), InferenceInput("t", "text", "bm25", {"b": 2})]
    with pytest.raises(QdliteError, match="b must be finite"):
        service(server.url).infer(inputs, "update")
    assert server.received == []


def test_models_of_the_user_stay_local(stub: StartStub, tiny: Any, tmp_path: Any) -> None:
    server = stub(numbers)
    tiny.dense_text(tmp_path)
    added = AddedModel("me/mine", 384, folder=tmp_path)
    made = service(server.url, models=(added,), threads=1)
    assert made.infer([InferenceInput("dog", "text", "Me/Mine")], "update").usage == {"Me/Mine": 3}
    assert server.received == []
