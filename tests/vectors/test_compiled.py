"""Are the sums of compiled code those of numpy, to the bit, and is it noticed where there is none?"""

from __future__ import annotations

import gc
import shutil
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import hatch_build
from qdlite.types import BoolArray, FloatArray, OffsetArray, SparseArray
from qdlite.vectors import accumulate, kernels, sparse
from qdlite.vectors.accumulate import PostingList
from qdlite.vectors.index import SearchParams
from qdlite.vectors.kernels import Kernels
from qdlite.vectors.postings import Postings
from qdlite.vectors.sparse import SparseIndex

ROOT = Path(__file__).resolve().parent.parent.parent
SMALL = np.array([-1, 0, -0.0, 0.25, 0.5, 1], np.float32)
"""Many equal sums, and such as are not positive."""
STRANGE = np.array([*SMALL, np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45], np.float32)


def random_postings(
    random: np.random.Generator, first: int, row_count: int, terms: int, share: float, numbers: FloatArray | None
) -> Postings:
    """Of the rows from `first` on. Each term has a share of them that is its own, up to `share`."""
    held = random.random((row_count, terms)) < share * random.random(terms)
    rows, found = np.nonzero(held)
    return Postings.of(found.astype(np.uint32) * 3, rows + first, drawn(random, numbers, len(rows)), row_count)


def drawn(random: np.random.Generator, numbers: FloatArray | None, count: int) -> FloatArray:
    return random.random(count, np.float32) + 0.01 if numbers is None else random.choice(numbers, count)


def by_numpy(
    parts: list[Postings], query: SparseArray, limit: int, allowed: BoolArray | None
) -> tuple[OffsetArray, FloatArray]:
    lists = []
    for part in parts:
        for start, end, weight in zip(*part.lists(query.indices), query.values, strict=True):
            lists.append(PostingList(part.rows[start:end], part.values[start:end], weight))
    buffer = np.zeros(sum(part.row_count for part in parts), np.float32)
    return accumulate.largest_sums(lists, buffer, limit, allowed)


def bits(sums: FloatArray) -> NDArray[np.uint32]:
    return np.where(np.isnan(sums), np.float32(np.nan), sums).view(np.uint32)


def assert_equal(
    compiled: Kernels, parts: list[Postings], query: SparseArray, limit: int, allowed: BoolArray | None
) -> None:
    rows, values = compiled.largest_sums([part.addresses for part in parts], query, limit, allowed)
    with np.errstate(all="ignore"):
        expected_rows, expected_values = by_numpy(parts, query, limit, allowed)
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_array_equal(bits(values), bits(expected_values))
    assert (rows.dtype.char, values.dtype.char) == (np.dtype(np.intp).char, "f")


@given(
    seed=st.integers(0, 2**32),
    row_counts=st.lists(st.sampled_from([0, 1, 40, 700, 8192, 20_000]), max_size=3),
    terms=st.sampled_from([0, 1, 4, 9]),
    share=st.sampled_from([0.0005, 0.01, 0.04, 0.3, 1]),
    numbers=st.sampled_from([SMALL, STRANGE, None]),
    limit=st.sampled_from([1, 10, 300, 5000, 50_000]),
    allowed_share=st.sampled_from([None, 0, 0.002, 0.5, 1]),
    few=st.sampled_from([0, 64]),
)
def test_sums_are_those_of_numpy(
    compiled: Kernels,
    seed: int,
    row_counts: list[int],
    terms: int,
    share: float,
    numbers: FloatArray | None,
    limit: int,
    allowed_share: float | None,
    few: int,
) -> None:
    random = np.random.default_rng(seed)
    firsts = np.cumsum([0, *row_counts]).tolist()
    parts = [
        random_postings(random, first, count, terms, share, numbers)
        for first, count in zip(firsts, row_counts, strict=False)
    ]
    # Indices between those of the postings are in none of them.
    indices = np.sort(random.permutation(3 * terms + 3)[: 2 * terms]).astype(np.uint32)
    query = SparseArray(indices, drawn(random, numbers, len(indices)))
    allowed = None if allowed_share is None else random.random(firsts[-1]) < allowed_share
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accumulate, "_FEW_SHARE", few)
        assert_equal(compiled, parts, query, limit, allowed)


