"""A project's state folder in; where the embedded API runs, that folder or a copy of it, out.

Where the checkout is read-only, what is there can be read all the same: on a copy, which the
database can open and lock. Nothing that is done on it stays, so nothing is bought on it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ftctl.engine.events import Listener, Noted
from ftctl.errors import FtctlError
from ftctl.files import file_fault, scratch_folder

_DATABASE = "emulator.sqlite3*"  # with what SQLite keeps beside it


def is_read_only(folder: Path) -> bool:
    """Whether nothing can be written below a folder, which need not be there yet."""
    place = folder if folder.is_dir() else folder.parent
    if not os.access(place, os.W_OK | os.X_OK):
        return True
    there = folder.glob(_DATABASE) if folder.is_dir() else ()
    return not all(os.access(path, os.W_OK) for path in there)


@contextmanager
def embedded_store(folder: Path, make: Callable[[], Path], listener: Listener) -> Iterator[Path]:
    """The folder, which `make` makes if it is missing; a copy until the block ends if it must be.

    FtctlError where neither can be had.
    """
    if not is_read_only(folder):
        yield make()
        return
    listener(Noted(f"note: {folder} cannot be written: the embedded API is only read, on a copy"))
    with scratch_folder() as scratch:
        try:
            for path in folder.glob(_DATABASE):
                shutil.copyfile(path, scratch / path.name)
        except OSError as fault:
            raise file_fault(folder, fault, cannot_be="read") from None
        yield scratch


def require_store(folder: Path) -> None:
    """Raise `FtctlError` where what the embedded API is asked to do would not stay."""
    if is_read_only(folder):
        raise FtctlError(
            f"{folder} cannot be written, where the embedded API keeps its state",
            "make the folder writable, or run where it is: nothing was done",
        )
