"""Lines go in; a file that is whole, or not there, comes out, with the hash of its bytes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from io import BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import Self

from ftctl.errors import FtctlError

_PREFIX, _SUFFIX = ".draft-", ".tmp"
_STALE_SECONDS = 24 * 3600


class Draft:
    """A file under a name of its own until it is kept; without that it goes with its block."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(8)}{_SUFFIX}"
        self._hash = hashlib.sha256()
        self.bytes = 0
        self.rows = 0
        try:
            # By hand and not as a temporary file: those are for their owner's eyes only.
            self._stream: BufferedWriter = self.path.open("xb")
        except OSError as fault:
            raise _unwritable(folder, fault) from None

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, line: bytes) -> None:
        """Add a row."""
        try:
            self._stream.write(line)
        except OSError as fault:
            raise _unwritable(self.path.parent, fault) from None
        self._hash.update(line)
        self.bytes += len(line)
        self.rows += 1

    def finish(self) -> None:
        """Bring everything to the disk. Once is enough."""
        if self._stream.closed:
            return
        try:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
        except OSError as fault:
            raise _unwritable(self.path.parent, fault) from None

    def keep(self, target: Path, *, replace: bool) -> None:
        """Give it its name, at once and whole; an FtctlError where a file may not be replaced."""
        self.finish()
        try:
            if replace:
                self.path.replace(target)
            else:
                self._link(target)
        except FileExistsError:
            hint = "name another file, or add --force to replace it"
            raise FtctlError(f"{target} is there already", hint) from None
        except OSError as fault:
            raise _unwritable(target, fault) from None

    def _link(self, target: Path) -> None:
        """Unlike a rename, this never takes another file's place."""
        try:
            os.link(self.path, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if target.exists():
                raise FileExistsError from None
            self.path.replace(target)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._stream.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Take away drafts of runs that were ended before they could."""
    oldest = time.time() - _STALE_SECONDS
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


def _unwritable(place: Path, fault: OSError) -> FtctlError:
    reason = fault.strerror or type(fault).__name__
    return FtctlError(f"{place} cannot be written: {reason}", "check the folder and its free space")
