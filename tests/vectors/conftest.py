"""Compiled code for the tests of this folder, where a compiler is, and how much of a matrix is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import hatch_build
from qdlite.types import BoolArray, FloatArray, Hits, OffsetArray
from qdlite.vectors import kernels
from qdlite.vectors.kernels import Kernels, RowsAt
from qdlite.vectors.matrix import Matrix

ROOT = Path(__file__).resolve().parent.parent.parent


def read_only(offsets: OffsetArray, size: int) -> BoolArray:
    """A mask as filters give it, which is remembered by what it is."""
    mask = np.zeros(size, np.bool_)
    mask[offsets] = True
    mask.setflags(write=False)
    return mask


def freshly_compiled(folder: Path, flags: str = "") -> Path:
    """From the sources as they are now; warnings are errors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CFLAGS", f"-Wall -Wextra -Werror {flags}")
        try:
            return hatch_build.compiled(ROOT, folder)
        except hatch_build.NoCompiler as error:
            pytest.skip(str(error))


@pytest.fixture(scope="session")
def compiled_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return freshly_compiled(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="session")
def portable_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without the code that is for some processors only."""
    return freshly_compiled(tmp_path_factory.mktemp("portable"), "-DPORTABLE")


@pytest.fixture(scope="session")
def compiled(compiled_library: Path) -> Kernels:
    return Kernels(str(compiled_library))


@pytest.fixture(scope="module", params=["compiled_library", "portable_library"])
def compiled_for_both(request: pytest.FixtureRequest) -> Kernels:
    """For this processor, and for any."""
    return Kernels(str(request.getfixturevalue(request.param)))


@pytest.fixture(scope="module", params=["compiled", "without"])
def kernels_or_none(request: pytest.FixtureRequest) -> Iterator[None]:
    """With the kernels and without: graphs are then those of hnswlib."""
    if request.param == "without":
        pytest.importorskip("hnswlib")
    found = request.getfixturevalue("compiled") if request.param == "compiled" else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "installed", lambda: found)
        yield


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each look at a matrix concerned, by numpy or by a kernel."""
    counts: list[int] = []
    take, part, nearest = Matrix.take, Matrix.slice, Kernels.nearest_rows

    def counted_take(self: Matrix, at: OffsetArray) -> FloatArray:
        counts.append(len(at))
        return take(self, at)

    def counted_part(self: Matrix, start: int, stop: int) -> FloatArray:
        counts.append(stop - start)
        return part(self, start, stop)

    def counted_nearest(
        self: Kernels,
        rows: RowsAt,
        query: FloatArray,
        among: OffsetArray | range,
        allowed: BoolArray | None,
        limit: int,
    ) -> Hits:
        counts.append(len(among))
        return nearest(self, rows, query, among, allowed, limit)

    monkeypatch.setattr(Matrix, "take", counted_take)
    monkeypatch.setattr(Matrix, "slice", counted_part)
    monkeypatch.setattr(Kernels, "nearest_rows", counted_nearest)
    return counts
