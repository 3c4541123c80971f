"""How are inputs sent to a provider: with which key, in calls of which size, and how often again?"""

from __future__ import annotations

import hashlib
import http.client
import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from qdlite.errors import InferenceError, ServiceError
from qdlite.inference.backend import Route, checked_text, data_text
from qdlite.inference.cancellation import Cancellation
from qdlite.inference.catalogue import Catalogue
from qdlite.inference.http import HttpClient, Reply
from qdlite.inference.images import data_url, image_bytes, is_url
from qdlite.inference.inputs import Call, Embedded, InferenceInput, canonical
from qdlite.inference.options import KEY_SUFFIX, checked_key, checked_size
from qdlite.inference.providers.base import Ask, CallLimits, Prepared, Provider, Told
from qdlite.inference.providers.cohere import COHERE
from qdlite.inference.providers.jina import JINA
from qdlite.inference.providers.openai import OPENAI
from qdlite.inference.providers.openrouter import OPENROUTER
from qdlite.inference.providers.refusals import RETRIED, refusal
from qdlite.inference.replies import retry_after
from qdlite.inference.settings import InferenceSettings
from qdlite.types import Json, VectorArray

PROVIDERS = {provider.prefix: provider for provider in (OPENAI, COHERE, JINA, OPENROUTER)}

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 20.0


class _Key(NamedTuple):
    """An API key and whether the caller or the configuration named it, rather than the environment."""

    value: str | None
    chosen: bool


