"""External providers against stubs that behave as their API references say."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import Cancelled, InferenceError, QdliteError, RateLimited, ServiceError, Timeout
from qdlite.inference import (
    Cancellation,
    ImageSettings,
    InferenceInput,
    InferenceService,
    InferenceSettings,
    ProviderSettings,
)
from qdlite.inference.inputs import Mode
from qdlite.inference.providers.backend import calls
from qdlite.inference.providers.base import CallLimits, Prepared
from tests.inference.stub import Answer, Received, Stub, json_answer

StartStub = Callable[[Callable[[Received], Answer]], Stub]
KEYS = {
    "OPENAI_API_KEY": "openai",
    "COHERE_API_KEY": "cohere",
    "CO_API_KEY": "cohere",
    "JINA_API_KEY": "jinaai",
    "OPENROUTER_API_KEY": "openrouter",
}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


def number(text: str) -> list[float]:
    return [float(len(text)), 1.0, 2.0]


def openai(request: Received) -> Answer:
    """OpenAI's embeddings endpoint; rows are given back to front, as a client may not rely on their order."""
    if request.headers.get("authorization") != "Bearer sk-good":
        return json_answer({"error": {"message": f"Incorrect API key: {request.headers.get('authorization')}"}}, 401)
    body = request.json
    if request.path != "/v1/embeddings" or body["encoding_format"] != "float":
        return json_answer({"error": {"message": "wrong path or format"}}, 404)
    if len(body["input"]) > 2048 or "" in body["input"]:
        return json_answer({"error": {"message": "'$.input' is invalid.", "type": "invalid_request_error"}}, 400)
    size = body.get("dimensions", 3)
    rows = [
        {"object": "embedding", "index": at, "embedding": number(text)[:size]} for at, text in enumerate(body["input"])
    ]
    tokens = sum(len(text.split()) for text in body["input"])
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return json_answer({"object": "list", "data": rows[::-1], "model": body["model"], "usage": usage})


def cohere(request: Received) -> Answer:
    body = request.json
    if request.path != "/v2/embed" or request.headers.get("authorization") != "Bearer co-good":
        return json_answer({"message": "invalid api token"}, 498)
    if "input_type" not in body or body["embedding_types"] != ["float"]:
        return json_answer({"message": "input_type is required"}, 400)
    items = body.get("texts") or body.get("images") or body.get("inputs")
    if len(items) > (1 if "images" in body else 96):
        return json_answer({"message": "too many inputs"}, 422)
    kind = {"search_document": 0.0, "search_query": 1.0, "image": 2.0}[body["input_type"]]
    billed = {"images": len(items)} if "images" in body else {"input_tokens": 2 * len(items)}
    embeddings = {"float": [[kind, float(len(str(item)))] for item in items]}
    return json_answer({"id": "x", "embeddings": embeddings, "meta": {"billed_units": billed}})


def echo(request: Received) -> Answer:
    """OpenAI's form for any input."""
    rows = [{"index": at, "embedding": [float(at), 1.0]} for at, _ in enumerate(request.json["input"])]
    return json_answer({"data": rows, "usage": {"total_tokens": 7}})


def service(prefix: str, url: str, **settings: Any) -> InferenceService:
    providers = ProviderSettings(base_urls={prefix: url}, **settings)
    images = ImageSettings(allow_private_addresses=True)
    made = InferenceService(InferenceSettings(providers=providers, offline=True, images=images))
    made._providers._pause = lambda cancellation, seconds: None
    return made


def text(data: str, model: str, **options: Any) -> InferenceInput:
    return InferenceInput(data, "text", model, {name.replace("_key", "-key").replace("_api", "-api"): value
                                                for name, value in options.items()} or None)  # fmt: skip


def test_openai(stub: StartStub) -> None:
    server = stub(openai)
    made = service("openai", f"{server.url}/v1/")
    inputs = [text("one word", "openai/text-embedding-3-small"), text("x", "openai/text-embedding-3-small")]
    result = made.infer([*inputs, inputs[0]], "update", headers={"OpenAI-Api-Key": "sk-good"})
    assert [vector.tolist() for vector in result.embeddings] == [[8, 1, 2], [1, 1, 2], [8, 1, 2]]  # type: ignore[union-attr]
    assert result.usage == {"openai/text-embedding-3-small": 3}
    assert len(server.received) == 1
    sent = server.received[0].json
    assert sent == {"model": "text-embedding-3-small", "input": ["one word", "x"], "encoding_format": "float"}