@pytest.mark.parametrize("limit", [10, 3000])
@pytest.mark.parametrize("descending", [False, True])
def test_a_million_rows(compiled: Kernels, limit: int, descending: bool) -> None:
    """Sums that rise or fall with the rows: every row is better than those before, or none is."""
    values = np.linspace(1, 2, 1_000_000, dtype=np.float32)
    values = values[::-1].copy() if descending else values
    rows = np.arange(1_000_000)
    parts = [
        Postings.of(np.full(600_000, 7, np.uint32), rows[:600_000], values[:600_000], 600_000),
        Postings.of(np.full(400_000, 7, np.uint32), rows[600_000:], values[600_000:], 400_000),
    ]
    query = SparseArray(np.array([7, 2**32 - 1], np.uint32), np.array([0.3, 1], np.float32))
    assert_equal(compiled, parts, query, limit, None)
    assert_equal(compiled, parts, query, limit, rows % 3 == 0)


def test_smaller_rows_in_later_lists(compiled: Kernels) -> None:
    """Of equal sums the first rows count, even if many others were seen before them."""
    rows, terms = np.arange(800), np.repeat(np.array([9, 5], np.uint32), 400)
    part = Postings.of(terms, rows, np.ones(800, np.float32), 10_000)
    query = SparseArray(np.array([5, 9], np.uint32), np.ones(2, np.float32))
    assert compiled.largest_sums([part.addresses], query, 3, None)[0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("count", [10, 5000])
def test_the_mask_may_be_strided_or_end_early(compiled: Kernels, count: int) -> None:
    rows = np.arange(count)
    part = Postings.of(np.zeros(count, np.uint32), rows, np.ones(count, np.float32), count)
    query = SparseArray(np.zeros(1, np.uint32), np.ones(1, np.float32))
    mask = np.tile([True, False, False, True], 4)[::2][:7]
    for limit in (1, 4, 10):
        assert compiled.largest_sums([part.addresses], query, limit, mask)[0].tolist() == [0, 2, 4, 6][:limit]


def test_where_nothing_was_compiled_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "FOLDER", str(tmp_path))
    assert kernels.installed.__wrapped__() is None
    (tmp_path / kernels.LIBRARY).write_text("no library")
    assert kernels.installed.__wrapped__() is None


def test_a_library_of_other_sources_is_left_alone(
    compiled_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kernels, "FOLDER", str(tmp_path))
    shutil.copy(compiled_library, tmp_path / hatch_build.LIBRARY)
    for source in (ROOT / hatch_build.FOLDER).glob("*.[ch]"):
        shutil.copy(source, tmp_path)
    assert kernels.installed.__wrapped__() is not None
    changed = tmp_path / "kernels.h"
    changed.write_text(f"{changed.read_text(encoding='utf-8')}\n", encoding="utf-8")
    assert kernels.installed.__wrapped__() is None
    assert "not of the sources beside it" in caplog.text
    for source in tmp_path.glob("*.[ch]"):  # as in a wheel
        source.unlink()
    assert kernels.installed.__wrapped__() is not None


def test_posting_sets_stay_while_they_are_read(compiled: Kernels, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled code knows them by their addresses only, and the builder may put others in their place meanwhile."""
    monkeypatch.setattr(kernels, "installed", lambda: compiled)
    monkeypatch.setattr(sparse, "_WORTH_MERGING", 0)
    monkeypatch.setattr(sparse, "_LARGE", 100)
    index, query = SparseIndex(), SparseArray(np.arange(5, dtype=np.uint32), np.ones(5, np.float32))
    for start in (0, 500):
        index.put(np.arange(start, start + 500), [query] * 500)
        index.search(query, 5, None, SearchParams())
    held = [weakref.ref(part.rows) for part in index._parts]
    assert len(held) == 2
    plain = Kernels.largest_sums

    def merged_meanwhile(self: Kernels, *given: Any) -> Any:
        while index.build_step(1):
            pass
        gc.collect()
        assert len(index._parts) == 1
        assert all(rows() is not None for rows in held)
        return plain(self, *given)

    monkeypatch.setattr(Kernels, "largest_sums", merged_meanwhile)
    assert index.search(query, 5, None, SearchParams()).scores.tolist() == [5.0] * 5
    gc.collect()
    assert not any(rows() is not None for rows in held)
