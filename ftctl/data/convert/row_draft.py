"""Rows go in as lines; a file of them that is whole, or not there, comes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ftctl.errors import FtctlError
from ftctl.files import AtomicWriter, file_fault

STEM = "rows"


class RowDraft(AtomicWriter):
    """As its base, counting rows; what fails is an `FtctlError`."""

    def __init__(self, folder: Path) -> None:
        self.rows = 0
        with _told_as_ours(folder):
            super().__init__(folder, STEM)

    def write(self, piece: bytes) -> None:
        """Add a row."""
        with _told_as_ours(self.path.parent):
            super().write(piece)
        self.rows += 1

    def finish(self) -> None:
        """As for every draft."""
        with _told_as_ours(self.path.parent):
            super().finish()

    def keep(self, target: Path, *, replace: bool = True) -> Path:
        """Give it its name, at once and whole."""
        try:
            with _told_as_ours(target):
                return super().keep(target, replace=replace)
        except FileExistsError:
            hint = "name another file, or add --force to replace it"
            raise FtctlError(f"{target} is there already", hint) from None


@contextmanager
def _told_as_ours(place: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise
    except OSError as fault:
        raise file_fault(place, fault, hint="check the folder and its free space") from None
