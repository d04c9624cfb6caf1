"""A finished text goes in; a file that was not there before comes out, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from ftctl.errors import FtctlError
from ftctl.files import file_fault, write_atomically

FORCE = "Write over a file that is there."


def refuse_to_overwrite(path: Path, shown: str, *, force: bool) -> None:
    """Raise before any work is done, where the work's result could not be put down."""
    if path.is_dir():
        raise FtctlError(f"{shown} is a directory", "name a file in it")
    if path.exists() and not force:
        raise FtctlError(f"{shown} is there already; nothing was written", "write over it: --force")


def write_file(path: Path, shown: str, content: bytes, *, force: bool) -> None:
    """Put the content there in one step."""
    refuse_to_overwrite(path, shown, force=force)
    try:
        write_atomically(path, content, replace=force)
    except OSError as fault:
        raise file_fault(shown, fault) from None
