"""Compiled scans: one byte a component is read first, and the answer is that of a full comparison."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_ssize_t

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qdlite.types import BoolArray, Datatype, Distance, FloatArray
from qdlite.vectors import dense, kernels, scan
from qdlite.vectors.dense import DenseIndex
from qdlite.vectors.index import SearchParams
from qdlite.vectors.kernels import Kernels
from qdlite.vectors.scan import Scan

DISTANCES: tuple[Distance, ...] = ("Dot", "Cosine", "Euclid", "Manhattan")
CODED: tuple[Distance, ...] = ("Dot", "Euclid")
EXACT = SearchParams(exact=True)


@pytest.fixture(scope="module")
def compiled(compiled_for_both: Kernels) -> Kernels:
    return compiled_for_both


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


def scan_of(index: DenseIndex) -> Scan:
    """Of an index of any size."""
    assert index._compiled_scan is not None
    return index._compiled_scan


def similarities(index: DenseIndex, query: FloatArray) -> NDArray[np.float64]:
    """To every row, in float64."""
    rows, wide = index.rows(np.arange(index.extent)).astype(np.float64), query.astype(np.float64)
    if index.distance == "Euclid":
        return np.asarray(-((rows - wide) ** 2).sum(axis=1))
    return np.asarray(-np.abs(rows - wide).sum(axis=1) if index.distance == "Manhattan" else rows @ wide)


def best(index: DenseIndex, query: FloatArray, limit: int, mask: BoolArray | None = None) -> list[int]:
    """What comparing every row in float64 says."""
    scores = similarities(index, query)
    allowed = index.present[: index.extent] & (True if mask is None else mask)
    scores[~allowed] = -np.inf
    order: list[int] = np.argsort(-scores, kind="stable")[: min(limit, int(allowed.sum()))].tolist()
    return order


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
        assert hits.offsets.tolist() == best(index, prepared, 10, mask)
        assert (np.diff(hits.scores) <= 0).all()


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_run_of_rows_is_read_like_listed_ones(compiled: Kernels, distance: Distance) -> None:
    scanned = scan_of(index_of(rows_of(9000, 40), distance))
    run = np.arange(2500, 8000)
    for query in rows_of(10, 40, seed=4):
        listed = compiled.nearest_rows(scanned._plain_rows(), query, run, None, 7)
        hits = scanned.nearest(query, 7, 9000, run, None)
        np.testing.assert_array_equal(hits.offsets, listed.offsets)
        np.testing.assert_array_equal(hits.scores, listed.scores)
        assert set(hits.offsets.tolist()) <= set(run.tolist())


@pytest.mark.parametrize("distance", ["Cosine", "Euclid"])
def test_few_rows_are_read_as_they_are(compiled: Kernels, distance: Distance) -> None:
    """The point of codes."""
    index = index_of(rows_of(20_000, 64), distance)
    rows = scan_of(index)._coded_rows(20_000)
    for query in rows_of(20, 64, seed=3):
        compared = c_ssize_t()
        compiled.nearest_rows(rows, index.prepare_query(query), range(20_000), None, 10, compared)
        assert 10 <= compared.value < 400


@pytest.mark.parametrize("distance", CODED)
@pytest.mark.parametrize("size", [32, 40, 129, 400])
@pytest.mark.parametrize("spread", [0.1, 0.3, 1.0, 10.0])
def test_long_runs_are_sifted_without_loss(compiled: Kernels, distance: Distance, size: int, spread: float) -> None:
    """Of rows in clusters half a byte a component drops most; where it does not, that is noticed."""
    rng, count = np.random.default_rng(size), 14_000
    centres = rows_of(60, size, seed=1)
    rows = centres[rng.integers(0, 60, count)] + np.float32(spread) * rows_of(count, size, seed=2)
    rows[rng.integers(0, count, 200)] *= rng.choice(
        np.array([0, 1e-20, 1e-3, 30, 1e30, np.inf, np.nan], np.float32), (200, 1)
    )
    rows[rng.integers(9000, count, 50)] = rows[9000]
    scanned = scan_of(index_of(rows, distance))
    plain_rows, coded_rows = scanned._plain_rows(), scanned._coded_rows(count)
    mask = rng.random(count) < 0.3
    for query in centres[:6] + np.float32(spread) * rows_of(6, size, seed=3):
        for among, allowed, limit in (
            (range(count), None, 10),
            (range(17, count), mask, 25),
            (range(1000, 9300), None, 1),
            (range(count), None, 1000),
        ):
            plain = compiled.nearest_rows(plain_rows, query, among, allowed, limit)
            coded = compiled.nearest_rows(coded_rows, query, among, allowed, limit)
            np.testing.assert_array_equal(coded.offsets, plain.offsets)
            np.testing.assert_array_equal(coded.scores, plain.scores)


@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([1e-42, 1e-30, 1e-22, 1e-12, 1e-4, 1.0, 1e4, 1e15, 1e25, 1e38]),
    query_scale=st.sampled_from([1e-25, 1e-12, 1.0, 1e12]),
    spread=st.floats(0, 8),
    limit=st.integers(1, 60),
    distance=st.sampled_from(CODED),
    twins=st.booleans(),
    strange=st.sampled_from([0.0, np.nan, np.inf, -np.inf]),
)
def test_codes_change_no_answer(
    compiled: Kernels,
    seed: int,
    scale: float,
    query_scale: float,
    spread: float,
    limit: int,
    distance: Distance,
    twins: bool,
    strange: float,
) -> None:
    """Also not among rows of very different lengths, tiny and huge ones, zeros, equal ones, and what is no number."""
    rng = np.random.default_rng(seed)
    count, size = 600, 40
    with np.errstate(over="ignore"):
        wild = rng.standard_normal((count, size)) * scale * np.exp(spread * rng.standard_normal((count, 1)))
        rows: FloatArray = wild.astype(np.float32)
    rows[rng.integers(0, count, 5)] = 0
    rows[rng.integers(0, count, 3), rng.integers(0, size, 3)] = strange
    if twins:
        rows[rng.integers(0, count, 100)] = rows[0]
    query = (rng.standard_normal(size) * np.exp(rng.normal()) * query_scale).astype(np.float32)
    scanned = scan_of(index_of(rows, distance))
    at = np.sort(rng.permutation(count)[: rng.integers(limit, count)])
    some = range(int(at[0]), count)
    for among, allowed in ((range(count), None), (at, None), (range(count), rng.random(count) < 0.4), (some, None)):
        plain = compiled.nearest_rows(scanned._plain_rows(), query, among, allowed, limit)
        coded = compiled.nearest_rows(scanned._coded_rows(count), query, among, allowed, limit)
        np.testing.assert_array_equal(coded.offsets, plain.offsets)
        np.testing.assert_array_equal(coded.scores, plain.scores)
        assert coded.tied == plain.tied == bool((~(plain.scores[1:] < plain.scores[:-1])).any())


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 90),
    limit=st.integers(1, 100),
    strange=st.sampled_from([0.0, np.nan, np.inf, -np.inf, 3e38]),
)
def test_plain_scans_sort_as_numpy_does(compiled: Kernels, seed: int, count: int, limit: int, strange: float) -> None:
    """Largest similarities first, of equal ones the smaller row, what is no number last."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(np.array([-1, 0, 1, strange], np.float32), (count, 16), p=[0.3, 0.3, 0.3, 0.1])
    query = rng.choice(np.array([0, 1, 2], np.float32), 16)
    scanned = scan_of(index_of(rows, "Dot"))
    with np.errstate(all="ignore"):
        scores = rows @ query
    compared = c_ssize_t()
    hits = compiled.nearest_rows(scanned._plain_rows(), query, range(count), None, limit, compared)
    assert hits.offsets.tolist() == np.argsort(-scores, kind="stable")[:limit].tolist()
    np.testing.assert_array_equal(hits.scores, scores[hits.offsets])
    assert compared.value == count


