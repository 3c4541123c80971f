"""Does llama-index-vector-stores-qdrant work: an index, hybrid search, metadata filters, nodes, deletion, async?"""

from __future__ import annotations

import asyncio

from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)
from llama_index.core.vector_stores.types import VectorStoreQueryMode
from llama_index.vector_stores.qdrant import QdrantVectorStore
from qdrant_client import AsyncQdrantClient, QdrantClient

from tests.integrations import offline


class Hashed(BaseEmbedding):
    def _get_text_embedding(self, text: str) -> list[float]:
        return offline.dense(text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return offline.dense(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return offline.dense(query)


def sparse(texts: list[str]) -> tuple[list[list[int]], list[list[float]]]:
    pairs = [offline.sparse(text) for text in texts]
    return [indices for indices, _ in pairs], [values for _, values in pairs]


def nodes() -> list[TextNode]:
    return [TextNode(text=text, metadata={"number": n, "tags": ["x", f"t{n}"]}) for n, text in enumerate(offline.TEXTS)]


def store_of(url: str, name: str, hybrid: bool) -> QdrantVectorStore:
    functions = {"sparse_doc_fn": sparse, "sparse_query_fn": sparse} if hybrid else {}
    return QdrantVectorStore(
        name, client=QdrantClient(url=url), aclient=AsyncQdrantClient(url=url), enable_hybrid=hybrid, **functions
    )


def filters(*conditions: tuple[str, FilterOperator, object]) -> MetadataFilters:
    return MetadataFilters(
        filters=[MetadataFilter(key=key, operator=operator, value=value) for key, operator, value in conditions],
        condition=FilterCondition.AND,
    )


def dense_index(url: str) -> None:
    store = store_of(url, "llama-dense", hybrid=False)
    context = StorageContext.from_defaults(vector_store=store)
    index = VectorStoreIndex(nodes(), storage_context=context, embed_model=Hashed())
    assert index.as_retriever(similarity_top_k=1).retrieve(offline.QUERY)[0].text == offline.TEXTS[0]
    cases = {
        2: ("number", FilterOperator.GT, 1),
        1: ("tags", FilterOperator.IN, ["t1", "t7"]),
        0: ("number", FilterOperator.NIN, [1, 2]),
    }
    for number, condition in cases.items():
        found = index.as_retriever(filters=filters(condition)).retrieve(offline.QUERY)
        assert [each.metadata["number"] for each in found] == [number], condition
    assert store.get_nodes(filters=filters(("missing", FilterOperator.IS_EMPTY, None))) != []
    matched = store.get_nodes(filters=filters(("_node_content", FilterOperator.TEXT_MATCH, "tyre")))
    assert [each.metadata["number"] for each in matched] == [1]
    first = store.get_nodes()[0]
    assert [each.node_id for each in store.get_nodes(node_ids=[first.node_id])] == [first.node_id]
    store.delete_nodes(node_ids=[first.node_id])
    assert len(store.get_nodes()) == len(offline.TEXTS) - 1
    reopened = store_of(url, "llama-dense", hybrid=False)
    assert len(reopened.get_nodes()) == len(offline.TEXTS) - 1
    reopened.clear()
    assert not reopened.client.collection_exists("llama-dense")


async def hybrid_index(url: str) -> None:
    store = store_of(url, "llama-hybrid", hybrid=True)
    made = [node.model_copy(update={"embedding": offline.dense(node.text)}) for node in nodes()]
    await store.async_add(made)
    query = VectorStoreQuery(
        query_embedding=offline.dense(offline.QUERY),
        query_str=offline.QUERY,
        similarity_top_k=1,
        sparse_top_k=2,
        mode=VectorStoreQueryMode.HYBRID,
    )
    for answer in (store.query(query), await store.aquery(query)):
        assert [node.get_content() for node in answer.nodes] == [offline.TEXTS[0]]
    query.mode = VectorStoreQueryMode.SPARSE
    assert [node.get_content() for node in store.query(query).nodes][:1] == [offline.TEXTS[0]]
    await store.adelete_nodes(node_ids=[made[0].node_id])
    assert len(await store.aget_nodes()) == len(offline.TEXTS) - 1


def run(url: str) -> None:
    dense_index(url)
    asyncio.run(hybrid_index(url))


if __name__ == "__main__":
    offline.main(run)
