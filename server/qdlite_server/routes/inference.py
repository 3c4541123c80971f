"""How does qdlite serve inference alone: to a Qdrant cluster, in OpenAI's shape, and with figures for its operator?

`POST /infer` speaks the protocol between a Qdrant node and its inference service (`inference.address`), which has
errors of its own shape: 400 with {"error"} for what the caller can repair, 401, 429 and 503 with Retry-After, 5xx.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import orjson
from msgspec import Struct

from qdlite import database as engine
from qdlite import errors
from qdlite.database import Database
from qdlite.models.base import Model
from qdlite.models.decoding import encode
from qdlite.types import FloatArray, Json, SparseArray, VectorArray
from qdlite_server.endpoint import JSON, STATUSES, Answer, Call, Endpoint, retry_headers, status_of

ROOM = 4
"""A node's call repeats the model's name for each input, so it is larger than the request that caused it."""

_LATER = 5
"""Seconds after which a model that was still loading may be asked for again."""

_STATUSES: Mapping[type[Exception], int] = {
    **STATUSES,
    errors.InvalidBody: 400,
    errors.ModelLoading: 503,
    errors.Timeout: 504,
}
_OPENAI_STATUSES: Mapping[type[Exception], int] = {**_STATUSES, errors.UnknownModel: 404}
_OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    429: "rate_limit_error",
}
_QUERY_ROLES = frozenset({"query", "search_query", "retrieval.query"})


class Service(Struct, frozen=True):
    """How qdlite serves inference: under which path, and which token callers must bring (None: none)."""

    path: str = "/infer"
    token: str | None = None


class InferInput(Model, frozen=True, kw_only=True):
    data: Json
    data_type: engine.DataKind
    model: str
    options: dict[str, Json] | None = None


class InferRequest(Model, frozen=True, kw_only=True):
    """What a Qdrant node sends."""

    inputs: list[InferInput]
    inference: engine.Mode
    token: str | None = None


class EmbeddingsRequest(Model, frozen=True, kw_only=True):
    """OpenAI's request. `input_type` is an extension of many such servers: `query` embeds as for a search."""

    input: str | list[Any]
    model: str
    dimensions: int | None = None
    encoding_format: Literal["float", "base64"] | None = None
    input_type: str | None = None
    user: str | None = None


def endpoints(service: Service) -> list[Endpoint]:
    """Routes of qdlite's own, which Qdrant does not have."""
    own: dict[str, Any] = {"documented": False}
    large: dict[str, Any] = {**own, "room": ROOM}
    infer, embeddings = _infer(service), _embeddings(service)
    return [
        Endpoint("POST", service.path, infer, InferRequest, refuse=_refuse, **large),
        Endpoint("POST", "/v1/embeddings", embeddings, EmbeddingsRequest, refuse=_refuse_as_openai, **large),
        Endpoint("GET", "/v1/models", _openai_models(service), refuse=_refuse_as_openai, **own),
        Endpoint("GET", "/inference/models", report, **own),
    ]


def _infer(service: Service) -> Callable[[Database, Call], object]:
    def infer(database: Database, call: Call) -> object:
        body: InferRequest = call.body
        _check_token(service, body.token)
        inputs = [engine.InferenceInput(one.data, one.data_type, one.model, one.options) for one in body.inputs]
        vectors = _inferred(database, call, "inputs", inputs, body.inference)
        models = {model: {"tokens": tokens} for model, tokens in call.context.usage.items()}
        usage = {"models": models} if models else None
        answer = {"embeddings": [_wire(vector) for vector in vectors], "usage": usage}
        return Answer(200, orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), JSON)

    return infer


def _embeddings(service: Service) -> Callable[[Database, Call], object]:
    def embeddings(database: Database, call: Call) -> object:
        _check_token(service, _bearer(call))
        body: EmbeddingsRequest = call.body
        options = _openai_options(database, body)
        inputs = [engine.InferenceInput(text, "text", body.model, options) for text in _texts(body)]
        mode: engine.Mode = "search" if body.input_type in _QUERY_ROLES else "update"
        vectors = [_dense(vector, body.model) for vector in _inferred(database, call, "input", inputs, mode)]
        shown: Callable[[FloatArray], Any] = _base64 if body.encoding_format == "base64" else np.ascontiguousarray
        rows = [{"object": "embedding", "index": at, "embedding": shown(vector)} for at, vector in enumerate(vectors)]
        tokens = sum(call.context.usage.values())
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        answer = {"object": "list", "data": rows, "model": body.model, "usage": usage}
        return Answer(200, orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), JSON)

    return embeddings


