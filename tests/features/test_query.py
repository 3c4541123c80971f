"""Feature: queries find the nearest points, and points by other rules."""

from __future__ import annotations

import math

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

VECTORS = {1: [1.0, 0.0], 2: [0.0, 1.0], 3: [3.0, 4.0], 4: [-1.0, 0.5]}


def make(client: QdrantClient, name: str, distance: models.Distance) -> None:
    client.create_collection(name, vectors_config=models.VectorParams(size=2, distance=distance))
    points = [models.PointStruct(id=n, vector=vector, payload={"n": n}) for n, vector in VECTORS.items()]
    client.upsert(name, points, wait=True)


@pytest.fixture
def client(client: QdrantClient) -> QdrantClient:
    make(client, "c", models.Distance.DOT)
    return client


def found(response: models.QueryResponse) -> list[tuple[models.ExtendedPointId, float]]:
    return [(point.id, point.score) for point in response.points]


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        (models.Distance.DOT, [(3, 7.0), (1, 1.0), (2, 1.0), (4, -0.5)]),
        (models.Distance.COSINE, [(3, 1.4 / math.sqrt(2)), (1, math.sqrt(0.5)), (2, math.sqrt(0.5)), (4, -0.316227)]),
        (models.Distance.EUCLID, [(1, 1.0), (2, 1.0), (4, math.sqrt(4.25)), (3, math.sqrt(13))]),
        (models.Distance.MANHATTAN, [(1, 1.0), (2, 1.0), (4, 2.5), (3, 5.0)]),
    ],
)
def test_nearest(client: QdrantClient, distance: models.Distance, expected: list[tuple[int, float]]) -> None:
    make(client, "d", distance)
    response = client.query_points("d", query=[1.0, 1.0])
    assert sorted(point.id for point in response.points) == [1, 2, 3, 4]
    assert [score for _, score in found(response)] == pytest.approx([score for _, score in expected], rel=1e-5)
    assert dict(found(response)) == pytest.approx(dict(expected), rel=1e-5)


def test_an_id_as_query_leaves_itself_out(client: QdrantClient) -> None:
    assert found(client.query_points("c", query=3)) == [(2, 4.0), (1, 3.0), (4, -1.0)]


def test_limit_offset_threshold_and_filter(client: QdrantClient) -> None:
    rule = models.Filter(must_not=models.HasIdCondition(has_id=[3]))
    assert found(client.query_points("c", query=[2.0, 1.0], limit=1, offset=1)) == [(1, 2.0)]
    assert found(client.query_points("c", query=[2.0, 1.0], query_filter=rule, limit=1)) == [(1, 2.0)]
    assert found(client.query_points("c", query=[2.0, 1.0], score_threshold=2.0)) == [(3, 10.0)]


def test_payload_and_vectors_on_demand(client: QdrantClient) -> None:
    bare = client.query_points("c", query=[1.0, 1.0], limit=1, with_payload=False).points[0]
    full = client.query_points("c", query=[1.0, 1.0], limit=1, with_payload=True, with_vectors=True).points[0]
    assert (bare.payload, bare.vector) == (None, None)
    assert (full.payload, full.vector) == ({"n": 3}, [3.0, 4.0])


def test_search_sees_the_last_write(client: QdrantClient) -> None:
    client.upsert("c", [models.PointStruct(id=9, vector=[100.0, 100.0])], wait=True)
    assert found(client.query_points("c", query=[1.0, 1.0], limit=1)) == [(9, 200.0)]


def test_no_query_lists_by_id(client: QdrantClient) -> None:
    assert found(client.query_points("c")) == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0)]


def test_several_queries_in_one_request(client: QdrantClient) -> None:
    requests = [models.QueryRequest(query=[1.0, 1.0], limit=1), models.QueryRequest(query=2, limit=1)]
    assert [found(response) for response in client.query_batch_points("c", requests)] == [[(3, 7.0)], [(3, 4.0)]]


def test_groups(client: QdrantClient) -> None:
    client.set_payload("c", {"g": "x"}, points=[1, 3], wait=True)
    client.set_payload("c", {"g": "y"}, points=[2], wait=True)
    groups = client.query_points_groups("c", group_by="g", query=[1.0, 1.0], group_size=1).groups
    assert [(group.id, [hit.id for hit in group.hits]) for group in groups] == [("x", [3]), ("y", [2])]


