"""docs/library.md against the engine: every example on the page runs, in order, as it stands."""

from __future__ import annotations

import ast
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, HandClock, Shell

import ftctl
from ftctl import errors
from ftctl.engine import events, workspace

PAGE = (ROOT / "docs" / "library.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@dataclass
class Session:
    """A person at a Python prompt, in a folder that has a copy of the examples."""

    capsys: pytest.CaptureFixture[str]
    names: dict[str, Any] = field(default_factory=dict)

    def paste(self, block: str) -> str:
        """What a block prints. Nothing goes to standard error."""
        self.capsys.readouterr()
        exec(compile(block, "docs/library.md", "exec"), self.names)
        captured = self.capsys.readouterr()
        assert captured.err == ""
        return captured.out


@pytest.fixture
def session(
    tmp_path: Path,
    clock: HandClock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Session:
    monkeypatch.setattr(workspace, "SystemClock", lambda: clock)  # nobody waits for a test
    ignore = shutil.ignore_patterns(".ftctl", "ftctl.lock")
    examples = tmp_path / "examples" / "classifier"
    shutil.copytree(ROOT / "examples" / "classifier", examples, ignore=ignore)
    monkeypatch.chdir(tmp_path)
    return Session(capsys)


def test_every_example_of_the_page_runs(session: Session, shell: Shell) -> None:
    buy, elsewhere, request, as_json, came_of_it, stop, listen = BLOCKS

    bought = session.paste(buy)
    session.paste(elsewhere)
    again = session.paste(buy)
    planned = session.paste(request)
    document = session.paste(as_json)
    printed = shell.ok("-C", "examples/classifier", "plan", "--format", "json").out
    came = session.paste(came_of_it)
    stopped = session.paste(stop)
    told = session.paste(listen)

    model = ftctl.model("triage", project="examples/classifier")
    assert bought == again
    assert planned == f"triage no-op up to date as {bought}"
    assert document == printed
    assert came == "nothing-to-do ### ftctl: nothing to do, 1 model\n"
    assert stopped == "triage cancelled none, as nothing is billed here\n"
    assert re.match(r"triage: started ftjob-\S+ \(validating_files\)\ntriage \w+\n", told)
    assert told.endswith("triage succeeded\n")
    assert model != bought.strip()  # the last example trains once more


def test_the_page_tells_of_every_event_that_comes_and_every_error() -> None:
    cells = re.findall(r"^\| (`[A-Z].*?) \|", PAGE, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}

    faults = {kind.__name__ for kind in errors.FtctlError.__subclasses__()}
    assert named == _events_that_come() | (faults & set(vars(errors)))


def _events_that_come() -> set[str]:
    """The events that the engine makes: those that its modules import."""
    found: set[str] = set()
    for path in (ROOT / "ftctl" / "engine").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "ftctl.engine.events":
                found |= {alias.name for alias in node.names}
    kinds = {name for name in found if isinstance(getattr(events, name), type)}
    return kinds - {"StepDone"}  # none is made: its kinds are
