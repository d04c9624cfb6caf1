"""The hook for pre-commit: for which files it runs, and what it runs in a folder below."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest
import yaml
from conftest import ROOT, Shell

from ftctl.data.convert.source_rows import _SUFFIXES as TABLES

(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("path", "checked"),
    [
        ("ftctl.yaml", True),
        ("services/support/ftctl.yaml", True),
        ("finetunes/emotion.yaml", True),
        ("services/support/finetunes/deep/er.yml", True),
        ("data/train.jsonl", True),
        ("data/rows.json", True),
        ("services/support/rows.xlsx", True),
        ("README.md", False),
        ("myftctl.yaml", False),
        ("deploy/values.yaml", False),
        ("package.json", False),
        ("rows.csv.md", False),
    ],
)
def test_the_hook_runs_for_what_it_checks(path: str, checked: bool) -> None:
    assert HOOK["pass_filenames"] is False
    assert bool(re.search(HOOK["files"], path)) is checked


@pytest.mark.parametrize("suffix", sorted(TABLES))
def test_the_hook_runs_for_each_form_of_data(suffix: str) -> None:
    assert re.search(HOOK["files"], f"rows{suffix}")


def test_a_project_in_a_folder_below_is_checked_with_the_arguments_of_the_docs(
    shell: Shell,
) -> None:
    """pre-commit starts the entry with these in the repository's own folder."""
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    shown = page[page.index("# .pre-commit-config.yaml") :].partition("```")[0]
    (repo,) = yaml.safe_load(shown)["repos"]
    settings: dict[str, Any] = repo["hooks"][-1]
    folder = shell.folder / settings["args"][-1]
    shutil.copytree(ROOT / "examples" / "converted", folder)

    program, *words = HOOK["entry"].split()
    done = shell(*words, *settings["args"])

    assert (settings["id"], program) == (HOOK["id"], "ftctl")
    assert done.out == "Valid: 1 fine-tune, 30 rows of data in 2 files.\n"
    assert re.search(settings["files"], f"{settings['args'][-1]}/data/garden.csv")
    assert not re.search(settings["files"], "services/other/data/garden.csv")
