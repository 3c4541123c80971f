"""Which of qdlite's errors says what a provider's refusal means?"""

from __future__ import annotations

from typing import Any

import msgspec

from qdlite.errors import InferenceError, QdliteError, RateLimited, ServiceError
from qdlite.inference.http import Reply
from qdlite.inference.providers.base import Provider
from qdlite.inference.replies import retry_after

RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})

_OF_THE_KEY = frozenset({401, 403, 498})
_OF_THE_REQUEST = frozenset({400, 402, 404, 408, 409, 413, 422})
_LONGEST_TEXT = 500


def refusal(provider: Provider, reply: Reply, key: str | None) -> QdliteError:
    """The error for a status other than 200; the key never appears in it."""
    text = _told(reply)
    if key:
        text = text.replace(key, "***")
    if reply.status in _OF_THE_KEY and not key:
        return InferenceError(
            f"{provider.title} wants an API key ({reply.status}): {text}. Send it as header or option "
            f"`{provider.key_name}`, or set {provider.environment[0]} where qdlite runs"
        )
    if reply.status in _OF_THE_KEY:
        return InferenceError(
            f"{provider.title} refused the API key ({reply.status}): {text}. Check `{provider.key_name}`"
        )
    if reply.status in _OF_THE_REQUEST:
        return InferenceError(f"{provider.title} refused the request ({reply.status}): {text}")
    if reply.status == 429:
        return RateLimited(f"{provider.title} takes no more requests now: {text}", retry_after(reply))
    return ServiceError(f"{provider.title} failed ({reply.status}): {text}")


def _told(reply: Reply) -> str:
    try:
        answer: Any = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        answer = reply.text
    return str(_message(answer) or reply.reason)[:_LONGEST_TEXT]


def _message(answer: Any) -> Any:
    """The text in {"error": {"message"}}, {"message"}, {"detail"} or {"error"}; the answer itself otherwise."""
    while isinstance(answer, dict):
        answer = next((answer[name] for name in ("message", "detail", "error") if answer.get(name)), None)
    return answer
