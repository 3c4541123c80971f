"""How are embeddings asked of Cohere? API v2, where the role of the text is required.

API reference: POST /v2/embed, at most 96 texts per call; images as data URLs, one per call before embed-v4.
"""

from __future__ import annotations

import re
from typing import Any

from qdlite.inference.inputs import DataKind
from qdlite.inference.providers.base import Ask, CallLimits, Provider, Told
from qdlite.inference.providers.openrouter import ROLES
from qdlite.inference.replies import vector_of
from qdlite.types import Json

_MIXED_INPUTS = re.compile(r"embed-v(?:[4-9]|\d\d)")


def _body(ask: Ask) -> dict[str, Any]:
    fixed = {"model": ask.model, "embedding_types": ["float"]}
    data = [item.data for item in ask.inputs]
    if ask.inputs[0].kind == "text":
        return {"input_type": ROLES[ask.mode], **ask.options, **fixed, "texts": data}
    if not _MIXED_INPUTS.match(ask.model):
        return {"input_type": "image", **ask.options, **fixed, "images": data}
    contents = [{"content": [{"type": "image_url", "image_url": {"url": url}}]} for url in data]
    return {"input_type": ROLES[ask.mode], **ask.options, **fixed, "inputs": contents}


def _read(answer: Json) -> Told:
    billed = (answer.get("meta") or {}).get("billed_units") or {}
    tokens = sum(int(billed.get(unit) or 0) for unit in ("input_tokens", "image_tokens"))
    return Told([vector_of(vector) for vector in answer["embeddings"]["float"]], tokens)


def _limits(model: str, kind: DataKind) -> CallLimits:
    if kind == "text":
        return CallLimits(inputs=96, size=10_000_000)
    return CallLimits(inputs=96 if _MIXED_INPUTS.match(model) else 1, size=19_000_000)


COHERE = Provider(
    prefix="cohere",
    title="Cohere",
    key_name="cohere-api-key",
    environment=("COHERE_API_KEY", "CO_API_KEY"),
    base_url="https://api.cohere.com/v2",
    path="/embed",
    accepts=("text", "image"),
    body=_body,
    read=_read,
    limits=_limits,
    image_urls=False,
)
