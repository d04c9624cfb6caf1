"""The README's tour is what ftctl prints: `UPDATE=1` writes it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest
from conftest import ROOT, Shell, without_ids, without_losses

README = ROOT / "README.md"


def _console(shell: Shell, *arguments: str, shown: str | None = None) -> str:
    """A command and what it prints."""
    result = shell(*arguments)
    command = shown or f"ftctl -C examples/classifier {' '.join(arguments)}"
    return f"$ {command}\n{result.out}{result.err}"


def _edited(shell: Shell, old: str, new: str) -> str:
    path = shell.folder / "finetunes" / "triage.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return f"$ sed -i 's/{old}/{new}/' examples/classifier/finetunes/triage.yaml\n"


def _tour(shell: Shell) -> dict[str, str]:
    apply = ("apply", "--auto-approve", "--wait")
    first = _console(shell, *apply)
    again = _console(shell, *apply)
    output = _console(shell, "output", "triage")
    change = _edited(shell, "suffix: triage", "suffix: tickets") + _console(shell, "plan")
    change += "\n" + _edited(shell, "n_epochs: 3", "n_epochs: 4") + _console(shell, "plan")
    _edited(shell, "n_epochs: 4", "n_epochz: 4")
    _edited(shell, "seed: 17", "seed: 017")
    mistakes = _console(shell, "validate")
    return {
        "apply": first,
        "again": again,
        "change": change,
        "output": output,
        "mistakes": mistakes,
    }


def test_the_tour_shows_what_ftctl_prints(example: Callable[[str], Shell]) -> None:
    shell = example("classifier")
    text = README.read_text("utf-8")

    expected = text
    for name, printed in _tour(shell).items():
        shown = without_ids(printed).replace(f"-C {shell.folder}", "-C examples/classifier")
        block = f"<!-- tour: {name} -->\n```console\n{shown.rstrip()}\n```\n<!-- end -->"
        pattern = rf"<!-- tour: {name} -->(?:\n```console.*?<!-- end -->)?"
        expected, found = re.subn(pattern, lambda _, b=block: b, expected, count=1, flags=re.DOTALL)
        assert found, f"README.md has no '<!-- tour: {name} -->'"
    if os.environ.get("UPDATE"):
        README.write_text(expected, "utf-8")

    assert without_losses(expected) == without_losses(README.read_text("utf-8"))


@pytest.mark.parametrize("heading", ["## Try it", "## Test it"])
def test_the_readme_has_one_block_to_paste(heading: str) -> None:
    section = README.read_text("utf-8").partition(f"{heading}\n")[2].partition("\n## ")[0]

    assert section.count("```sh\n") == 1
