"""`ftctl lock merge BASE OURS THEIRS`: two branches' records of releases become one."""

from __future__ import annotations

import re
from pathlib import Path

import click

from ftctl.cli.exit_codes import DONE
from ftctl.cli.settings import settings_of, shared_options
from ftctl.engine.git import Repository, repository_around
from ftctl.errors import FtctlError
from ftctl.lockfile import merge_lock_files
from ftctl.text.escape.single_line import one_line

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@click.command("merge")
@shared_options
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("ours", type=click.Path(path_type=Path))
@click.argument("theirs", type=click.Path(path_type=Path))
@click.pass_context
def merge_command(context: click.Context, base: Path, ours: Path, theirs: Path) -> int:
    """Put what two branches recorded into one file.

    OURS becomes the record with what either side changed since BASE, entry by entry. BASE may be
    empty or missing. The order is that of git's merge drivers: %O %A %B. Where both sides changed
    the same, what stops more purchases stays, and a line says what was decided.
    """
    settings = settings_of(context)
    base, ours, theirs = (settings.folder / path for path in (base, ours, theirs))
    for line in merge_lock_files(base, ours, theirs, _History(ours.parent)):
        settings.console.note(one_line(f"ftctl.lock: {line}"))
    return DONE


class _History:
    """Which of two commits came first, where git knows both; asked only when it matters."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, earlier: str, later: str) -> bool:
        if not (_COMMIT.fullmatch(earlier) and _COMMIT.fullmatch(later)):
            return False
        try:
            return _descends(repository_around(self._folder), earlier, later)
        except FtctlError:
            return False


def _descends(repository: Repository, earlier: str, later: str) -> bool:
    return repository.ask(["merge-base", "--is-ancestor", earlier, later]).status == 0
