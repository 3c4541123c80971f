"""Are the sums of products of bytes exact, by every way to compute them?"""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import hatch_build
from qdlite.vectors.kernels import address, record_bytes

HERE = Path(__file__).resolve().parent
KERNELS = HERE.parent.parent / hatch_build.FOLDER
TOGETHER = 32
HEAD_BYTES = 16
WIDTHS = (*range(16, 209, 16), *(64 * lines + more for lines in range(4, 15) for more in (-16, 0, 16)), 1536, 65536)

Extreme = Callable[[np.random.Generator, int], NDArray[np.int8]]
EXTREMES: dict[str, Extreme] = {
    "any": lambda rng, count: rng.integers(-127, 128, count, np.int8),
    "largest": lambda rng, count: np.full(count, 127, np.int8),
    "smallest": lambda rng, count: np.full(count, -127, np.int8),
    "either": lambda rng, count: rng.choice(np.array([-127, 127], np.int8), count),
    "zero": lambda rng, count: np.zeros(count, np.int8),
}


@pytest.fixture(scope="module", params=["", "-DPORTABLE"], ids=["processor", "portable"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    made = tmp_path_factory.mktemp("products") / "products.so"
    try:
        command = [*hatch_build.compiler(), *request.param.split(), "-O3", "-std=c99", "-Wall", "-Wextra", "-Werror"]
    except hatch_build.NoCompiler as error:
        pytest.skip(str(error))
    sources = [HERE / "byte_products.c", KERNELS / "vnni.c"]
    subprocess.run(
        [*command, "-fopenmp-simd", "-fPIC", "-shared", f"-I{KERNELS}", *sources, "-o", made, "-lm"], check=True
    )
    loaded = ctypes.CDLL(str(made))
    if not request.param and not loaded.processor_has_vnni():
        pytest.skip("this processor has no other way")
    return loaded


def records_of(codes: NDArray[np.int8]) -> NDArray[np.uint8]:
    """With nothing in their heads but the sums of their bytes; the last byte is the last one that may be read."""
    records = np.zeros((len(codes), record_bytes(codes.shape[1])), np.uint8)
    records[:, HEAD_BYTES:] = codes.view(np.uint8)
    records[:, HEAD_BYTES - 4 : HEAD_BYTES] = codes.sum(axis=1, dtype=np.int32)[:, None].view(np.uint8)
    return records


def sums_by(function: Callable[..., None], one: NDArray[np.generic], records: NDArray[np.uint8]) -> list[int]:
    sums = np.empty(len(records), np.int32)
    number = ctypes.c_ssize_t
    function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, number, number, ctypes.c_void_p)  # type: ignore[attr-defined]
    function(address(one), address(records), records.shape[1] - HEAD_BYTES, len(records), address(sums))
    found: list[int] = sums.tolist()
    return found


def largest_step(wide: int) -> int:
    """As in products.h."""
    return int(min(32767, 2147483392 // (127 * wide)))


@pytest.mark.parametrize("wide", WIDTHS)
def test_steps_times_bytes(library: ctypes.CDLL, wide: int) -> None:
    rng, most = np.random.default_rng(wide), largest_step(wide)
    every: tuple[NDArray[np.int16], ...] = (
        rng.integers(-most, most + 1, wide, np.int16),
        rng.choice(np.array([-most, most], np.int16), wide),
        np.full(wide, most, np.int16),
        np.full(wide, -most, np.int16),
        np.zeros(wide, np.int16),
    )
    for steps in every:
        for kind in EXTREMES:
            for count in (1, 5, TOGETHER):
                codes = EXTREMES[kind](rng, count * wide).reshape(count, wide)
                exact = codes.astype(np.int64) @ steps.astype(np.int64)
                assert sums_by(library.step_sums, steps, records_of(codes)) == exact.tolist()


@pytest.mark.parametrize("wide", WIDTHS)
def test_bytes_times_bytes(library: ctypes.CDLL, wide: int) -> None:
    rng = np.random.default_rng(wide)
    for one_kind in EXTREMES:
        one = EXTREMES[one_kind](rng, wide).reshape(1, wide)
        for kind in EXTREMES:
            codes = EXTREMES[kind](rng, 9 * wide).reshape(9, wide)
            exact = codes.astype(np.int64) @ one[0].astype(np.int64)
            assert sums_by(library.row_sums, records_of(one), records_of(codes)) == exact.tolist()


def test_bytes_times_upper_halves(library: ctypes.CDLL) -> None:
    if not library.processor_has_vnni():
        pytest.skip("they are read nowhere else")
    rng = np.random.default_rng(0)
    for half in WIDTHS[:-1]:
        sketches = rng.integers(0, 256, (TOGETHER, HEAD_BYTES + half), np.uint8)
        sketches[1] = 255
        nibbles = sketches[:, HEAD_BYTES:]
        for kind in EXTREMES:
            query = EXTREMES[kind](rng, 2 * half)
            wide = query.astype(np.int64)
            exact = (nibbles & 15) @ wide[:half] + (nibbles >> 4) @ wide[half:]
            assert sums_by(library.upper_half_sums, query, sketches) == exact.tolist()