def test_every_half_is_read_as_numpy_does(compiled: Kernels) -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    rows = np.zeros((2**16, 16), np.float32)
    rows[:, 0] = halves
    index = index_of(rows, "Dot", "float16")
    query = np.eye(1, 16, 0, np.float32)[0]
    hits = compiled.nearest_rows(scan_of(index)._plain_rows(), query, range(len(rows)), None, len(rows))
    np.testing.assert_array_equal(hits.scores, rows[hits.offsets, 0])
    assert sorted(hits.offsets.tolist()) == list(range(len(rows)))


def test_every_byte_is_read() -> None:
    rows = np.arange(256, dtype=np.float32)[:, None] * np.ones(16, np.float32)
    hits = index_of(rows, "Dot", "uint8").search(np.ones(16, np.float32), 256, None, EXACT)
    assert hits.offsets.tolist() == list(range(255, -1, -1))
    assert hits.scores.tolist() == [16.0 * byte for byte in range(255, -1, -1)]


@pytest.mark.parametrize("scale", [1e-14, 1e-19, 1e-22, 1e-30, 1e-37])
@pytest.mark.parametrize("distance", ["Dot", "Euclid"])
def test_rows_whose_squares_vanish(compiled: Kernels, scale: float, distance: Distance) -> None:
    """What bytes leave out of them is not zero, only its square is: they are always read as they are."""
    rows, query = rows_of(2000, 64), rows_of(1, 64, seed=1)[0]
    rows[rows @ query > 0] *= np.float32(scale)
    index = index_of(rows, distance)
    scanned = scan_of(index)
    compared = c_ssize_t()
    hits = compiled.nearest_rows(scanned._coded_rows(2000), query, range(2000), None, 10, compared)
    assert compared.value >= int((np.abs(rows).max(axis=1) < 1e-12).sum())
    plain = compiled.nearest_rows(scanned._plain_rows(), query, range(2000), None, 10)
    assert hits.offsets.tolist() == plain.offsets.tolist()


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
        assert hits.offsets.tolist() == best(index, query, 10)


