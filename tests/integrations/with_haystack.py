"""Does qdrant-haystack work: store settings, writing policies, filters, all retrievers, metadata statistics?"""

from __future__ import annotations

from haystack import Document
from haystack.dataclasses import SparseEmbedding
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy
from haystack_integrations.components.retrievers.qdrant import (
    QdrantEmbeddingRetriever,
    QdrantHybridRetriever,
    QdrantSparseEmbeddingRetriever,
)
from haystack_integrations.document_stores.qdrant import QdrantDocumentStore

from tests.integrations import offline

SIZE = 768
"""The store's default."""


def document(number: int, text: str) -> Document:
    return Document(
        id=f"document {number}",
        content=text,
        meta={"number": number, "kind": "odd" if number % 2 else "even", "date": f"2024-0{number + 1}-01T00:00:00"},
        embedding=offline.dense(text, SIZE),
        sparse_embedding=SparseEmbedding(*offline.sparse(text)),
    )


def open_store(url: str, recreate: bool) -> QdrantDocumentStore:
    return QdrantDocumentStore(
        url=url,
        use_sparse_embeddings=True,
        sparse_idf=True,
        recreate_index=recreate,
        on_disk=True,
        hnsw_config={"m": 16, "ef_construct": 64, "on_disk": True},
        optimizers_config={"default_segment_number": 2},
        wal_config={"wal_capacity_mb": 16},
        quantization_config={"scalar": {"type": "int8"}},
        payload_fields_to_index=[{"field_name": "meta.number", "field_schema": "integer"}],
        return_embedding=True,
        progress_bar=False,
    )


def condition(field: str, operator: str, value: object) -> dict[str, object]:
    return {"field": field, "operator": operator, "value": value}


def check_filters(store: QdrantDocumentStore) -> None:
    cases = [
        (condition("meta.number", "==", 1), [1]),
        (condition("meta.number", "!=", 1), [0, 2]),
        (condition("meta.number", "in", [0, 2]), [0, 2]),
        (condition("meta.kind", "not in", ["even"]), [1]),
        (condition("meta.date", ">=", "2024-02-01T00:00:00"), [1, 2]),
        (
            {"operator": "OR", "conditions": [condition("meta.number", "<", 1), condition("meta.number", ">", 1)]},
            [0, 2],
        ),
        ({"operator": "NOT", "conditions": [condition("meta.number", "==", 1)]}, [0, 2]),
    ]
    for filters, expected in cases:
        found = sorted(each.meta["number"] for each in store.filter_documents(filters))
        assert found == expected, (filters, found)
        assert store.count_documents_by_filter(filters) == len(expected)


def check_retrievers(store: QdrantDocumentStore) -> None:
    query, sparse = offline.dense(offline.QUERY, SIZE), SparseEmbedding(*offline.sparse(offline.QUERY))
    answers = [
        QdrantEmbeddingRetriever(store, top_k=1, return_embedding=True).run(query_embedding=query),
        QdrantSparseEmbeddingRetriever(store, top_k=1, return_embedding=True).run(query_sparse_embedding=sparse),
        QdrantHybridRetriever(store, top_k=1, return_embedding=True).run(
            query_embedding=query, query_sparse_embedding=sparse
        ),
        QdrantEmbeddingRetriever(store, top_k=1, return_embedding=True, group_by="meta.kind", group_size=1).run(
            query_embedding=query
        ),
    ]
    for answer in answers:
        assert answer["documents"][0].content == offline.TEXTS[0]
        assert answer["documents"][0].embedding is not None


def run(url: str) -> None:
    store = open_store(url, recreate=True)
    documents = [document(number, text) for number, text in enumerate(offline.TEXTS)]
    assert store.write_documents(documents) == len(documents)
    try:
        store.write_documents(documents[:1], policy=DuplicatePolicy.FAIL)
        raise AssertionError("a duplicate was taken")
    except DuplicateDocumentError:
        pass
    assert store.write_documents(documents, policy=DuplicatePolicy.SKIP) == 0
    check_filters(store)
    check_retrievers(store)
    assert store.get_metadata_field_min_max("number") == {"min": 0, "max": 2}
    assert store.count_unique_metadata_by_filter({}, ["kind"]) == {"kind": 2}
    assert "number" in str(store.get_metadata_fields_info())
    assert store.update_by_filter(condition("meta.number", "==", 1), {"kind": "changed"}) == 1
    assert store.delete_by_filter(condition("meta.kind", "==", "changed")) == 1
    store.delete_documents(["document 0"])
    assert store.count_documents() == 1
    reopened = open_store(url, recreate=False)  # compares the settings with its own
    assert reopened.count_documents() == 1
    reopened.delete_all_documents()
    assert reopened.count_documents() == 0
    plain = QdrantDocumentStore(url=url, index="haystack-plain", progress_bar=False)
    plain.write_documents(documents)
    found = QdrantEmbeddingRetriever(plain).run(query_embedding=offline.dense(offline.QUERY, SIZE))["documents"]
    assert found[0].content == offline.TEXTS[0]
    plain.delete_all_documents(recreate_index=True)  # reads the settings from the server
    assert plain.count_documents() == 0


if __name__ == "__main__":
    offline.main(run)
