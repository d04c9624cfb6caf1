"""Who may import what: the house's plan, held against the code."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from conftest import ROOT

PACKAGE = ROOT / "ftctl"

# Each third-party package has one door.
DOORS = {
    "yaml": {"manifest"},
    "jsonschema": {"schema"},
    "referencing": {"schema"},
    "deepdiff": {"diff"},
    "openai": {"openai_provider", "pytest_plugin"},
    "httpx2": {"openai_provider", "emulator", "pytest_plugin"},
    "numpy": {"emulator", "quality", "tokens", "dataset"},
    "tiktoken": {"tokens"},
    "pytest": {"pytest_plugin"},
    "python_multipart": {"emulator"},
    "click": {"cli"},
    "orjson": {"dataset"},
    "gigatoken": {"dataset"},  # an extra, as are those below
    "fsspec": {"sources"},
    "aiohttp": {"sources"},
    "openpyxl": {"reshape"},
    "pyarrow": {"reshape"},
}

# Rooms from the bottom of the house to its top: each may use those before it.
ORDER = [
    "lazy", "harmless", "errors", "clock", "patience", "tokens", "scalars", "digest", "marks",
    "desired", "world", "changes", "catalog",
    "manifest", "schema", "sources", "quality", "dataset", "reshape", "stats", "rowdiff",
    "cache", "project", "references", "resolve", "services", "diff",
    "record",
    "lock", "cost", "review", "policy", "cleanup", "plan", "approved",
    "provider", "openai_provider", "observe", "importing", "doctor",
    "purchase", "apply", "wait", "render", "cli", "__main__",
]  # fmt: skip

# Stages that only think: no file, socket, clock, randomness or environment.
PURE = {
    "errors", "harmless", "scalars", "digest", "marks", "desired", "world", "changes",
    "references", "resolve", "services", "diff", "record", "cost", "review", "policy", "approved",
    "cleanup", "plan", "provider", "wait", "render", "stats", "rowdiff", "quality",
}  # fmt: skip
IMPURE = {"os", "io", "socket", "subprocess", "time", "random", "secrets", "shutil", "tempfile"}


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.add(node.module or "")
    return found


FILES = sorted(PACKAGE.rglob("*.py"))
OURS = [(path, _room(path), _imports(path)) for path in FILES]


def test_each_third_party_package_has_one_door() -> None:
    for path, room, names in OURS:
        for package in {name.partition(".")[0] for name in names}:
            if package not in sys.stdlib_module_names and package != "ftctl":
                assert room in DOORS.get(package, set()), f"{path} imports {package}"


def test_a_room_uses_only_those_below_it() -> None:
    for path, room, names in OURS:
        if room in ("emulator", "pytest_plugin", "__init__"):
            continue
        for name in names:
            if name.startswith("ftctl."):
                other = name.split(".")[1]
                if other == "emulator":
                    assert room in ("cli", "pytest_plugin"), f"{path} imports the emulator"
                elif other != room:
                    assert ORDER.index(other) < ORDER.index(room), f"{path} imports {other}"


_EMULATOR_USES = (["emulator"], ["tokens"], ["lazy"])


def test_the_emulator_imports_nothing_of_the_rest() -> None:
    for path, room, names in OURS:
        if room == "emulator":
            # Vocabularies are public data: what a text is billed for is the same on both sides.
            ours = (name for name in names if name.partition(".")[0] == "ftctl")
            foreign = {name for name in ours if name.split(".")[1:2] not in _EMULATOR_USES}
            assert not foreign, path


def test_stages_that_think_touch_nothing() -> None:
    for path, room, names in OURS:
        if room in PURE:
            assert not names & IMPURE, path
            text = path.read_text("utf-8")
            assert "open(" not in text, path
            assert ".read_text(" not in text, path
