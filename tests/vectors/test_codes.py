"""Codes of rows: what they leave over must hold every row that a full comparison would choose."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.types import BoolArray, Datatype, Distance, FloatArray, Hits, OffsetArray
from qdlite.vectors import dense, kernels
from qdlite.vectors.codes import RowCodes
from qdlite.vectors.dense import DenseIndex
from qdlite.vectors.index import SearchParams
from qdlite.vectors.kernels import Kernels
from qdlite.vectors.matrix import Matrix

DISTANCES: tuple[Distance, ...] = ("Dot", "Cosine", "Euclid")
EXACT = SearchParams(exact=True)


@pytest.fixture(scope="module", autouse=True)
def in_use(compiled: Kernels) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "installed", lambda: compiled)
        yield


def rows_of(count: int, size: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal((count, size), np.float32)


def index_of(rows: FloatArray, distance: Distance, datatype: Datatype = "float32") -> DenseIndex:
    index = DenseIndex(rows.shape[1], distance, datatype)
    index.put(np.arange(len(rows)), index.prepare_batch(rows))
    return index


def codes_of(rows: FloatArray, distance: Distance = "Dot") -> RowCodes:
    matrix = Matrix(rows.shape[1], "float32")
    matrix.reserve(len(rows))
    matrix.write(slice(0, len(rows)), rows)
    return RowCodes(matrix, distance)


def best(index: DenseIndex, query: FloatArray, limit: int, mask: BoolArray | None = None) -> set[int]:
    """What comparing every row in float64 says."""
    rows = index.rows(np.arange(index.extent)).astype(np.float64)
    wide = query.astype(np.float64)
    scores = -((rows - wide) ** 2).sum(axis=1) if index.distance == "Euclid" else rows @ wide
    allowed = index.present[: index.extent] & (True if mask is None else mask)
    scores[~allowed] = -np.inf
    return set(np.argsort(-scores, kind="stable")[: min(limit, int(allowed.sum()))].tolist())


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("datatype", ["float32", "float16"])
@pytest.mark.parametrize("share", [1.0, 0.6, 0.2])
@pytest.mark.parametrize("size", [33, 128])
def test_answers_are_those_of_a_full_comparison(
    distance: Distance, datatype: Datatype, share: float, size: int
) -> None:
    index = index_of(rows_of(4000, size), distance, datatype)
    mask = None if share == 1 else np.random.default_rng(1).random(4000) < share
    for query in rows_of(20, size, seed=2):
        prepared = index.prepare_query(query)
        hits = index.search(prepared, 10, mask, EXACT)
        assert set(hits.offsets.tolist()) == best(index, prepared, 10, mask)
        assert (np.diff(hits.scores) <= 0).all()


def test_few_rows_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The point of codes: of 20,000 rows only some dozens are read as floats."""
    index = index_of(rows_of(20_000, 64), "Cosine")
    compared: list[int] = []
    nearest_of = DenseIndex._nearest_of

    def counted(self: DenseIndex, query: FloatArray, limit: int, offsets: OffsetArray) -> Hits:
        compared.append(len(offsets))
        return nearest_of(self, query, limit, offsets)

    monkeypatch.setattr(DenseIndex, "_nearest_of", counted)
    for query in rows_of(20, 64, seed=3):
        index.search(index.prepare_query(query), 10, None, EXACT)
    assert len(compared) == 20
    assert max(compared) < 200


