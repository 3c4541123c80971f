"""What is in the distributions? Two packages with their data, and nothing besides."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from hatchling.build import build_sdist, build_wheel

from qdlite.version import __version__

ROOT = Path(__file__).resolve().parent.parent
DATA_SUFFIXES = {".json", ".txt", ".msgpack", ".gz", ".typed"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[PurePosixPath]:
    """The files of a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        name = build_wheel(str(folder))
    with zipfile.ZipFile(folder / name) as archive:
        return {PurePosixPath(entry) for entry in archive.namelist()}


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


def test_sdist_has_nothing_but_the_listed(sdist: set[PurePosixPath]) -> None:
    tops = {entry.parts[0] for entry in sdist if entry.parts}
    files = {"README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "NOTICE"}
    assert tops == {"qdlite", "server", "tests", "pyproject.toml", "PKG-INFO", ".gitignore"} | files
