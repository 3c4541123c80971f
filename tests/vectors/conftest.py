"""Compiled code for the tests of this folder, where a compiler is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import hatch_build
from qdlite.vectors import kernels
from qdlite.vectors.kernels import Kernels

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def compiled_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled from the sources as they are now; warnings are errors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CFLAGS", "-Wall -Wextra -Werror")
        try:
            return hatch_build.compiled(ROOT, tmp_path_factory.mktemp("compiled"))
        except hatch_build.NoCompiler as error:
            pytest.skip(str(error))


@pytest.fixture(scope="session")
def compiled(compiled_library: Path) -> Kernels:
    return Kernels(str(compiled_library))


@pytest.fixture(scope="module", params=["compiled", "without"])
def kernels_or_none(request: pytest.FixtureRequest) -> Iterator[None]:
    """With the kernels and without: graphs are then those of hnswlib."""
    if request.param == "without":
        pytest.importorskip("hnswlib")
    found = request.getfixturevalue("compiled") if request.param == "compiled" else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "installed", lambda: found)
        yield
