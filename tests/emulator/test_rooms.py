"""Which room of the embedded API may import which: those before it, and no circle."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from conftest import ROOT

PACKAGE = ROOT / "ftctl" / "emulator"

# From the ground up, modules of the top folder among them; imports for types alone count as well.
ORDER = [
    "ids", "temperament", "settings", "base_models",
    "http", "storage", "model", "chat", "graders", "jobs", "faults", "api", "temperaments", "web",
    "admin", "app", "server", "transport", "__init__",
]  # fmt: skip


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _rooms_used(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ftctl.emulator"):
            inside = (node.module or "").split(".")[2:]
            rooms |= {inside[0]} if inside else {name.name for name in node.names}
    return rooms


def test_a_room_uses_only_those_before_it() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        room = _room(path)
        for other in _rooms_used(path) - {room}:
            assert ORDER.index(other) < ORDER.index(room), f"{path} imports {other}"


def test_every_room_says_what_goes_in_and_out() -> None:
    for path in sorted(PACKAGE.glob("*/__init__.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""

        assert re.search(r"\bin\b.*\bout\b", docstring.partition("\n\n")[0], re.DOTALL), path


def test_no_module_stem_stands_in_two_rooms() -> None:
    stems = [path.stem for path in PACKAGE.rglob("*.py") if path.stem != "__init__"]

    assert sorted(stems) == sorted(set(stems))
