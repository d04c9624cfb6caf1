"""docs/emulator-operations.md: every operation of the public API, and how far it goes here.

`UPDATE=1 pytest tests/emulator/test_operations.py` rewrites the table.
"""

from __future__ import annotations

import os
import re

import pytest
from conftest import ROOT
from fidelity import MISSING, SPEC, load_specification

from ftctl.emulator.api.operations import NOTES
from ftctl.emulator.api.routes import ROUTES

PAGE = ROOT / "docs" / "emulator-operations.md"
UPDATE = bool(os.environ.get("UPDATE"))
_PART = re.compile(r"(<!-- generated: operations -->\n).*?(<!-- end -->)", re.DOTALL)


def table() -> str:
    """A line for each operation, in the order of the notes."""
    lines = ["| operation | how far |", "| --- | --- |"]
    for (method, path), note in NOTES.items():
        lines.append(f"| `{method} {path.replace('*}', '}')}` | {note} |")
    return "\n".join(lines) + "\n"


def test_the_table_of_operations_is_fresh() -> None:
    text = PAGE.read_text("utf-8")

    fresh = _PART.sub(lambda found: f"{found[1]}\n{table()}\n{found[2]}", text)

    if UPDATE:
        PAGE.write_text(fresh, "utf-8")
        text = fresh
    assert _PART.search(text)
    assert text == fresh


def test_every_route_has_a_note_and_every_note_a_route() -> None:
    assert set(NOTES) == {(method, path) for method, path, _ in ROUTES}


@pytest.mark.skipif(not SPEC.exists(), reason=MISSING)
def test_the_table_has_the_operations_of_the_specification() -> None:
    def shape(name: str) -> str:
        return re.sub(r"\{[^}]*\}", "{}", name)

    ours = sorted(shape(f"{method} {path.removeprefix('/v1')}") for method, path in NOTES)

    assert ours == sorted(shape(one.name) for one in load_specification().operations)