def test_mrl_shares_one_call_and_dimensions_does_not(stub: StartStub) -> None:
    server = stub(openai)
    made = service("openai", f"{server.url}/v1", keys={"openai": "sk-good"})
    model = "openai/text-embedding-3-large"
    variants = [text("abc", model), text("abc", model, mrl=2), text("abc", model, dimensions=2)]
    large, small, other = made.infer(variants, "search").embeddings
    assert isinstance(large, np.ndarray) and isinstance(small, np.ndarray) and isinstance(other, np.ndarray)
    assert (large.tolist(), small.tolist(), other.tolist()) == ([3, 1, 2], [3, 1], [3, 1])
    assert [request.json.get("dimensions") for request in server.received] == [None, 2]
    assert all("mrl" not in request.json for request in server.received)


def test_where_the_key_comes_from(stub: StartStub, monkeypatch: pytest.MonkeyPatch) -> None:
    server = stub(openai)
    made = service("openai", f"{server.url}/v1")
    model = "openai/m"
    made.infer([text("a", model, openai_api_key="sk-good")], "update", headers={"openai-api-key": "sk-other"})
    assert "openai-api-key" not in server.received[0].json
    monkeypatch.setenv("OPENAI_API_KEY", "sk-good")
    made.infer([text("a", model)], "update")
    configured = service("openai", f"{server.url}/v1", keys={"openai": "sk-good"})
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    configured.infer([text("a", model)], "update")
    with pytest.raises(InferenceError) as refused:
        made.infer([text("a", model)], "update")
    assert "refused the API key (401)" in str(refused.value)
    assert "sk-other" not in str(refused.value)


def test_without_key() -> None:
    with pytest.raises(InferenceError, match="header or option `openai-api-key`, or set OPENAI_API_KEY"):
        InferenceService().infer([text("a", "openai/m")], "update")
    with pytest.raises(InferenceError, match="is no API key"):
        InferenceService().infer([text("a", "openai/m", openai_api_key="a\r\nHost: b")], "update")


def test_server_of_ones_own_needs_no_key(stub: StartStub) -> None:
    server = stub(echo)
    service("openai", server.url).infer([text("a", "openai/nomic-embed-text")], "update")
    assert "authorization" not in server.received[0].headers


def test_an_address_with_a_query(stub: StartStub) -> None:
    """Azure's deployments: the version of the API at the end, the key in a header of their own."""
    server = stub(echo)
    made = service("openai", f"{server.url}/openai/deployments/small/?api-version=2024-06-01")
    made.infer([text("a", "openai/m")], "update", headers={"openai-api-key": "k"})
    (request,) = server.received
    assert request.path == "/openai/deployments/small/embeddings?api-version=2024-06-01"
    assert (request.headers["api-key"], request.headers["authorization"]) == ("k", "Bearer k")


def test_keys_are_not_shared_between_inputs(stub: StartStub) -> None:
    server = stub(echo)
    made = service("openai", server.url)
    made.infer([text("a", "openai/m", openai_api_key=key) for key in ("k1", "k2")], "update")
    assert {request.headers["authorization"] for request in server.received} == {"Bearer k1", "Bearer k2"}


def test_large_requests_are_cut_and_connections_kept(stub: StartStub) -> None:
    server = stub(openai)
    made = service("openai", f"{server.url}/v1", keys={"openai": "sk-good"})
    inputs = [text("x" * (n % 9 + 1) + f" {n}", "openai/m") for n in range(5000)]
    result = made.infer(inputs, "update")
    assert [float(vector[0]) for vector in result.embeddings] == [len(item.data) for item in inputs]
    assert [len(request.json["input"]) for request in server.received] == [2048, 2048, 904]
    assert result.usage == {"openai/m": 10_000}
    assert server.connections == 1
    made.close()


@given(st.lists(st.text(max_size=12), min_size=1, max_size=30), st.integers(1, 5), st.integers(1, 20))
def test_calls_keep_the_limits(texts: list[str], inputs: int, size: int) -> None:
    prepared = [Prepared("text", one) for one in texts]
    made = list(calls(prepared, CallLimits(inputs, size)))
    assert [one for call in made for one in call] == prepared
    for call in made:
        assert len(call) <= inputs
        assert len(call) == 1 or sum(len(one.data.encode()) for one in call) <= size


