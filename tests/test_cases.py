"""Golden cases: a folder each under tests/cases, run and compared as whole texts.

`UPDATE=1 pytest tests/test_cases.py` rewrites what is expected; read the difference before you
commit it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Shell, without_ids, without_losses

from ftctl.domain.plan_document import plan_document
from ftctl.domain.snapshot import read_observed
from ftctl.engine.planning import PlanRequest
from ftctl.engine.workspace import Workspace
from ftctl.reports.text import plan_text

CASES = Path(__file__).parent / "cases"
UPDATE = bool(os.environ.get("UPDATE"))


def _cases(kind: str) -> list[Path]:
    return sorted(path for path in (CASES / kind).iterdir() if path.is_dir())


def _by_name(path: Path) -> str:
    return path.name


def _compare(path: Path, found: str) -> None:
    if UPDATE:
        path.write_text(found, "utf-8")
    assert path.exists(), f"{path} is missing; UPDATE=1 writes it"
    assert found == path.read_text("utf-8")


def _copy(case: Path, folder: Path) -> None:
    shutil.copytree(case, folder, dirs_exist_ok=True)


@pytest.mark.parametrize("case", _cases("invalid"), ids=_by_name)
def test_a_broken_project_is_told_all_its_problems(case: Path, shell: Shell) -> None:
    """cases/invalid/<case>/: a project → errors.txt, what `ftctl validate` prints."""
    _copy(case, shell.folder)
    (shell.folder / "errors.txt").unlink(missing_ok=True)

    result = shell("validate")

    assert result.status == 1, result
    _compare(case / "errors.txt", (result.out + result.err).replace(str(shell.folder), "DIR"))


@pytest.mark.parametrize("case", _cases("plan"), ids=_by_name)
def test_a_plan_is_made_from_manifests_and_what_exists(case: Path, shell: Shell) -> None:
    """cases/plan/<case>/: a project, observed.json, options.json → plan.txt and plan.json."""
    _copy(case, shell.folder)
    workspace = Workspace.open(shell.folder, clock=shell.clock, environ={})
    observed = read_observed(json.loads((case / "observed.json").read_text("utf-8")))
    options = case / "options.json"
    asked = json.loads(options.read_text("utf-8")) if options.exists() else {}

    review = workspace.plan(PlanRequest(**asked), observed=observed)

    review = replace(review, commit=None, offline=False)
    _compare(case / "plan.txt", plan_text(review, "ftctl apply") + "\n")
    document = plan_document(review)
    told = {**document, "ftctl_version": "VERSION"}  # or every release rewrites them
    document = json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False)
    _compare(case / "plan.json", document + "\n")


@pytest.mark.parametrize("case", _cases("journey"), ids=_by_name)
def test_a_journey_prints_what_it_printed_before(case: Path, shell: Shell) -> None:
    """cases/journey/<case>/: a project and commands.txt → transcript.txt.

    A line of commands.txt is a command line of ftctl, or `edit PATH OLD NEW` on a file.
    """
    _copy(case, shell.folder)
    transcript = ""
    for line in (case / "commands.txt").read_text("utf-8").splitlines():
        transcript += f"$ {line}\n"
        match shlex.split(line):
            case ["edit", name, old, new]:
                path = shell.folder / name
                text = path.read_text("utf-8")
                assert old in text
                path.write_text(text.replace(old, new), "utf-8")
            case ["ftctl", *arguments]:
                result = shell(*arguments)
                transcript += result.out + result.err
                transcript += f"[exit {result.status}]\n" if result.status else ""
            case _:
                pytest.fail(f"{case.name}: what is '{line}'?")

    printed = without_losses(without_ids(transcript)).replace(str(shell.folder), "DIR")
    _compare(case / "transcript.txt", printed)
