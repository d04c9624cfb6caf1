"""What came of a conversion, split or sample goes in; what people are told of it comes out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ftctl.cli.dataset.writing import refuse_to_overwrite
from ftctl.cli.settings import Settings
from ftctl.data.convert import Part, StepOutcome, Written
from ftctl.data.scanning.row_file import named_here
from ftctl.errors import InvalidProject, problems_text
from ftctl.text.format import plural

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go: a file as the user named it, or standard output."""

    shown: str
    place: Path | BinaryIO


def target_of(settings: Settings, shown: str, *, force: bool) -> Target:
    """The target of that name; refused before any work if it may not be written."""
    if shown == STDOUT:
        return Target(shown, sys.stdout.buffer)
    path = settings.folder / shown
    refuse_to_overwrite(path, shown, force=force)
    return Target(shown, path)


def report_outcome(
    settings: Settings, done: StepOutcome, targets: Mapping[Part | None, str]
) -> None:
    """Say what was decided and written; `InvalidProject` when nothing was."""
    problems = tuple(map(named_here, done.problems))
    if not done.ok:
        raise InvalidProject(problems)
    console = settings.console
    if problems:
        console.note(problems_text(problems, settings.directory))
    for note in done.notes:
        console.note(f"{note[:1].upper()}{note[1:]}.")
    for part, written in done.written.items():
        console.note(_wrote(targets[part], written))


def _wrote(shown: str, written: Written) -> str:
    where = "to standard output" if shown == STDOUT else shown
    rows = plural(written.rows, "row")
    return f"Wrote {where}: {rows}, {written.bytes:,} bytes, sha256 {written.sha256}."
