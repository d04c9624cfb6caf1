"""A folder in; the git commit that it is at out."""

from __future__ import annotations

from pathlib import Path

from ftctl.errors import FtctlError


def commit_of(root: Path) -> str | None:
    """The commit that the project's folder is at; None where there is none, or no git."""
    from ftctl.cli.git import repository_around

    try:
        return repository_around(root).commit("HEAD")
    except FtctlError:
        return None
