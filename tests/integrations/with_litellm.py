"""Does LiteLLM's semantic cache work, with every quantization, and embeddings by the server's OpenAI route?"""

from __future__ import annotations

import asyncio
import os

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

from litellm.caching.qdrant_semantic_cache import QdrantSemanticCache

from tests.integrations import offline


def run(url: str) -> None:
    os.environ.update(OPENAI_API_KEY="none", OPENAI_API_BASE=f"{url}/v1", OPENAI_BASE_URL=f"{url}/v1")
    for quantization in (None, "binary", "scalar", "product"):
        name = f"litellm-{quantization}"
        for _ in range(2):  # the second time the collection is there already
            cache = QdrantSemanticCache(
                qdrant_api_base=url,
                collection_name=name,
                similarity_threshold=0.8,
                quantization_config=quantization,
                embedding_model="openai/hashing/1536",
            )
        assert cache.collection_info["result"]["status"] == "green"
        asked = [{"role": "user", "content": offline.TEXTS[0]}]
        other = [{"role": "user", "content": offline.TEXTS[2]}]
        assert cache.get_cache("key", messages=asked) is None
        cache.set_cache("key", {"answer": 42}, messages=asked)
        assert cache.get_cache("key", messages=asked) == {"answer": 42}
        assert cache.get_cache("another key", messages=asked) is None
        assert cache.get_cache("key", messages=other) is None
        asyncio.run(asynchronous(cache))


async def asynchronous(cache: QdrantSemanticCache) -> None:
    messages = [{"role": "user", "content": offline.TEXTS[1]}]
    await cache.async_set_cache("key", {"answer": 43}, messages=messages)
    assert await cache.async_get_cache("key", messages=messages) == {"answer": 43}


if __name__ == "__main__":
    offline.main(run)
