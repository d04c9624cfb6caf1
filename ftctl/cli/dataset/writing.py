"""A finished text goes in; a file that was not there before comes out, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from ftctl.errors import FtctlError

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
    half = ""
    try:
        descriptor, half = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(half).chmod(0o666 & ~_umask())
        Path(half).replace(path)
    except OSError as fault:
        with contextlib.suppress(OSError):
            if half:
                Path(half).unlink()
        reason = fault.strerror or type(fault).__name__
        raise FtctlError(f"{shown} cannot be written: {reason}") from None


def _umask() -> int:
    """What new files may not have; `mkstemp` makes files for their owner's eyes alone."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
