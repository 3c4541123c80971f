"""Does mem0 work: a memory whose vector store, and whose embeddings too, are this server?"""

from __future__ import annotations

import os
import tempfile
from urllib.parse import urlsplit

os.environ.setdefault("MEM0_TELEMETRY", "False")
os.environ.setdefault("MEM0_DIR", tempfile.mkdtemp(prefix="mem0-"))

from mem0 import Memory
from mem0.vector_stores.qdrant import Qdrant

from tests.integrations import offline

SIZE = 1536
"""mem0's default."""


def memory(url: str) -> None:
    """Texts are embedded by the server's OpenAI-compatible route."""
    address = urlsplit(url)
    openai = {"api_key": "none", "openai_base_url": f"{url}/v1"}
    made = Memory.from_config(
        {
            "vector_store": {
                "provider": "qdrant",
                "config": {"host": address.hostname, "port": address.port, "collection_name": "mem0"},
            },
            "embedder": {"provider": "openai", "config": {**openai, "model": f"hashing/{SIZE}"}},
            "llm": {"provider": "openai", "config": openai},
            "history_db_path": ":memory:",
        }
    )
    for text in offline.TEXTS:
        made.add(text, user_id="ann", infer=False)
    made.add("Bob likes chess", user_id="bob", infer=False)
    found = made.search(offline.QUERY, filters={"user_id": "ann"}, top_k=1)["results"]
    assert [each["memory"] for each in found] == [offline.TEXTS[0]], found
    assert len(made.get_all(filters={"user_id": "ann"})["results"]) == len(offline.TEXTS)
    made.update(found[0]["id"], "Recipe for pancakes")
    assert made.get(found[0]["id"])["memory"] == "Recipe for pancakes"
    made.delete(found[0]["id"])
    assert len(made.get_all(filters={"user_id": "ann"})["results"]) == len(offline.TEXTS) - 1
    made.delete_all(user_id="ann")
    assert made.get_all(filters={"user_id": "ann"})["results"] == []
    assert len(made.get_all(filters={"user_id": "bob"})["results"]) == 1
    made.reset()


def vector_store(url: str) -> None:
    """The store by itself, with sparse vectors beside the unnamed ones."""
    store = Qdrant("mem0-store", SIZE, url=url)
    store._bm25_encoder = offline.SparseTextEmbedding()  # its own would be downloaded
    payloads = [{"data": text, "user_id": "ann", "number": n} for n, text in enumerate(offline.TEXTS)]
    store.insert([offline.dense(text, SIZE) for text in offline.TEXTS], payloads, [1, 2, 3])
    query = offline.dense(offline.QUERY, SIZE)
    assert [hit.id for hit in store.search(offline.QUERY, query, 1, {"user_id": "ann"})] == [1]
    assert [[hit.id for hit in hits] for hits in store.search_batch([offline.QUERY] * 2, [query] * 2, 1)] == [[1], [1]]
    assert [hit.id for hit in store.keyword_search("flat tyre", 1, {"user_id": "ann"})] == [2]
    assert [hit.id for hit in store.search(offline.QUERY, query, 5, {"number": {"gte": 2}})] == [3]
    store.update(3, payload={"data": "changed"})
    store.update(3, vector=query)
    assert store.get(3).payload == {"data": "changed", "user_id": "ann", "number": 2}
    store.delete(1)
    assert len(store.list()[0]) == 2
    assert "mem0-store" in str(store.list_cols())
    store.reset()
    assert store.list()[0] == []
    store.delete_col()


def run(url: str) -> None:
    memory(url)
    vector_store(url)


if __name__ == "__main__":
    offline.main(run)
