"""How are embeddings asked of OpenAI, and of the many servers that speak its form?

API reference: POST /v1/embeddings, at most 2048 inputs and 300,000 tokens per call.
"""

from __future__ import annotations

from typing import Any

from qdlite.inference.inputs import DataKind
from qdlite.inference.providers.base import Ask, CallLimits, Provider, read_data_list


def _body(ask: Ask) -> dict[str, Any]:
    texts = [item.data for item in ask.inputs]
    return {**ask.options, "model": ask.model, "input": texts, "encoding_format": "float"}


def _limits(model: str, kind: DataKind) -> CallLimits:
    return CallLimits(inputs=2048, size=600_000)  # two bytes per token is more tokens than text has


OPENAI = Provider(
    prefix="openai",
    title="OpenAI",
    key_name="openai-api-key",
    environment=("OPENAI_API_KEY",),
    base_url="https://api.openai.com/v1",
    path="/embeddings",
    accepts=("text",),
    body=_body,
    read=read_data_list,
    limits=_limits,
)