def test_many_writes_between_searches_are_kept_together() -> None:
    index = index_of(rows_of(2000, 48), "Dot")
    query = rows_of(1, 48, seed=9)[0]
    index.search(query, 10, None, EXACT)
    for row in range(300):
        index.put(np.array([row * 5]), rows_of(1, 48, seed=row) * np.float32(2))
    assert len(scan_of(index)._stale) < 100
    hits = index.search(query, 10, None, EXACT)
    assert hits.offsets.tolist() == best(index, query, 10)


@pytest.mark.parametrize("piece", [700, 10_000])
def test_codes_are_made_ahead_of_searches(piece: int, rows_read: list[int]) -> None:
    index = index_of(rows_of(5000, 48), "Dot")
    index.settle(piece)
    for at in (np.arange(10, 4000), np.arange(0, 5000, 2)):
        index.put(at, rows_of(len(at), 48, seed=1) * np.float32(2))
    assert index.is_behind
    while index.is_behind:
        lacking = scan_of(index).lacking(index.extent)
        index.settle(piece)
        assert scan_of(index).lacking(index.extent) == max(0, lacking - piece)
    index.settle(5000)
    rows_read.clear()
    query = rows_of(1, 48, seed=9)[0]
    hits = index.search(query, 10, None, EXACT)
    assert hits.offsets.tolist() == best(index, query, 10)
    assert rows_read == [5000, 5000]  # by the search and by what it is held against: nothing was left to be encoded


def test_nobody_is_ahead_of_few_rows_or_without_codes() -> None:
    assert not index_of(rows_of(dense._WORTH_AHEAD - 1, 48), "Dot").is_behind
    index = index_of(rows_of(5000, 48), "Manhattan")
    assert not index.is_behind
    index.settle(5000)
    assert scan_of(index).nbytes == 0


def test_a_matrix_that_moved_is_found() -> None:
    index = index_of(rows_of(40, 48), "Dot")
    for size in (40, 100, 1000, 20_000):
        index.put(np.arange(size), rows_of(size, 48, seed=size))
        for query in rows_of(3, 48, seed=1):
            for limit in (3, size):  # with codes and without
                hits = index.search(query, limit, None, EXACT)
                assert hits.offsets[:3].tolist() == best(index, query, 3)


def test_readers_encode_together() -> None:
    index = index_of(rows_of(5000, 64), "Cosine")
    queries = [index.prepare_query(query) for query in rows_of(64, 64, seed=6)]
    wanted = [best(index, query, 10) for query in queries]
    for round in range(20):
        with ThreadPoolExecutor(8) as pool:
            hits = list(pool.map(lambda query: index.search(query, 10, None, EXACT), queries))
        assert [found.offsets.tolist() for found in hits] == wanted
        index.put(np.arange(round, 5000, 7), index.rows(np.arange(round, 5000, 7)))


def test_some_rows_are_compared_in_their_own_way() -> None:
    rows = np.abs(rows_of(1000, 64)) * 40
    assert index_of(rows, "Cosine", "uint8")._compiled_scan is None
    assert index_of(rows[:, :15], "Dot")._compiled_scan is None
    assert not scan_of(index_of(rows, "Manhattan")).coded
    assert not scan_of(index_of(rows[:, :31], "Dot")).coded
    assert scan_of(index_of(rows, "Dot", "uint8")).coded


def test_codes_are_made_when_they_are_worth_it() -> None:
    index = index_of(rows_of(dense._WORTH_LOADING - 1, 64), "Dot")
    query = rows_of(1, 64, seed=1)[0]
    index.search(query, 1, None, EXACT)
    assert index._scan_if_used is None
    index.put(np.arange(300), rows_of(300, 64))
    index.search(query, 100, None, EXACT)
    index.search(query, 1, np.arange(300) < scan.WORTH_CODES - 1, EXACT)
    assert scan_of(index).nbytes == 0
    index.search(query, 10, None, EXACT)
    assert scan_of(index).nbytes > 0
