"""Does every import point down? The table below is the architecture's; ARCHITECTURE.md shows the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FOUNDATION = {"errors", "types", "lazily"}

# A part is a folder or module directly below qdlite/; `qdlite` is its `__init__.py`.
# All may import what is in FOUNDATION besides.
LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "types": set(),
    "lazily": set(),
    "version": set(),
    "models": set(),
    "text": {"models"},
    "payload": {"models", "text"},
    "vectors": set(),
    "filters": {"models", "payload"},
    "queries": {"models", "vectors", "filters"},
    "inference": {"models", "text"},
    "collection": {"models", "payload", "vectors", "filters", "queries"},
    "persistence": {"models", "collection"},
    "database": {"models", "text", "payload", "vectors", "filters", "queries"}
    | {"inference", "collection", "persistence"},
    "qdlite": {"version", "models", "database", "qdlite_server"},
    "qdlite_server": {"version", "models", "database"},
}

# Packages that only some files may name at all.
HOMES: dict[str, str] = {
    "hnswlib": "qdlite/vectors/links.py",
    "fastembed": "qdlite/inference/embedders/fastembed*.py",
    "onnxruntime": "qdlite/inference/embedders/fastembed*.py",
    "starlette": "server/qdlite_server/*",
    "uvicorn": "server/qdlite_server/*",
}

# Slow to load, or optional: imported inside a function only (or for the type checker).
LAZY = {"PIL", "fastembed", "hnswlib", "huggingface_hub", "onnxruntime", "qdrant_edge", "scipy"}

SOURCES = sorted([*(ROOT / "qdlite").rglob("*.py"), *(ROOT / "server").rglob("*.py")])


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    if parts[0] == "server":
        del parts[0]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    """The part a module belongs to: `qdlite.models.base` is of `models`, `qdlite` itself of `qdlite`."""
    top, _, rest = module.partition(".")
    return rest.split(".")[0] if top == "qdlite" and rest else top


def imported_modules(node: ast.AST, package: str) -> list[str]:
    """The modules `node` imports, by statement or by a call of `import_module` with a literal name."""
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2] in {"import_module", "__import__"}
        return [str(name.value) for name in node.args[:1] if called and isinstance(name, ast.Constant)]
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return []
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        above = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*above, base] if base else above)
    if base == "qdlite":  # `from qdlite import models` names the part in the second half
        return [f"qdlite.{alias.name}" for alias in node.names]
    return [base]


def imports(path: Path, tree: ast.Module) -> Iterator[str]:
    """Every module imported anywhere in `tree`, functions included. Relative imports start at `path`."""
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]
    for node in ast.walk(tree):
        yield from imported_modules(node, package)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def imports_at_load(node: ast.AST) -> Iterator[str]:
    """The modules imported when `node`'s module is: neither in a function nor for the type checker alone."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not is_type_checking(child):
            yield from imported_modules(child, "")
            yield from imports_at_load(child)


def violations(path: Path, source: str) -> list[str]:
    """What `source`, if it stood in the file `path`, imports against the tables; in words."""
    tree = ast.parse(source)
    relative = path.relative_to(ROOT).as_posix()
    part = part_of(module_name(path))
    found = []
    for module in imports(path, tree):
        top, target = module.split(".")[0], part_of(module)
        if top in {"qdlite", "qdlite_server"} and target not in LAYERS[part] | FOUNDATION | {part}:
            found.append(f"{part} may not import {target} ({module})")
        if top in HOMES and not fnmatch(relative, HOMES[top]):
            found.append(f"{top} belongs in {HOMES[top]} only")
    at_load = {module.split(".")[0] for module in imports_at_load(tree)}
    return found + [f"{module} must be imported inside a function" for module in sorted(at_load & LAZY)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_down(path: Path) -> None:
    assert part_of(module_name(path)) in LAYERS, "a part that the table does not know"
    assert violations(path, path.read_text(encoding="utf-8")) == []


def test_the_table_has_no_cycle() -> None:
    settled: set[str] = set()
    waiting = LAYERS
    while ready := {part for part, below in waiting.items() if below <= settled}:
        settled |= ready
        waiting = {part: below for part, below in waiting.items() if part not in settled}
    assert not waiting


@pytest.mark.parametrize(
    ("place", "source", "expected"),
    [
        ("qdlite/models/x.py", "from qdlite.collection.ids import Ids", "models may not import collection"),
        ("qdlite/queries/x.py", "from ..collection import ids", "queries may not import collection"),
        ("qdlite/queries/x.py", "from qdlite import payload", "queries may not import payload"),
        ("qdlite/vectors/x.py", "def f():\n    import qdlite.models", "vectors may not import models"),
        ("qdlite/errors.py", "from .models import base", "errors may not import models"),
        ("server/qdlite_server/x.py", "import qdlite.collection", "qdlite_server may not import collection"),
        (
            "qdlite/database.py",
            "import starlette.routing",
            "starlette belongs in server/qdlite_server/* only",
        ),
        ("qdlite/vectors/x.py", "def f():\n    import_module('hnswlib')", "hnswlib belongs in qdlite/vectors/links.py"),
        ("qdlite/vectors/links.py", "x = importlib.import_module('hnswlib')", "hnswlib must be imported inside"),
        ("qdlite/vectors/links.py", "import hnswlib", "hnswlib must be imported inside a function"),
        ("qdlite/vectors/links.py", "try:\n    import scipy\nfinally: ...", "scipy must be imported inside"),
    ],
)
def test_violations_are_noticed(place: str, source: str, expected: str) -> None:
    found = violations(ROOT / place, source)
    assert len(found) == 1
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("qdlite/vectors/links.py", "import numpy\nfrom qdlite.errors import X\ndef f():\n    import hnswlib"),
        ("qdlite/vectors/links.py", "if TYPE_CHECKING:\n    import hnswlib"),
        ("server/qdlite_server/routes/x.py", "import starlette\nfrom ..endpoint import Endpoint"),
    ],
)
def test_lawful_imports_pass(place: str, source: str) -> None:
    assert violations(ROOT / place, source) == []


def test_architecture_shows_the_table() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|$", text, flags=re.MULTILINE)
    shown = {part: set(re.findall(r"\w+", below)) for part, below in rows}
    assert shown == LAYERS


def test_server_folder_is_no_package() -> None:
    """`import server` must never find code."""
    assert not (ROOT / "server" / "__init__.py").exists()