class Providers:
    """Models named `openai/...`, `cohere/...`, `jinaai/...` and `openrouter/...`.

    The key comes from the options, else the header, else the settings, else the environment. A model that also
    exists locally goes to the provider only if the caller or the settings name a key for it.
    """

    def __init__(self, settings: InferenceSettings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._client = HttpClient()
        self._pause: Callable[[Cancellation, float], None] = Cancellation.wait

    def route(self, item: InferenceInput, call: Call) -> Route | None:
        provider = provider_of(item.model)
        if provider is None:
            return None
        key = self._key(provider, item, call)
        if not key.chosen and self._catalogue.is_local(item.model):
            return None
        if key.value is None and provider.prefix not in self._settings.providers.base_urls:
            raise InferenceError(
                f"Model {item.model} runs at {provider.title} and needs an API key: send it as header or option "
                f"`{provider.key_name}`, or set {provider.environment[0]} where qdlite runs"
            )
        if not item.model.partition("/")[2]:
            raise InferenceError(f"Model {item.model} names no model of {provider.title}")
        if item.kind not in provider.accepts:
            raise InferenceError(f"{provider.title} embeds {' and '.join(provider.accepts)}, not {item.kind}")
        if item.kind == "text":
            checked_text(item, self._settings.max_text_length)
        mark = hashlib.sha256((key.value or "").encode()).hexdigest()
        group = (item.model, item.kind, canonical(_passed_on(item)), mark)
        mrl = checked_size((item.options or {}).get("mrl"))
        lasting = not is_url(item.data)
        return Route(self, group, item.data_key, mrl, lasting, remote=True)

    def embed(self, inputs: Sequence[InferenceInput], call: Call) -> Embedded:
        first = inputs[0]
        provider = provider_of(first.model)
        assert provider is not None
        key = self._key(provider, first, call).value
        model = first.model.partition("/")[2]
        prepared = (self._prepared(provider, item, call) for item in inputs)
        vectors: list[VectorArray] = []
        tokens = 0
        for part in calls(prepared, provider.limits(model, first.kind)):
            told = self._ask(provider, Ask(model, part, call.mode, _passed_on(first)), key, call)
            vectors += told.vectors
            tokens += told.tokens
        return Embedded(vectors, {first.model: tokens})

    def close(self) -> None:
        self._client.close()

    def _key(self, provider: Provider, item: InferenceInput, call: Call) -> _Key:
        named = (
            (item.options or {}).get(provider.key_name),
            call.headers.get(provider.key_name),
            self._settings.providers.keys.get(provider.prefix),
        )
        for value in named:
            if value is not None and (key := checked_key(provider.key_name, value)):
                return _Key(key, True)
        for name in provider.environment:
            if key := checked_key(name, os.environ.get(name, "")):
                return _Key(key, False)
        return _Key(None, False)

    def _prepared(self, provider: Provider, item: InferenceInput, call: Call) -> Prepared:
        if item.kind == "text":
            return Prepared("text", data_text(item))
        if provider.image_urls and is_url(item.data):
            return Prepared("image", item.data)
        try:
            return Prepared("image", data_url(image_bytes(item.data, self._settings.images, call)))
        except InferenceError as error:
            error.about = item
            raise

    def _ask(self, provider: Provider, ask: Ask, key: str | None, call: Call) -> Told:
        reply = self._post(provider, msgspec.json.encode(provider.body(ask)), key, call)
        if reply.status != 200:
            raise refusal(provider, reply, key)
        try:
            told = provider.read(msgspec.json.decode(reply.body))
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise ServiceError(f"{provider.title} gave an answer that cannot be read: {error}") from error
        if len(told.vectors) != len(ask.inputs):
            raise ServiceError(f"{provider.title} gave {len(told.vectors)} vectors for {len(ask.inputs)} inputs")
        return told

    def _post(self, provider: Provider, body: bytes, key: str | None, call: Call) -> Reply:
        """Posts, again after a pause when the provider is busy or failing, as long as the deadline allows."""
        url = address(self._settings.providers.base_urls.get(provider.prefix, provider.base_url), provider.path)
        headers = authorisation(url, key) if key else {}
        last = self._settings.providers.retries
        for attempt in range(last + 1):
            reply, problem = self._try(url, body, headers, call)
            if reply is not None and reply.status not in RETRIED:
                return reply
            pause = _pause_after(attempt, reply)
            if attempt == last or pause is None or not _in_time(pause, call):
                break
            self._pause(call.cancellation, pause)
        if reply is None:
            raise ServiceError(f"{provider.title} could not be reached: {problem}") from problem
        return reply

    def _try(self, url: str, body: bytes, headers: dict[str, str], call: Call) -> tuple[Reply | None, Exception | None]:
        timeout = call.remaining(self._settings.providers.timeout)
        try:
            return self._client.post(url, body, headers, timeout, call.cancellation), None
        except (OSError, http.client.HTTPException) as error:
            call.remaining()
            return None, error


def calls(inputs: Iterable[Prepared], limits: CallLimits) -> Iterator[list[Prepared]]:
    """Cuts inputs into calls within a provider's limits, in order; an input over the size goes alone. Inputs are taken
    as they are needed, so that fetched images need not be in memory all at once."""
    part: list[Prepared] = []
    size = 0
    for item in inputs:
        length = len(item.data.encode("utf-8", "surrogatepass"))
        if part and (len(part) == limits.inputs or size + length > limits.size):
            yield part
            part, size = [], 0
        part.append(item)
        size += length
    if part:
        yield part


def address(base: str, path: str) -> str:
    """Where a provider is called; a query, such as Azure's `?api-version=...`, stays at the end."""
    parts = urlsplit(base)
    return parts._replace(path=parts.path.rstrip("/") + path).geturl()


def authorisation(url: str, key: str) -> dict[str, str]:
    """The headers that carry the key. Azure looks for it in one of its own where the URL names an `api-version`."""
    bearer = {"Authorization": f"Bearer {key}"}
    return {**bearer, "api-key": key} if "api-version=" in url else bearer


def provider_of(model: str) -> Provider | None:
    """The provider that the first part of a model's name means, or None."""
    prefix, slash, _ = model.partition("/")
    return PROVIDERS.get(prefix.lower()) if slash else None


def key_advice(model: str) -> str:
    """What to say of a model that runs here because no key was sent, though a provider may have been meant."""
    provider = provider_of(model)
    return f". {provider.title} embeds it if `{provider.key_name}` comes as header or option" if provider else ""


def _passed_on(item: InferenceInput) -> dict[str, Json]:
    """The options without keys and `mrl`: parameters of the provider's own."""
    options = item.options or {}
    return {name: value for name, value in options.items() if name != "mrl" and not name.endswith(KEY_SUFFIX)}


def _pause_after(attempt: int, reply: Reply | None) -> float | None:
    """Seconds to wait: what the provider asks for, else growing and jittered; None if it asks for too long."""
    told = retry_after(reply) if reply is not None else None
    if told is not None:
        return float(told) if told <= _LONGEST_PAUSE else None
    return _FIRST_PAUSE * float(2**attempt) * random.uniform(0.75, 1.25)


def _in_time(pause: float, call: Call) -> bool:
    remaining = call.remaining()
    return remaining is None or pause < remaining
