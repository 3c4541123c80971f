"""Feature: collections are created, described, changed and deleted."""

from __future__ import annotations

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse


def test_life_of_a_collection(client: QdrantClient) -> None:
    assert client.create_collection("c", vectors_config=models.VectorParams(size=4, distance=models.Distance.COSINE))
    assert client.collection_exists("c")
    assert [collection.name for collection in client.get_collections().collections] == ["c"]
    assert client.delete_collection("c")
    assert not client.delete_collection("c")
    assert not client.collection_exists("c")


def test_the_configuration_is_shown_complete(http: httpx.Client) -> None:
    body = {
        "vectors": {"a": {"size": 4, "distance": "Dot", "datatype": "float16"}, "b": {"size": 2, "distance": "Euclid"}},
        "sparse_vectors": {"s": {"modifier": "idf"}},
        "metadata": {"owner": "me"},
    }
    assert http.put("/collections/c", json=body).json()["result"] is True
    info = http.get("/collections/c").json()["result"]
    assert info == {
        "status": "green",
        "optimizer_status": "ok",
        "indexed_vectors_count": 0,
        "points_count": 0,
        "segments_count": 1,
        "config": {
            "params": {
                "vectors": body["vectors"],
                "shard_number": 1,
                "replication_factor": 1,
                "write_consistency_factor": 1,
                "on_disk_payload": True,
                "sparse_vectors": {"s": {"modifier": "idf"}},
            },
            "hnsw_config": {
                "m": 16,
                "ef_construct": 100,
                "full_scan_threshold": 10000,
                "max_indexing_threads": 0,
                "on_disk": False,
            },
            "optimizer_config": {
                "deleted_threshold": 0.2,
                "vacuum_min_vector_number": 1000,
                "default_segment_number": 0,
                "max_segment_size": None,
                "memmap_threshold": None,
                "indexing_threshold": 10000,
                "flush_interval_sec": 5,
                "max_optimization_threads": None,
            },
            "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0, "wal_retain_closed": 1},
            "quantization_config": None,
            "metadata": {"owner": "me"},
        },
        "payload_schema": {},
        "update_queue": {"length": 0},
    }


def test_the_shown_configuration_makes_an_equal_collection(client: QdrantClient) -> None:
    client.create_collection(
        "a",
        vectors_config={"v": models.VectorParams(size=3, distance=models.Distance.DOT, on_disk=True)},
        hnsw_config=models.HnswConfigDiff(m=32),
    )
    config = client.get_collection("a").config
    client.create_collection(
        "b",
        vectors_config=config.params.vectors,
        hnsw_config=models.HnswConfigDiff(**config.hnsw_config.model_dump()),
        optimizers_config=models.OptimizersConfigDiff(**config.optimizer_config.model_dump(exclude_none=True)),
    )
    assert client.get_collection("b").config == config


def test_changes_are_merged(client: QdrantClient) -> None:
    client.create_collection("c", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
    client.update_collection("c", hnsw_config=models.HnswConfigDiff(ef_construct=50))
    client.update_collection("c", optimizers_config=models.OptimizersConfigDiff(indexing_threshold=7))
    config = client.get_collection("c").config
    assert (config.hnsw_config.m, config.hnsw_config.ef_construct) == (16, 50)
    assert config.optimizer_config.indexing_threshold == 7


def test_a_collection_without_vectors(client: QdrantClient) -> None:
    client.create_collection("c", vectors_config={})
    client.upsert("c", [models.PointStruct(id=1, vector={}, payload={"a": 1})], wait=True)
    assert client.retrieve("c", [1])[0].payload == {"a": 1}


@pytest.mark.parametrize("name", ["a:b", "a*b", 'a"b', "a<b"])
def test_names_that_cannot_be_files_are_refused(client: QdrantClient, name: str) -> None:
    with pytest.raises(UnexpectedResponse) as caught:
        client.create_collection(name, vectors_config={})
    assert caught.value.status_code == 422


def test_named_vectors_come_and_go(http: httpx.Client) -> None:
    http.put("/collections/c", json={"vectors": {"a": {"size": 2, "distance": "Dot"}}})
    added = http.put("/collections/c/vectors/b?wait=true", json={"dense": {"size": 3, "distance": "Dot"}})
    assert added.json()["result"]["status"] == "completed"
    point = {"id": 1, "vector": {"a": [1, 2], "b": [1, 2, 3]}}
    assert http.put("/collections/c/points?wait=true", json={"points": [point]}).status_code == 200
    assert http.delete("/collections/c/vectors/b?wait=true").status_code == 200
    assert http.get("/collections/c/points/1").json()["result"]["vector"] == {"a": [1.0, 2.0]}
    http.put("/collections/c/vectors/b?wait=true", json={"dense": {"size": 3, "distance": "Dot"}})
    assert http.get("/collections/c/points/1").json()["result"]["vector"] == {"a": [1.0, 2.0]}
