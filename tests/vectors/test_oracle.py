"""Are scores, stored forms and hits those of Qdrant's own engine?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qdlite.types import Datatype, Distance, FloatArray, SparseArray
from qdlite.vectors.create import create_index
from qdlite.vectors.distance import descending, shown
from qdlite.vectors.index import SearchParams, VectorIndex

COUNT = 60
DISTANCES: list[Distance] = ["Dot", "Cosine", "Euclid", "Manhattan"]


@pytest.fixture
def shard(edge: Any, tmp_path: Path) -> Callable[..., Any]:
    def create(vectors: list[Any], /, **config: Any) -> Any:
        made = edge.EdgeShard.create(str(tmp_path), edge.EdgeConfig(**config))
        points = [edge.Point(at, {"v": vector}, None) for at, vector in enumerate(vectors)]
        made.update(edge.UpdateOperation.upsert_points(points))
        return made

    return create


def nearest(edge: Any, shard: Any, query: Any) -> dict[int, float]:
    request = edge.QueryRequest(limit=COUNT, query=edge.Query.Nearest(query, using="v"))
    return {point.id: point.score for point in shard.query(request)}


def retrieved(shard: Any) -> list[Any]:
    return [record.vector["v"] for record in shard.retrieve(list(range(COUNT)), with_payload=False, with_vector=True)]


def answers(index: VectorIndex, query: Any, distance: Distance) -> dict[int, float]:
    hits = index.search(index.prepare_query(query), COUNT, None, SearchParams())
    return dict(zip(hits.offsets.tolist(), shown(distance, hits.scores).tolist(), strict=True))


def assert_agree(
    ours: dict[int, float], theirs: dict[int, float], exactly: bool, falling: bool, precision: float = 1e-5
) -> None:
    assert ours.keys() == theirs.keys()
    if exactly:
        assert ours == theirs
    tolerance = precision * max(map(abs, theirs.values()), default=1)
    for at, score in theirs.items():
        assert ours[at] == pytest.approx(score, rel=precision, abs=tolerance)
    values = list(ours.values())
    assert values == sorted(values, reverse=falling)


@pytest.mark.parametrize("size", [4, 15, 24, 100])
@pytest.mark.parametrize("datatype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("distance", DISTANCES)
def test_dense(edge: Any, shard: Any, distance: Distance, datatype: Datatype, size: int) -> None:
    random = np.random.default_rng(size)
    rows = random.normal(60, 90, (COUNT, size)).astype(np.float32)
    query: FloatArray = random.normal(60, 90, size).astype(np.float32)
    params = edge.EdgeVectorParams(
        size=size,
        distance=getattr(edge.Distance, distance),
        datatype=getattr(edge.VectorStorageDatatype, datatype.capitalize()),
    )
    theirs = shard(rows.tolist(), vectors={"v": params})
    index = create_index("dense", size=size, distance=distance, datatype=datatype)
    index.put(np.arange(COUNT), index.prepare_batch(rows))
    bit_exact = size < 16
    # A length that differs in its last bit, from sums in another order, may round a component to the other half.
    precision = 1e-4 if (datatype, distance) == ("float16", "Cosine") else 1e-5
    found, expected = answers(index, query, distance), nearest(edge, theirs, query.tolist())
    assert_agree(found, expected, bit_exact, descending(distance), precision)
    for at, vector in enumerate(retrieved(theirs)):
        ours = index.get(at)
        assert isinstance(ours, np.ndarray)
        if bit_exact or datatype == "uint8":
            np.testing.assert_array_equal(ours, np.array(vector, np.float32))
        np.testing.assert_allclose(ours, np.array(vector, np.float32), rtol=1e-3 if datatype == "float16" else 1e-6)


@pytest.mark.parametrize("distance", DISTANCES)
def test_multivectors(edge: Any, shard: Any, distance: Distance) -> None:
    random = np.random.default_rng(1)
    lengths = random.integers(1, 6, COUNT).tolist()
    vectors = [random.normal(0, 2, (length, 6)).astype(np.float32) for length in lengths]
    query = random.normal(0, 2, (3, 6)).astype(np.float32)
    params = edge.EdgeVectorParams(
        size=6,
        distance=getattr(edge.Distance, distance),
        multivector_config=edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim),
    )
    theirs = shard([vector.tolist() for vector in vectors], vectors={"v": params})
    index = create_index("multi", size=6, distance=distance)
    index.put(np.arange(COUNT), index.prepare_batch(vectors))
    assert_agree(answers(index, query, distance), nearest(edge, theirs, query.tolist()), True, descending(distance))


@pytest.mark.parametrize("modifier", ["none", "idf"])
def test_sparse(edge: Any, shard: Any, modifier: Any) -> None:
    random = np.random.default_rng(2)

    def vector(terms: int) -> SparseArray:
        indices = np.sort(random.choice(60, terms, replace=False)).astype(np.uint32)
        return SparseArray(indices, random.normal(0.5, 1, terms).astype(np.float32))

    vectors, query = [vector(int(random.integers(1, 9))) for _ in range(COUNT)], vector(6)
    theirs = shard(
        [edge.SparseVector(row.indices.tolist(), row.values.tolist()) for row in vectors],
        sparse_vectors={"v": edge.EdgeSparseVectorParams(modifier=getattr(edge.Modifier, modifier.capitalize()))},
    )
    index = create_index("sparse", modifier=modifier)
    index.put(np.arange(COUNT), index.prepare_batch(vectors))
    expected = nearest(edge, theirs, edge.SparseVector(query.indices.tolist(), query.values.tolist()))
    assert 10 < len(expected) < COUNT
    assert_agree(answers(index, query, "Dot"), expected, False, True)
