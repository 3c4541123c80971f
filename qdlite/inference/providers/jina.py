"""How are embeddings asked of Jina AI? OpenAI's form, with tasks from v3 on, and images in multimodal models."""

from __future__ import annotations

import re
from typing import Any

from qdlite.inference.inputs import DataKind, Mode
from qdlite.inference.providers.base import Ask, CallLimits, Prepared, Provider, read_data_list

_TASKS: dict[Mode, str] = {"update": "retrieval.passage", "search": "retrieval.query"}
_WITH_TASK = re.compile(r"jina-embeddings-v(?:[3-9]|\d\d)")
_MULTIMODAL = re.compile(r"jina-clip|jina-embeddings-v(?:[4-9]|\d\d)")


def _body(ask: Ask) -> dict[str, Any]:
    task = {"task": _TASKS[ask.mode]} if _WITH_TASK.match(ask.model) else {}
    multimodal = bool(_MULTIMODAL.match(ask.model))
    return {
        **task,
        **ask.options,
        "model": ask.model,
        "input": [_input(item, multimodal) for item in ask.inputs],
        "embedding_type": "float",
    }


def _input(item: Prepared, multimodal: bool) -> Any:
    if item.kind == "image":
        return {"image": item.data}
    return {"text": item.data} if multimodal else item.data


def _limits(model: str, kind: DataKind) -> CallLimits:
    return CallLimits(inputs=128, size=600_000) if kind == "text" else CallLimits(inputs=8, size=20_000_000)


JINA = Provider(
    prefix="jinaai",
    title="Jina AI",
    key_name="jina-api-key",
    environment=("JINA_API_KEY",),
    base_url="https://api.jina.ai/v1",
    path="/embeddings",
    accepts=("text", "image"),
    body=_body,
    read=read_data_list,
    limits=_limits,
)
