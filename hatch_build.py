"""How are the kernels in C compiled when qdlite is installed? `python hatch_build.py` does it in place.

Without a C compiler, and on Windows, the wheel has no compiled code and fits everywhere; numpy then does their work.
No Python headers are needed, and the result fits every Python of the platform.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any
from zlib import crc32

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("qdlite", "vectors", "kernels")
LIBRARY = "libkernels.so"


class NoCompiler(OSError):
    """There is nothing to compile with."""


def compiled(root: Path, folder: Path) -> Path:
    """The library in `folder`, freshly compiled. Raises OSError, or CalledProcessError with the compiler's words."""
    command = [*compiler(), "-O3", *shlex.split(os.environ.get("CFLAGS", ""))]
    # Sums shall be those of numpy, to the bit: no product may be added without being rounded.
    command += ["-std=c99", "-ffp-contract=off"]
    # Loops may go over several numbers at once where they say so, or where nothing shows it.
    command += ["-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math", "-pthread", "-fPIC", "-shared"]
    command += [f"-DSOURCES={checksum(root / FOLDER)}u", *map(str, sorted((root / FOLDER).glob("*.c")))]
    library = folder / LIBRARY
    fresh = library.with_suffix(f".{os.getpid()}")  # a library in use must not be written to, but may be replaced
    try:
        subprocess.run([*command, "-o", str(fresh), "-lm"], check=True, capture_output=True, text=True)
        fresh.replace(library)
    finally:
        fresh.unlink(missing_ok=True)
    return library


def checksum(folder: Path) -> int:
    """Of all sources; the same as in `qdlite.vectors.kernels`."""
    return crc32(b"".join(path.read_bytes() for path in sorted([*folder.glob("*.c"), *folder.glob("*.h")])))


def compiler() -> list[str]:
    """The one asked for by $CC, or the one that made this Python, or `cc`."""
    if sys.platform == "win32":
        raise NoCompiler("nothing is compiled on Windows")
    for words in (os.environ.get("CC"), sysconfig.get_config_var("CC"), "cc"):
        command = shlex.split(words or "")
        if command and (shutil.which(command[0]) or words == os.environ.get("CC")):
            return command
    raise NoCompiler("there is no C compiler")


def _platform() -> str:
    """The tag of what the compiler makes."""
    from packaging.tags import platform_tags

    if sys.platform == "darwin":  # the machine's own, even if Python is for several
        return next(platform_tags())
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


class CustomBuildHook(BuildHookInterface[Any]):
    """Puts the library into wheels, or beside its source when the installation is editable."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        try:
            if version == "editable":
                compiled(root, root / FOLDER)
                return
            self._folder = tempfile.TemporaryDirectory()
            library = compiled(root, Path(self._folder.name))
        except (OSError, subprocess.CalledProcessError) as error:
            if version == "editable":  # an older one would answer for another source
                (root / FOLDER / LIBRARY).unlink(missing_ok=True)
            words = str(getattr(error, "stderr", "") or error).strip().splitlines()
            self.app.display_warning(f"qdlite without compiled code, some searches take longer: {words[-1]}")
            return
        build_data["force_include"][str(library)] = (FOLDER / LIBRARY).as_posix()
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platform()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if self._folder is not None:
            self._folder.cleanup()


if __name__ == "__main__":
    print(compiled(Path(__file__).resolve().parent, Path(__file__).resolve().parent / FOLDER))