def test_recommend_and_discover(client: QdrantClient) -> None:
    examples = models.RecommendInput(positive=[1], negative=[2], strategy=models.RecommendStrategy.BEST_SCORE)
    assert client.query_points("c", query=models.RecommendQuery(recommend=examples)).points[0].id in (3, 4)
    pair = models.ContextPair(positive=[1.0, 0.0], negative=[-1.0, 0.0])
    target = models.DiscoverQuery(discover=models.DiscoverInput(target=[0.0, 1.0], context=[pair]))
    assert client.query_points("c", query=target).points[0].id == 3


def test_order_by_and_sample(client: QdrantClient) -> None:
    client.create_payload_index("c", "n", models.PayloadSchemaType.INTEGER, wait=True)
    order = models.OrderByQuery(order_by=models.OrderBy(key="n", direction=models.Direction.DESC))
    assert [point.id for point in client.query_points("c", query=order, limit=2).points] == [4, 3]
    sample = client.query_points("c", query=models.SampleQuery(sample=models.Sample.RANDOM), limit=3)
    assert len({point.id for point in sample.points}) == 3


def test_a_formula_scores_anew(client: QdrantClient) -> None:
    formula = models.FormulaQuery(formula=models.SumExpression(sum=["$score", models.MultExpression(mult=[10.0, "n"])]))
    response = client.query_points("c", prefetch=models.Prefetch(query=[1.0, 1.0]), query=formula)
    assert found(response) == [(4, 39.5), (3, 37.0), (2, 21.0), (1, 11.0)]


def test_distance_matrix(client: QdrantClient) -> None:
    pairs = client.search_matrix_pairs("c", sample=4, limit=1).pairs
    assert {(pair.a, pair.b) for pair in pairs} == {(1, 3), (2, 3), (3, 2), (4, 2)}
    offsets = client.search_matrix_offsets("c", sample=4, limit=1)
    assert offsets.ids == [1, 2, 3, 4]


def test_multivectors(client: QdrantClient) -> None:
    config = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    params = models.VectorParams(size=2, distance=models.Distance.DOT, multivector_config=config)
    client.create_collection("m", vectors_config=params)
    points = [models.PointStruct(id=1, vector=[[1.0, 0.0], [0.0, 1.0]]), models.PointStruct(id=2, vector=[[0.5, 0.5]])]
    client.upsert("m", points, wait=True)
    assert found(client.query_points("m", query=[[1.0, 0.0], [0.0, 2.0]])) == [(1, 3.0), (2, 1.5)]


def test_sparse_vectors(client: QdrantClient) -> None:
    client.create_collection("s", vectors_config={}, sparse_vectors_config={"s": models.SparseVectorParams()})
    points = [
        models.PointStruct(id=1, vector={"s": models.SparseVector(indices=[7, 1], values=[2.0, 1.0])}),
        models.PointStruct(id=2, vector={"s": models.SparseVector(indices=[9], values=[1.0])}),
    ]
    client.upsert("s", points, wait=True)
    query = models.SparseVector(indices=[7], values=[3.0])
    assert found(client.query_points("s", query=query, using="s")) == [(1, 6.0)]
    assert client.retrieve("s", [1], with_vectors=True)[0].vector == {
        "s": models.SparseVector(indices=[1, 7], values=[1.0, 2.0])
    }


def test_vectors_of_another_collection(client: QdrantClient) -> None:
    make(client, "other", models.Distance.DOT)
    lookup = models.LookupLocation(collection="other")
    assert client.query_points("c", query=3, lookup_from=lookup).points[0].id == 3
    with pytest.raises(UnexpectedResponse, match="Collection none not found"):
        client.query_points("c", query=3, lookup_from=models.LookupLocation(collection="none"))


def test_groups_look_up_what_spells_an_id(http: httpx.Client) -> None:
    """Texts are UUIDs or nothing, and have to be spelled as in answers."""
    name = "550e8400-e29b-41d4-a716-446655440000"
    http.put("/collections/c", json={})
    names = {1: "2", 2: name.upper(), 3: -1, 4: "x", 5: 6, 6: name, name: 99}
    points = [{"id": n, "vector": {}, "payload": {"name": value}} for n, value in names.items()]
    http.put("/collections/c/points?wait=true", json={"points": points})
    answer = http.post("/collections/c/points/query/groups", json={"group_by": "name", "with_lookup": "c"})
    found = {group["id"]: group.get("lookup", {}).get("id") for group in answer.json()["result"]["groups"]}
    assert found == {"2": None, name.upper(): None, -1: None, "x": None, 6: 6, name: name, 99: None}