@pytest.mark.parametrize(("mode", "role"), [("update", 0.0), ("search", 1.0)])
def test_cohere_texts(stub: StartStub, mode: Mode, role: float) -> None:
    server = stub(cohere)
    made = service("cohere", f"{server.url}/v2")
    inputs = [text(f"text {n}", "cohere/embed-english-v3.0") for n in range(100)]
    result = made.infer(inputs, mode, headers={"cohere-api-key": "co-good"})
    assert {float(vector[0]) for vector in result.embeddings} == {role}
    assert [len(request.json["texts"]) for request in server.received] == [96, 4]
    assert result.usage == {"cohere/embed-english-v3.0": 200}
    clustered = text("a", "cohere/embed-english-v3.0", input_type="image", cohere_api_key="co-good")
    assert float(made.infer([clustered], mode).embeddings[0][0]) == 2.0


def png(red: int = 0) -> bytes:
    image: Any = pytest.importorskip("PIL.Image")
    buffer = io.BytesIO()
    image.new("RGB", (4, 4), (red, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def test_cohere_images(stub: StartStub) -> None:
    """No URLs: qdlite fetches. One image per call before v4, message content since."""
    server = stub(lambda request: Answer(body=png(9)) if request.method == "GET" else cohere(request))
    made = service("cohere", f"{server.url}/v2", keys={"cohere": "co-good"})
    images = [base64.b64encode(png()).decode(), f"{server.url}/nine.png"]
    for model in ("cohere/embed-english-v3.0", "cohere/embed-v4.0"):
        made.infer([InferenceInput(data, "image", model) for data in images], "update")
    sent = [request.json for request in server.received if request.method == "POST"]
    expected = [f"data:image/png;base64,{base64.b64encode(png(red)).decode()}" for red in (0, 9)]
    assert [body["images"] for body in sent[:2]] == [[expected[0]], [expected[1]]]
    assert [item["content"][0]["image_url"]["url"] for item in sent[2]["inputs"]] == expected
    assert (sent[0]["input_type"], sent[2]["input_type"]) == ("image", "search_document")


def test_jina(stub: StartStub) -> None:
    server = stub(echo)
    made = service("jinaai", server.url, keys={"jinaai": "j"})
    data = base64.b64encode(png()).decode()
    made.infer([text("a", "jinaai/jina-embeddings-v3")], "update")
    made.infer([text("a", "jinaai/jina-embeddings-v3", task="separation")], "search")
    made.infer([text("a", "jinaai/jina-embeddings-v4")], "search")
    made.infer([text("a", "jinaai/jina-clip-v2")], "search")
    made.infer([InferenceInput(data, "image", "jinaai/jina-clip-v2")], "search")
    made.infer([InferenceInput("https://pictures.example/x.png", "image", "jinaai/jina-clip-v2")], "search")
    sent = [request.json for request in server.received]
    assert [body.get("task") for body in sent] == [
        "retrieval.passage",
        "separation",
        "retrieval.query",
        None,
        None,
        None,
    ]
    assert [body["input"] for body in sent] == [
        ["a"], ["a"], [{"text": "a"}], [{"text": "a"}], [{"image": f"data:image/png;base64,{data}"}],
        [{"image": "https://pictures.example/x.png"}],
    ]  # fmt: skip
    assert {body["embedding_type"] for body in sent} == {"float"}


def test_openrouter(stub: StartStub) -> None:
    server = stub(echo)
    made = service("openrouter", server.url)
    made.infer([text("a", "openrouter/mistralai/mistral-embed-2312")], "search", headers={"openrouter-api-key": "k"})
    made.infer([InferenceInput("http://pictures.example/x", "image", "openrouter/some/model")], "update")
    sent = [request.json for request in server.received]
    assert (sent[0]["model"], sent[0]["input_type"], sent[0]["input"]) == (
        "mistralai/mistral-embed-2312", "search_query", ["a"]
    )  # fmt: skip
    assert sent[1]["input"][0]["content"][0]["image_url"]["url"] == "http://pictures.example/x"


def test_local_model_with_a_providers_prefix(stub: StartStub, tiny: Any, tmp_path: Path) -> None:
    """fastembed has models named jinaai/...: they run locally unless the caller brings a key."""
    server = stub(echo)
    model = "jinaai/jina-embeddings-v2-small-en"
    (tmp_path / "jina-embeddings-v2-small-en").mkdir()
    tiny.dense_text(tmp_path / "jina-embeddings-v2-small-en", dim=512)
    providers = ProviderSettings(base_urls={"jinaai": server.url})
    made = InferenceService(InferenceSettings((tmp_path,), offline=True, threads=1, providers=providers))
    assert made.infer([text("dog", model)], "update").usage == {model: 3}
    assert server.received == []
    made.infer([text("dog", model)], "update", headers={"jina-api-key": "k"})
    assert len(server.received) == 1
    made.infer([text("dog", "jinaai/jina-embeddings-v5")], "update")
    assert len(server.received) == 2


def test_wrong_kind_of_data() -> None:
    made = service("openai", "http://127.0.0.1:9")
    for kind in ("image", "object"):
        with pytest.raises(InferenceError, match=f"OpenAI embeds text, not {kind}"):
            made.infer([InferenceInput("x", kind, "openai/m")], "update")


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (400, {"error": {"message": "bad model"}}, InferenceError, "OpenAI refused the request (400): bad model"),
        (402, {"error": {"code": 402, "message": "no credits"}}, InferenceError, "(402): no credits"),
        (403, {"detail": "balance"}, InferenceError, "OpenAI refused the API key (403): balance"),
        (404, {"message": "no such model"}, InferenceError, "(404): no such model"),
        (422, {"detail": [{"msg": "x"}]}, InferenceError, "(422): [{'msg': 'x'}]"),
        (498, {"message": "invalid token"}, InferenceError, "refused the API key (498)"),
        (429, {"error": {"message": "slow down"}}, RateLimited, "takes no more requests now: slow down"),
        (500, {"error": "oops"}, ServiceError, "OpenAI failed (500): oops"),
        (418, {}, ServiceError, "OpenAI failed (418): I'm a Teapot"),
    ],
)
def test_refusals(stub: StartStub, status: int, body: Any, error: type[QdliteError], message: str) -> None:
    server = stub(lambda request: json_answer(body, status))
    with pytest.raises(error) as refused:
        service("openai", server.url, retries=0).infer([text("a", "openai/m", openai_api_key="k")], "update")
    assert type(refused.value) is error
    assert message in str(refused.value)