@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([1e-42, 1e-30, 1e-22, 1e-12, 1e-4, 1.0, 1e4, 1e15, 1e25]),
    query_scale=st.sampled_from([1e-25, 1e-12, 1.0, 1e12]),
    spread=st.floats(0, 8),
    limit=st.integers(1, 60),
    distance=st.sampled_from(["Dot", "Euclid"]),
    twins=st.booleans(),
)
def test_no_row_is_lost(
    seed: int, scale: float, query_scale: float, spread: float, limit: int, distance: Distance, twins: bool
) -> None:
    """Also not among rows of very different lengths, tiny and huge ones, zeros, and equal ones."""
    rng = np.random.default_rng(seed)
    count, size = 600, 40
    with np.errstate(over="ignore"):
        wild = rng.standard_normal((count, size)) * scale * np.exp(spread * rng.standard_normal((count, 1)))
        rows: FloatArray = wild.astype(np.float32)
    rows[rng.integers(0, count, 5)] = 0
    if twins:
        rows[rng.integers(0, count, 100)] = rows[0]
    query = (rng.standard_normal(size) * np.exp(rng.normal()) * query_scale).astype(np.float32)
    possible = codes_of(rows, distance).possible(query, limit, count, None, None)
    if possible is None:
        return
    wide = rows.astype(np.float64)
    scores = wide @ query if distance == "Dot" else -((wide - query) ** 2).sum(axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        worst = np.sort(scores)[::-1][limit - 1]
    assert set(np.flatnonzero(scores > worst).tolist()) <= set(possible.tolist())
    assert len(possible) >= limit
    assert (np.diff(possible) > 0).all()


@pytest.mark.parametrize("scale", [1e-14, 1e-19, 1e-22, 1e-30, 1e-37])
def test_rows_whose_squares_vanish_are_possible_always(scale: float) -> None:
    """What bytes leave out of them is not zero, only its square is."""
    rows, query = rows_of(2000, 64), rows_of(1, 64, seed=1)[0]
    rows[rows @ query > 0] *= np.float32(scale)
    for codes in codes_of(rows), codes_of(rows, "Euclid"):
        possible = codes.possible(query, 10, 2000, None, None)
        assert possible is not None
        assert set(np.flatnonzero(np.abs(rows).max(axis=1) < 1e-12).tolist()) <= set(possible.tolist())
    assert codes_of(rows_of(2000, 64)).possible(query * np.float32(scale), 10, 2000, None, None) is None


def test_infinite_components_are_possible_always() -> None:
    rows = rows_of(1000, 32)
    rows[7, 3], rows[900, 0] = np.inf, -np.inf
    possible = codes_of(rows).possible(np.abs(rows_of(1, 32, 5)[0]), 3, 1000, None, None)
    assert possible is not None
    assert {7, 900} <= set(possible.tolist())


def test_a_query_beyond_bytes_is_left_to_a_full_comparison() -> None:
    query = rows_of(1, 32)[0]
    query[0] = np.inf
    assert codes_of(rows_of(1000, 32)).possible(query, 3, 1000, None, None) is None


def test_equal_rows_are_compared_outright() -> None:
    rows = np.tile(rows_of(1, 32), (20_000, 1))
    assert codes_of(rows).possible(rows[0], 10, 20_000, None, None) is None


@pytest.mark.parametrize("several", [1, 3, 200])
def test_codes_follow_what_is_rewritten(several: int) -> None:
    index = index_of(rows_of(2000, 48), "Dot")
    rng = np.random.default_rng(4)
    for step in range(30):
        query = rows_of(1, 48, seed=step)[0]
        at = rng.choice(2100, several, replace=False)
        index.put(at, rows_of(several, 48, seed=100 + step) * np.float32(3))
        index.remove(rng.choice(2000, several, replace=False))
        hits = index.search(query, 10, None, EXACT)
        assert set(hits.offsets.tolist()) == best(index, query, 10)


def test_many_writes_between_searches_are_kept_together() -> None:
    index = index_of(rows_of(2000, 48), "Dot")
    query = rows_of(1, 48, seed=9)[0]
    index.search(query, 10, None, EXACT)
    for row in range(300):
        index.put(np.array([row * 5]), rows_of(1, 48, seed=row) * np.float32(2))
    assert index._codes is not None and len(index._codes._stale) < 100
    hits = index.search(query, 10, None, EXACT)
    assert set(hits.offsets.tolist()) == best(index, query, 10)


def test_readers_encode_together() -> None:
    index = index_of(rows_of(5000, 64), "Cosine")
    queries = [index.prepare_query(query) for query in rows_of(64, 64, seed=6)]
    wanted = [best(index, query, 10) for query in queries]
    for round in range(20):
        with ThreadPoolExecutor(8) as pool:
            hits = list(pool.map(lambda query: index.search(query, 10, None, EXACT), queries))
        assert [set(found.offsets.tolist()) for found in hits] == wanted
        index.put(np.arange(round, 5000, 7), index.rows(np.arange(round, 5000, 7)))


def test_bytes_under_cosine_have_no_codes() -> None:
    rows = np.abs(rows_of(1000, 64)) * 40
    assert index_of(rows, "Cosine", "uint8")._codes is None
    assert index_of(rows, "Manhattan")._codes is None
    assert index_of(rows, "Dot", "uint8")._codes is not None


def test_few_rows_need_no_codes() -> None:
    index = index_of(rows_of(dense.WORTH_CODES - 1, 64), "Dot")
    index.search(rows_of(1, 64, seed=1)[0], 10, None, EXACT)
    assert not index._coded
