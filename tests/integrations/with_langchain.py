"""Does langchain-qdrant work: dense, sparse and hybrid stores, filters, MMR, deletion, errors?"""

from __future__ import annotations

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_qdrant import FastEmbedSparse, QdrantVectorStore, RetrievalMode
from qdrant_client import models

from tests.integrations import offline


class Hashed(Embeddings):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [offline.dense(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return offline.dense(text)


DOCUMENTS = [Document(text, metadata={"number": number}) for number, text in enumerate(offline.TEXTS)]


def check(url: str, name: str, mode: RetrievalMode) -> None:
    offline.plug_in_fastembed()
    store = QdrantVectorStore.from_documents(
        DOCUMENTS,
        embedding=Hashed(),
        sparse_embedding=FastEmbedSparse(),
        url=url,
        collection_name=name,
        retrieval_mode=mode,
    )
    assert [found.page_content for found in store.similarity_search(offline.QUERY, k=1)] == [offline.TEXTS[0]]
    only = models.Filter(must=[models.FieldCondition(key="metadata.number", match=models.MatchValue(value=2))])
    found = store.similarity_search_with_score(offline.QUERY, k=3, filter=only)
    assert mode is RetrievalMode.SPARSE or [each.metadata["number"] for each, _ in found] == [2]
    again = QdrantVectorStore.from_existing_collection(
        name, embedding=Hashed(), sparse_embedding=FastEmbedSparse(), url=url, retrieval_mode=mode
    )
    ids = again.add_texts(["a text to be deleted"], metadatas=[{"number": 9}])
    assert [each.page_content for each in again.get_by_ids(ids)] == ["a text to be deleted"]
    assert again.delete(ids) is True
    assert again.get_by_ids(ids) == []
    assert again.client.count(name).count == len(DOCUMENTS)


def run(url: str) -> None:
    for mode in RetrievalMode:
        check(url, f"langchain-{mode.value}", mode)
    store = QdrantVectorStore.from_existing_collection("langchain-dense", embedding=Hashed(), url=url)
    diverse = store.max_marginal_relevance_search(offline.QUERY, k=2, fetch_k=3)
    assert diverse[0].page_content == offline.TEXTS[0] and len(diverse) == 2
    assert len(store.similarity_search_with_relevance_scores(offline.QUERY, k=3, score_threshold=0.75)) == 1
    recreated = QdrantVectorStore.from_texts(
        ["one"], Hashed(), url=url, collection_name="langchain-dense", force_recreate=True
    )
    assert recreated.client.count("langchain-dense").count == 1


if __name__ == "__main__":
    offline.main(run)