def _openai_models(service: Service) -> Callable[[Database, Call], object]:
    def models(database: Database, call: Call) -> object:
        """The dense text models whose files are here."""
        _check_token(service, _bearer(call))
        rows = [
            {"id": model.name, "object": "model", "created": 0, "owned_by": model.name.partition("/")[0]}
            for model in database.inference.models()
            if model.kind == "dense" and model.on_disk
        ]
        return Answer(200, encode({"object": "list", "data": rows}), JSON)

    return models


def report(database: Database, call: Call) -> object:
    """Every model, what is known about it, and what it has done."""
    return {"models": [_reported(one) for one in database.inference.reports()]}


def _reported(one: engine.ModelReport) -> dict[str, Json]:
    model = one.model
    return {
        "name": model.name,
        "kind": model.kind,
        "modality": model.inputs,
        "dimensions": model.dimensions,
        "context_window": model.context,
        "state": model.state,
        "size_bytes": model.size,
        "license": model.license or None,
        "usage": {"tokens": one.tokens, "requests": one.requests, "seconds": round(one.seconds, 6)},
    }


def _inferred(
    database: Database, call: Call, key: str, inputs: Sequence[engine.InferenceInput], mode: engine.Mode
) -> list[VectorArray]:
    """The vectors of the inputs, which stand under that key of the body; an error says which it is about."""
    context = call.context
    try:
        result = database.inference.infer(
            inputs, mode, headers=context.headers, timeout=context.timeout, cancellation=context.cancellation
        )
    except errors.InferenceError as error:
        if len(inputs) < 2 or error.about not in inputs:
            raise
        raise error.at(f"`{key}[{inputs.index(error.about)}]`") from error
    context.usage.update(result.usage)
    return result.embeddings


def _check_token(service: Service, token: str | None) -> None:
    import hmac

    if service.token is not None and not hmac.compare_digest((token or "").encode(), service.token.encode()):
        raise errors.Unauthorized("The token is missing or wrong")


def _bearer(call: Call) -> str:
    scheme, _, token = call.context.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _wire(vector: VectorArray) -> Any:
    return vector._asdict() if isinstance(vector, SparseArray) else np.ascontiguousarray(vector)


def _texts(body: EmbeddingsRequest) -> list[str]:
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not texts:
        raise errors.InferenceError("`input` is empty")
    if not all(isinstance(text, str) for text in texts):
        raise errors.InferenceError(
            "`input` must be a text or a list of texts: token numbers are not understood, because each model has its "
            "own. LangChain sends texts with `check_embedding_ctx_length=False`"
        )
    return texts


def _openai_options(database: Database, body: EmbeddingsRequest) -> dict[str, Json] | None:
    """`dimensions` shortens the vectors of models that run here; other services have their own way."""
    if body.dimensions is None:
        return None
    if body.dimensions < 1:
        raise errors.InferenceError(f"`dimensions` must be a positive integer, got {body.dimensions}")
    model = database.inference.describe(body.model)
    if model is None:
        return {"dimensions": body.dimensions}
    if model.dimensions is not None and model.dimensions < body.dimensions:
        raise errors.InferenceError(
            f"`dimensions` is {body.dimensions}, but {model.name} has {model.dimensions} dimensions"
        )
    return {"mrl": body.dimensions}


def _dense(vector: VectorArray, model: str) -> FloatArray:
    if isinstance(vector, SparseArray) or vector.ndim != 1:
        kind = "sparse vectors" if isinstance(vector, SparseArray) else "a vector for each token"
        raise errors.InferenceError(f"Model {model} makes {kind}, which have no place in this form of answer")
    return vector


def _base64(vector: FloatArray) -> str:
    """Little-endian float32, as OpenAI's clients expect it."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _refuse(error: errors.QdliteError, seconds: float, label: str, tokens: Mapping[str, int]) -> Answer:
    status = status_of(error, _STATUSES)
    return Answer(status, encode({"error": str(error)}), JSON, _retry(error), label)


def _refuse_as_openai(error: errors.QdliteError, seconds: float, label: str, tokens: Mapping[str, int]) -> Answer:
    status = status_of(error, _OPENAI_STATUSES)
    code = "model_not_found" if isinstance(error, errors.UnknownModel) else None
    kind = _OPENAI_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    told = {"message": str(error), "type": kind, "param": None, "code": code}
    return Answer(status, encode({"error": told}), JSON, _retry(error), label)


def _retry(error: errors.QdliteError) -> tuple[tuple[str, str], ...]:
    return (("retry-after", str(_LATER)),) if isinstance(error, errors.ModelLoading) else retry_headers(error)
