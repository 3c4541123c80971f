"""Rows that become more: are they still what was written, wherever their memory comes from?"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import pytest

from qdlite.vectors import pages
from qdlite.vectors.matrix import Matrix

WIDTH = 256
MEGABYTE = 1 << 20


@pytest.fixture(params=["pages", "numpy"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    kind: str = request.param
    if kind == "pages" and pages.system() is None:
        pytest.skip("this system has none")
    if kind == "numpy":
        monkeypatch.setattr(pages, "system", lambda: None)
    yield kind


def filled(matrix: Matrix, start: int, stop: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rows = np.random.default_rng(start).random((stop - start, WIDTH), np.float32)
    matrix.write(slice(start, stop), rows)
    return rows


@pytest.mark.parametrize("count", [1, 700, 5000])
def test_rows_stay_while_there_come_more(memory: str, count: int) -> None:
    matrix, written = Matrix(WIDTH, "float32"), []
    for start in range(0, 8 * count, count):
        matrix.reserve(start + count)
        matrix.foresee(start + 2 * count)
        matrix.touch(start, start + count)
        written.append(filled(matrix, start, start + count))
        matrix.touch(0, start + 5 * count)
        assert np.array_equal(matrix.slice(0, start + count), np.concatenate(written))
        assert not matrix.slice(start + count, matrix.capacity).any(), "nothing has been written there"


def test_large_matrices_lie_on_pages_and_foresee_the_next_rows(memory: str) -> None:
    matrix = Matrix(WIDTH, "float32")
    matrix.reserve(100)
    matrix.foresee(5000)
    assert matrix.capacity < 5000, "small ones do not: it would cost as much now as later"
    matrix.reserve(4 * MEGABYTE // matrix.row_bytes)
    matrix.foresee(9 * MEGABYTE // matrix.row_bytes)
    assert (matrix.nbytes >= 9 * MEGABYTE) == (memory == "pages")


def test_captured_rows_stay_as_they_were(memory: str) -> None:
    matrix = Matrix(WIDTH, "float32")
    matrix.reserve(3000)
    before = filled(matrix, 0, 3000)
    capture = matrix.capture(3000)
    matrix.reserve(9000)
    matrix.write(slice(0, 3000), np.zeros((3000, WIDTH), np.float32))
    matrix.reserve(30000)
    after = filled(matrix, 3000, 30000)
    assert np.array_equal(capture(np.arange(3000)), before)
    assert not matrix.slice(0, 3000).any()
    assert np.array_equal(matrix.slice(3000, 30000), after)


def test_kept_rows_can_become_more_again(memory: str) -> None:
    matrix = Matrix(WIDTH, "float32")
    matrix.reserve(3000)
    rows = filled(matrix, 0, 3000)
    matrix.keep(np.arange(0, 3000, 2))
    matrix.reserve(6000)
    assert np.array_equal(matrix.slice(0, 1500), rows[::2])


@pytest.mark.skipif(pages.system() is None, reason="this system has no pages to remap")
class TestPages:
    def test_they_live_as_long_as_a_view(self, monkeypatch: pytest.MonkeyPatch) -> None:
        calls, unmapped = pages.system(), []
        assert calls is not None
        monkeypatch.setattr(
            pages, "system", lambda: calls._replace(unmap=lambda *at: unmapped.append(calls.unmap(*at)))
        )
        made = pages.Pages(MEGABYTE)
        view = np.asarray(made)[10:20]
        del made
        gc.collect()
        view[:] = 1
        assert not unmapped and view.sum() == 10
        del view
        gc.collect()
        assert unmapped == [0]

    def test_too_many_are_refused_and_nothing_is_lost(self) -> None:
        with pytest.raises(MemoryError, match="no memory for more rows"):
            pages.Pages(1 << 60)
        made = pages.Pages(100)
        np.asarray(made)[:] = 7
        with pytest.raises(MemoryError, match="no memory for more rows"):
            made.resize(1 << 60)
        assert np.all(np.asarray(made) == 7)

    def test_touching_leaves_what_is_written(self) -> None:
        made = pages.Pages(MEGABYTE)
        np.asarray(made)[::5] = 9
        made.touch(1, 3)
        made.touch(0, 2 * MEGABYTE)
        made.touch(5 * MEGABYTE, 6 * MEGABYTE)
        assert np.all(np.asarray(made)[::5] == 9)
        assert np.count_nonzero(np.asarray(made)) == len(range(0, made.nbytes, 5))
