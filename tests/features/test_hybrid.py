"""Feature: dense and sparse searches are combined in one request."""

from __future__ import annotations

import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse


@pytest.fixture
def client(client: QdrantClient) -> QdrantClient:
    client.create_collection(
        "c",
        vectors_config={"d": models.VectorParams(size=2, distance=models.Distance.DOT)},
        sparse_vectors_config={"s": models.SparseVectorParams()},
    )
    dense = {1: [4.0, 0.0], 2: [3.0, 0.0], 3: [2.0, 0.0], 4: [1.0, 0.0]}
    sparse = {3: 9.0, 4: 8.0, 1: 7.0}
    points = [
        models.PointStruct(id=n, vector={"d": vector}, payload={"even": n % 2 == 0}) for n, vector in dense.items()
    ]
    client.upsert("c", points, wait=True)
    vectors = {n: models.SparseVector(indices=[0], values=[value]) for n, value in sparse.items()}
    client.update_vectors("c", [models.PointVectors(id=n, vector={"s": v}) for n, v in vectors.items()], wait=True)
    return client


DENSE = models.Prefetch(query=[1.0, 0.0], using="d", limit=4)
SPARSE = models.Prefetch(query=models.SparseVector(indices=[0], values=[1.0]), using="s", limit=4)


def fused(client: QdrantClient, query: models.Query, **options: object) -> dict[models.ExtendedPointId, float]:
    response = client.query_points("c", prefetch=[DENSE, SPARSE], query=query, **options)  # type: ignore[arg-type]
    return {point.id: point.score for point in response.points}


def test_reciprocal_ranks(client: QdrantClient) -> None:
    scores = fused(client, models.FusionQuery(fusion=models.Fusion.RRF))
    assert scores == pytest.approx({1: 1 / 2 + 1 / 4, 3: 1 / 4 + 1 / 2, 4: 1 / 5 + 1 / 3, 2: 1 / 3})
    assert list(scores)[2:] == [4, 2]


def test_constant_and_weights(client: QdrantClient) -> None:
    """A rank (from 1) counts 1 / (rank / weight + k - 1)."""
    scores = fused(client, models.RrfQuery(rrf=models.Rrf(k=1, weights=[3.0, 1.0])))
    assert scores == pytest.approx({1: 3 / 1 + 1 / 3, 3: 3 / 3 + 1 / 1, 2: 3 / 2, 4: 3 / 4 + 1 / 2})
    assert list(scores) == [1, 3, 2, 4]


def test_distribution_based_scores(client: QdrantClient) -> None:
    scores = fused(client, models.FusionQuery(fusion=models.Fusion.DBSF))
    assert list(scores) == [3, 1, 4, 2]


def test_filter_threshold_and_limit(client: QdrantClient) -> None:
    even = models.Filter(must=models.FieldCondition(key="even", match=models.MatchValue(value=True)))
    rrf = models.FusionQuery(fusion=models.Fusion.RRF)
    assert set(fused(client, rrf, query_filter=even)) == {2, 4}
    assert set(fused(client, rrf, score_threshold=0.6)) == {1, 3}
    assert len(fused(client, rrf, limit=1)) == 1


def test_prefetched_points_are_scored_anew(client: QdrantClient) -> None:
    response = client.query_points("c", prefetch=SPARSE, query=[1.0, 0.0], using="d")
    assert [(point.id, point.score) for point in response.points] == [(1, 4.0), (3, 2.0), (4, 1.0)]


def test_prefetches_within_prefetches(client: QdrantClient) -> None:
    inner = models.Prefetch(prefetch=[DENSE, SPARSE], query=models.FusionQuery(fusion=models.Fusion.RRF), limit=2)
    response = client.query_points("c", prefetch=inner, query=[1.0, 0.0], using="d")
    assert [point.id for point in response.points] == [1, 3]


@pytest.mark.parametrize(
    ("weights", "text"),
    [([1.0], "got 1, expected 2")],
)
def test_as_many_weights_as_prefetches(client: QdrantClient, weights: list[float], text: str) -> None:
    with pytest.raises(UnexpectedResponse, match=text):
        fused(client, models.RrfQuery(rrf=models.Rrf(weights=weights)))


def test_fusion_needs_prefetches(client: QdrantClient) -> None:
    with pytest.raises(UnexpectedResponse, match="cannot apply Fusion without prefetches"):
        client.query_points("c", query=models.FusionQuery(fusion=models.Fusion.RRF))
