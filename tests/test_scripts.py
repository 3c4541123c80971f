"""When do the scripts install anew? `scripts/lib` in a shell, with an installation that only says that it happens."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LIB = Path(__file__).resolve().parent.parent / "scripts" / "lib"
ALONE = """
set -eu
root=$1
. "$2"
make_venv() { :; }
pip_install() { :; }
install() { echo installed; }
"""

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="there is no shell")


class Checkout:
    """A repository of nothing but what the installation depends on."""

    def __init__(self, root: Path) -> None:
        self._root = root
        kernels = root / "qdlite" / "vectors" / "kernels"
        self.source = kernels / "kernels.c"
        for path in root / "pyproject.toml", root / "hatch_build.py", self.source, kernels / "kernels.h":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("first")
        python = root / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)

    def installs(self, group: str = "") -> bool:
        """Whether `prepare` has anything to do."""
        command = ["sh", "-c", f"{ALONE}\nprepare {group}", "sh", str(self._root), str(LIB)]
        return "installed" in subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_nothing_is_installed_twice(checkout: Checkout) -> None:
    assert checkout.installs()
    assert not checkout.installs()
    assert checkout.installs("dev")
    assert not checkout.installs("dev")
    assert not checkout.installs()


def test_a_changed_source_is_compiled(checkout: Checkout) -> None:
    assert checkout.installs("dev")
    checkout.source.write_text("second")
    assert checkout.installs("dev")


def test_sources_that_come_back_are_compiled_again(checkout: Checkout) -> None:
    """Also if others were compiled in between for the sake of another script."""
    assert checkout.installs("dev")
    checkout.source.write_text("second")
    assert checkout.installs()
    checkout.source.write_text("first")
    assert checkout.installs("dev")