@pytest.mark.parametrize("status", [429, 500, 503, 529])
def test_busy_providers_are_asked_again(stub: StartStub, status: int) -> None:
    answers = [json_answer({}, status), json_answer({}, status, Retry_After="3")]
    server = stub(lambda request: answers.pop(0) if answers else echo(request))
    made = service("openai", server.url)
    pauses: list[float] = []
    made._providers._pause = lambda cancellation, seconds: pauses.append(float(seconds))
    assert made.infer([text("a", "openai/m")], "update").usage == {"openai/m": 7}
    assert len(server.received) == 3
    assert 0.3 < pauses[0] < 0.7 and pauses[1] == 3


def test_retries_end(stub: StartStub) -> None:
    server = stub(lambda request: json_answer({"error": {"message": "busy"}}, 429, Retry_After="7"))
    with pytest.raises(RateLimited) as refused:
        service("openai", server.url).infer([text("a", "openai/m")], "update")
    assert refused.value.retry_after == 7
    assert len(server.received) == 3
    with pytest.raises(RateLimited):  # the pause would outlast the caller's timeout
        service("openai", server.url).infer([text("a", "openai/m")], "update", timeout=5)
    assert len(server.received) == 4
    far = stub(lambda request: json_answer({}, 429, Retry_After="3600"))
    with pytest.raises(RateLimited) as waiting:
        service("openai", far.url).infer([text("a", "openai/m")], "update")
    assert (waiting.value.retry_after, len(far.received)) == (3600, 1)


def test_unreachable(stub: StartStub) -> None:
    server = stub(echo)
    server.close()
    with pytest.raises(ServiceError, match="OpenAI could not be reached"):
        service("openai", server.url).infer([text("a", "openai/m")], "update")


def test_timeout(stub: StartStub) -> None:
    def slow(write: Callable[[bytes], object]) -> None:
        import time

        time.sleep(0.5)

    server = stub(lambda request: Answer(chunks=slow))
    with pytest.raises(Timeout):
        service("openai", server.url).infer([text("a", "openai/m")], "update", timeout=0.1)


def test_a_connection_closed_meanwhile_is_replaced(stub: StartStub) -> None:
    server = stub(lambda request: Answer(200, echo(request).body, {"X": "y"}))
    made = service("openai", server.url, retries=0)
    made.infer([text("a", "openai/m")], "update")
    idle = made._providers._client._idle
    (connections,) = idle.values()
    assert connections[0].sock is not None
    connections[0].sock.shutdown(2)
    made.infer([text("b", "openai/m")], "update")
    assert server.connections == 2


