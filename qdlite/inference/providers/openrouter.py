"""How are embeddings asked of OpenRouter? OpenAI's form, with roles, and images as message content."""

from __future__ import annotations

from typing import Any

from qdlite.inference.inputs import DataKind, Mode
from qdlite.inference.providers.base import Ask, CallLimits, Prepared, Provider, read_data_list

ROLES: dict[Mode, str] = {"update": "search_document", "search": "search_query"}


def _body(ask: Ask) -> dict[str, Any]:
    return {
        "input_type": ROLES[ask.mode],
        **ask.options,
        "model": ask.model,
        "input": [_input(item) for item in ask.inputs],
        "encoding_format": "float",
    }


def _input(item: Prepared) -> Any:
    if item.kind == "text":
        return item.data
    return {"content": [{"type": "image_url", "image_url": {"url": item.data}}]}


def _limits(model: str, kind: DataKind) -> CallLimits:
    return CallLimits(inputs=96, size=600_000) if kind == "text" else CallLimits(inputs=8, size=20_000_000)


OPENROUTER = Provider(
    prefix="openrouter",
    title="OpenRouter",
    key_name="openrouter-api-key",
    environment=("OPENROUTER_API_KEY",),
    base_url="https://openrouter.ai/api/v1",
    path="/embeddings",
    accepts=("text", "image"),
    body=_body,
    read=read_data_list,
    limits=_limits,
)
