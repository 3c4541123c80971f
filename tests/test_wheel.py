"""What is in the distributions? Two packages with their data and, where there is a C compiler, one library."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest
from hatchling.build import build_sdist, build_wheel

import hatch_build
from qdlite.vectors.kernels import Kernels
from qdlite.version import __version__

ROOT = Path(__file__).resolve().parent.parent
DATA_SUFFIXES = {".json", ".txt", ".msgpack", ".gz", ".typed"}


LIBRARY = PurePosixPath(hatch_build.FOLDER.as_posix()) / hatch_build.LIBRARY


class Wheel(NamedTuple):
    name: str
    files: set[PurePosixPath]
    library: bytes


def built(folder: Path, compiler: str) -> Wheel:
    """A fresh wheel; no compiler named means the one there is."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("CC", compiler)
        name = build_wheel(str(folder))
    with zipfile.ZipFile(folder / name) as archive:
        files = {PurePosixPath(entry) for entry in archive.namelist()}
        return Wheel(name, files, archive.read(str(LIBRARY)) if LIBRARY in files else b"")


@pytest.fixture(scope="module")
def pure(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    """As on a machine without a compiler."""
    return built(tmp_path_factory.mktemp("pure") / "wheel", str(ROOT / "no" / "compiler"))


@pytest.fixture(scope="module")
def platform_wheel(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    """As on a machine with one."""
    try:
        hatch_build.compiler()
    except hatch_build.NoCompiler as error:
        pytest.skip(str(error))
    return built(tmp_path_factory.mktemp("platform") / "wheel", os.environ.get("CC", ""))


@pytest.fixture(scope="module")
def wheel(pure: Wheel) -> set[PurePosixPath]:
    return pure.files


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> set[PurePosixPath]:
    """The files of a freshly built source archive, without the folder that holds them all."""
    folder = tmp_path_factory.mktemp("sdist")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        name = build_sdist(str(folder))
    with tarfile.open(folder / name) as archive:
        return {PurePosixPath(*PurePosixPath(entry).parts[1:]) for entry in archive.getnames()}


def package_files(suffixes: set[str]) -> set[PurePosixPath]:
    """The packages' files with these suffixes, as they should stand in a wheel."""
    homes = [(ROOT, ROOT / "qdlite"), (ROOT / "server", ROOT / "server" / "qdlite_server")]
    return {
        PurePosixPath(path.relative_to(base).as_posix())
        for base, folder in homes
        for path in folder.rglob("*")
        if path.suffix in suffixes or path.name == "py.typed"
    }


def test_wheel_has_exactly_two_packages(wheel: set[PurePosixPath]) -> None:
    tops = {entry.parts[0] for entry in wheel if not entry.parts[0].endswith(".dist-info")}
    assert tops == {"qdlite", "qdlite_server"}


def test_wheel_has_every_module_and_data_file(wheel: set[PurePosixPath]) -> None:
    assert package_files({".py"} | DATA_SUFFIXES) <= wheel


def test_wheel_is_typed(wheel: set[PurePosixPath]) -> None:
    assert {PurePosixPath("qdlite/py.typed"), PurePosixPath("qdlite_server/py.typed")} <= wheel


def test_wheel_has_no_tests(wheel: set[PurePosixPath]) -> None:
    assert not [entry for entry in wheel if "tests" in entry.parts or entry.name.startswith("test_")]


def test_wheel_is_of_the_version_the_code_reports(wheel: set[PurePosixPath]) -> None:
    assert f"qdlite-{__version__}.dist-info" in {entry.parts[0] for entry in wheel}


def test_wheel_carries_the_licence(wheel: set[PurePosixPath]) -> None:
    assert {"LICENSE", "NOTICE"} <= {entry.name for entry in wheel if entry.parts[0].endswith(".dist-info")}


def test_without_a_compiler_a_wheel_fits_everywhere(pure: Wheel) -> None:
    assert pure.name == f"qdlite-{__version__}-py3-none-any.whl"
    assert not [entry for entry in pure.files if entry.suffix in {".so", ".c", ".h"}]


def test_with_a_compiler_a_wheel_has_one_library_more(platform_wheel: Wheel, pure: Wheel) -> None:
    assert platform_wheel.files - pure.files == {LIBRARY}
    assert pure.files <= platform_wheel.files
    python, abi, platform = platform_wheel.name.removesuffix(".whl").split("-")[2:]
    assert (python, abi) == ("py3", "none")
    assert platform != "any"


def test_the_library_of_a_wheel_can_be_loaded(platform_wheel: Wheel, tmp_path: Path) -> None:
    library = tmp_path / hatch_build.LIBRARY
    library.write_bytes(platform_wheel.library)
    Kernels(str(library))


def test_sdist_has_what_is_compiled(sdist: set[PurePosixPath]) -> None:
    sources = {path for path in package_files({".c", ".h"}) if path.suffix in {".c", ".h"}}
    assert sources and {PurePosixPath("hatch_build.py"), *sources} <= sdist
    assert LIBRARY not in sdist


def test_sdist_has_nothing_but_the_listed(sdist: set[PurePosixPath]) -> None:
    tops = {entry.parts[0] for entry in sdist if entry.parts}
    files = {"README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "NOTICE"}
    assert tops == {"qdlite", "server", "tests", "pyproject.toml", "PKG-INFO", ".gitignore", "hatch_build.py"} | files