def test_redirects_are_not_followed(stub: StartStub) -> None:
    """A redirect could carry the key to another host."""
    other = stub(echo)
    server = stub(lambda request: Answer(307, headers={"Location": other.url}))
    with pytest.raises(ServiceError, match="307"):
        service("openai", server.url).infer([text("a", "openai/m")], "update", headers={"openai-api-key": "k"})
    assert other.received == []


@pytest.mark.parametrize(
    "answer",
    [
        b"not json",
        b"[]",
        b'{"data": [{"index": 0}]}',
        b'{"data": [{"index": 1, "embedding": [1]}]}',
        b'{"data": []}',
        b'{"data": [{"index": 0, "embedding": "AAAA"}]}',
        b'{"data": [{"index": 0, "embedding": [null]}]}',
    ],
)
def test_unreadable_answers(stub: StartStub, answer: bytes) -> None:
    server = stub(lambda request: Answer(body=answer))
    with pytest.raises(ServiceError, match=r"cannot be read|0 vectors for 1"):
        service("openai", server.url).infer([text("a", "openai/m")], "update")


def test_a_dripping_provider_is_cut_off(stub: StartStub) -> None:
    stop = threading.Event()

    def drip(write: Callable[[bytes], object]) -> None:
        while not stop.wait(0.02):
            write(b" ")

    server = stub(lambda request: Answer(chunks=drip))
    with pytest.raises(Timeout):
        service("openai", server.url).infer([text("a", "openai/m")], "update", timeout=0.3)
    with pytest.raises(ServiceError, match="could not be reached: timed out"):
        service("openai", server.url, timeout=0.3, retries=0).infer([text("a", "openai/m")], "update")
    left = Cancellation()
    threading.Timer(0.2, left.cancel).start()
    with pytest.raises(Cancelled):
        service("openai", server.url).infer([text("a", "openai/m")], "update", cancellation=left)
    stop.set()


def test_who_leaves_during_a_pause_is_not_waited_for(stub: StartStub) -> None:
    server = stub(lambda request: json_answer({}, 429, Retry_After="15"))
    made = service("openai", server.url)
    made._providers._pause = Cancellation.wait
    left = Cancellation()
    threading.Timer(0.1, left.cancel).start()
    with pytest.raises(Cancelled):
        made.infer([text("a", "openai/m")], "update", cancellation=left)
    assert len(server.received) == 1


def test_keys_of_files_and_what_is_no_key(stub: StartStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key read from a file ends with a line break, which must neither fail nor be shown."""
    server = stub(openai)
    monkeypatch.setenv("OPENAI_API_KEY", " sk-good\n")
    assert service("openai", f"{server.url}/v1").infer([text("a", "openai/m")], "update").usage
    monkeypatch.setenv("OPENAI_API_KEY", "sk-good\nX: y")
    with pytest.raises(InferenceError, match=r"^The value of `OPENAI_API_KEY` is no API key$"):
        service("openai", f"{server.url}/v1").infer([text("a", "openai/m")], "update")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(InferenceError, match=r"^The value of `openai-api-key` is no API key$"):
        service("openai", f"{server.url}/v1").infer([text("a", "openai/m", openai_api_key=5)], "update")
    with pytest.raises(InferenceError, match=r"OpenAI wants an API key \(401\): .*header or option `openai-api-key`"):
        service("openai", f"{server.url}/v1").infer([text("a", "openai/m")], "update")
    with pytest.raises(InferenceError, match="openai/ names no model of OpenAI"):
        service("openai", f"{server.url}/v1").infer([text("a", "openai/")], "update")


def test_a_provider_may_have_been_meant(stub: StartStub) -> None:
    """fastembed's models of that name run here unless a key is sent, which may have been forgotten."""
    made = service("openai", "http://127.0.0.1:9")
    for options in ({"dimensions": 64}, {}):
        with pytest.raises(InferenceError, match="Jina AI embeds it if `jina-api-key` comes as header or option"):
            made.infer([text("a", "jinaai/jina-embeddings-v3", **options)], "update")


def test_local_errors_come_before_external_calls(stub: StartStub) -> None:
    server = stub(echo)
    made = service("openai", server.url)
    with pytest.raises(QdliteError):
        made.infer([text("a", "openai/m"), text("a", "bm25", k=-1)], "update")
    assert server.received == []


def test_settings_do_not_show_keys() -> None:
    settings = InferenceSettings(providers=ProviderSettings(keys={"openai": "sk-secret"}), inference_token="t0ken")
    assert "sk-secret" not in repr(settings) and "t0ken" not in repr(settings)
