"""How are inputs embedded by an external inference service, in Qdrant's own protocol?

One POST per request carries every distinct input; the answer's position i is the vector of input i.
"""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from qdlite.errors import BadRequest, InferenceError, QdliteError, RateLimited, ServiceError
from qdlite.inference.backend import Route
from qdlite.inference.http import HttpClient, Reply
from qdlite.inference.inputs import Call, Embedded, InferenceInput
from qdlite.inference.options import KEY_SUFFIX, checked_key
from qdlite.inference.replies import retry_after, vector_of
from qdlite.inference.settings import InferenceSettings

_OBJECT_NAMES = {"text": "document", "image": "image", "object": "object"}


class RemoteService:
    """Everything that is not built in goes to the service at `settings.inference_url`."""

    def __init__(self, settings: InferenceSettings) -> None:
        assert settings.inference_url is not None
        self._url = settings.inference_url
        self._settings = settings
        self._client = HttpClient()

    def route(self, item: InferenceInput, call: Call) -> Route:
        keys = hashlib.sha256(repr(_keys(call)).encode()).hexdigest()
        return Route(self, keys, item.key, lasting=item.kind == "text", remote=True)

    def embed(self, inputs: Sequence[InferenceInput], call: Call) -> Embedded:
        body = {
            "inputs": [_wire(item) for item in inputs],
            "inference": call.mode,
            "token": self._settings.inference_token,
        }
        timeout = call.remaining() if call.deadline is not None else self._settings.inference_timeout
        try:
            content, keys = msgspec.json.encode(body), dict(_keys(call))
            reply = self._client.post(self._url, content, keys, timeout, call.cancellation)
        except (OSError, http.client.HTTPException) as error:
            call.remaining()
            raise ServiceError(f"Failed to send inference request: {error}") from error
        if reply.status != 200:
            raise _refusal(reply)
        return _result(reply, inputs)

    def close(self) -> None:
        self._client.close()


def _wire(item: InferenceInput) -> dict[str, Any]:
    return {"data": item.data, "data_type": item.kind, "model": item.model, "options": item.options}


def _keys(call: Call) -> tuple[tuple[str, str], ...]:
    """The caller's headers with keys of providers, which the service gets to see."""
    found = ((name, checked_key(name, value)) for name, value in call.headers.items() if name.endswith(KEY_SUFFIX))
    return tuple(sorted(found))


def _result(reply: Reply, inputs: Sequence[InferenceInput]) -> Embedded:
    try:
        answer = msgspec.json.decode(reply.body)
        vectors = [vector_of(value) for value in answer["embeddings"]]
        models = (answer.get("usage") or {}).get("models") or {}
        usage = {name: int(model["tokens"]) for name, model in models.items()}
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServiceError(f"Failed to parse the inference service's answer: {error}") from error
    if not vectors:
        raise ServiceError("Inference service returned no vectors. Check if models are properly loaded.")
    if len(vectors) < len(inputs):
        missing = _OBJECT_NAMES[inputs[len(vectors)].kind]
        raise InferenceError(f"Missing inferred vector for {missing}")
    return Embedded(vectors[: len(inputs)], usage)


def _refusal(reply: Reply) -> QdliteError:
    """The error for a status other than 200, with Qdrant's texts."""
    return _REFUSALS.get(reply.status, _other_refusal)(reply)


def _status(reply: Reply) -> str:
    return f"{reply.status} {http.client.responses.get(reply.status, '<unknown status code>')}"


def _bad_request(reply: Reply) -> QdliteError:
    try:
        told: Any = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        told = None
    if isinstance(told, Mapping) and isinstance(told.get("error"), str):
        return BadRequest(f"Inference request validation failed: {told['error']}")
    return BadRequest(f"Invalid inference request: {reply.text}")


def _unauthorised(reply: Reply) -> QdliteError:
    return ServiceError(f"Authentication failed for inference service ({_status(reply)}): {reply.text}")


def _too_many(reply: Reply) -> QdliteError:
    text = f"Too many requests for inference service ({_status(reply)}): {reply.text}"
    return RateLimited(text, retry_after(reply))


def _other_refusal(reply: Reply) -> QdliteError:
    if reply.status >= 500:
        return ServiceError(f"Inference service error ({_status(reply)}): {reply.text}")
    if reply.status >= 400:
        return BadRequest(f"Inference can't process request ({_status(reply)}): {reply.text}")
    return ServiceError(f"Unexpected inference error ({_status(reply)}): {reply.text}")


_REFUSALS: dict[int, Callable[[Reply], QdliteError]] = {
    400: _bad_request,
    401: _unauthorised,
    403: _unauthorised,
    429: _too_many,
}
